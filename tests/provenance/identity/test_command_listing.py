"""Commands that look for files by a pattern, or list a folder, stand on what they would find."""

import pytest

from provenance.identity.commands import command_closure

DATA = ("a.csv", "b.csv", "data/part_1.csv", "data/part_2.csv", "data/deep/z.tsv", "notes.txt")
SCRIPTS = {"sh": "go.sh", "Rscript": "r/go.R", "octave": "m/go.m", "perl": "go.pl", "ruby": "go.rb",
           "node": "go.js"}  # fmt: skip


@pytest.fixture
def look(project):
    """Return the files that a program's script stands on, and whether its closure is open."""
    for path in DATA:
        project.put(path, "1\n")

    def look(program, source):
        script = SCRIPTS[program]
        project.put(script, source)
        found = command_closure(project.root, project.tracked, [program, script])
        return {file.path for file in found.files} - {script}, found.open_sites

    return look


PARTS = "data/part_1.csv data/part_2.csv"
CSV = f"a.csv b.csv {PARTS}"


@pytest.mark.parametrize(
    ("program", "source", "expected"),
    [
        ("sh", "for f in *.csv; do cat $f; done", CSV),
        ("sh", 'cat "$HERE"/*.csv', CSV),
        ("sh", "cat part_?.csv", PARTS),
        ("sh", "cat data/part_[0-9].csv", PARTS),
        ("sh", "cat part_[12].csv", PARTS),
        ("sh", "cat part_*", PARTS),
        ("sh", "cat data/*.{tsv,csv}", f"{PARTS} data/deep/z.tsv"),
        ("sh", "find data -name '*.csv'", f"{CSV} data/deep/z.tsv"),
        ("sh", "ls data", f"{PARTS} data/deep/z.tsv"),
        ("sh", "ls -l notes.txt", "notes.txt"),
        ("sh", "case $1 in\n  *) exit 1;;\nesac\n# see * here\necho $((2 * 3)) $*", ""),
        ("sh", 'sqlite3 x "select * from t"', ""),
        ("Rscript", 'Sys.glob("*.csv")', CSV),
        ("Rscript", 'list.files("data", pattern = "x")', f"{PARTS} data/deep/z.tsv"),
        ("Rscript", 'list.files(pattern = "csv$", path = "data")', f"{PARTS} data/deep/z.tsv"),
        ("Rscript", 'list.files(file.path(getwd(), "data"))', f"{PARTS} data/deep/z.tsv"),
        ("Rscript", "x <- a[1] * b; dir <- 2; f(dir = 3); dir", ""),
        ("octave", "f = glob('*.csv');", CSV),
        ("octave", 'f = glob ("data/part_*");', PARTS),
        ("octave", "f = dir(fullfile('data', '*.csv'));", f"{CSV} data/deep/z.tsv"),
        ("octave", "x = a'*v'; y = b(1)*v; z = [a*v, 2];", ""),
        ("octave", "dir = 'here'; x = numel(dir);", ""),
        ("perl", 'my @f = glob("*.csv"); my $x = $y*$v;', CSV),
        ("perl", "my @f = <part_*.csv>;", PARTS),
        ("ruby", 'Dir["data/part_*.csv"].each { |f| p f }', PARTS),
        ("node", 'fs.readdirSync("data/deep/")', "data/deep/z.tsv"),
    ],
)  # fmt: skip
def test_a_pattern_means_the_files_that_it_matches(look, program, source, expected):
    found, sites = look(program, source)
    assert sites == ()
    assert found == set(expected.split())


@pytest.mark.parametrize(
    ("program", "source"),
    [
        ("sh", "x=1\nfor f in *; do cat $f; done"),
        ("sh", '\nfor f in "$1"/*; do cat $f; done'),
        ("sh", "\ncat ./*"),
        ("sh", "\nls | grep csv"),
        ("sh", "\nn=$(ls | wc -l)"),
        ("sh", "\nfind . -type f"),
        ("sh", "\nfind . -name '*.csv' | sort"),
        ("sh", '\nls "$HERE"'),
        ("Rscript", "\nfiles <- list.files(pattern = '\\\\.csv$')"),
        ("Rscript", "\nfiles <- list.files()"),
        ("Rscript", "\nfiles <- list.files('.', pattern = 'csv')"),
        ("Rscript", "\nfiles <- dir(where)"),
        ("Rscript", "\nfiles <- lapply(places, list.files)"),
        ("Rscript", "\nfiles <- Sys.glob('*')"),
        ("Rscript", "\nfiles <- list.files(path = file.path(x, 'data'))"),
        ("Rscript", "\nplaces <- list.dirs()"),
        ("octave", "\nfiles = dir;"),
        ("octave", "\nfiles = dir();"),
        ("octave", "\nfiles = readdir(pwd);"),
        ("octave", "\nfiles = dir([x '/data']);"),
        ("octave", "\nfiles = glob('*');"),
        ("octave", "\nls"),
        ("octave", "\nls *.csv"),
        ("perl", "\nopendir(my $d, '.'); my @f = readdir($d);"),
        ("perl", "\nmy @f = glob($x);"),
        ("ruby", "\nDir.children('.')"),
        ("ruby", '\nDir.glob("#{x}/*.csv")'),
        ("node", "\nfs.readdirSync(x)"),
    ],
)
def test_listing_a_folder_that_nothing_names_opens_the_closure(look, program, source):
    found, sites = look(program, source)
    assert [(site.path, site.line) for site in sites] == [(SCRIPTS[program], 2)]
    assert set(DATA) <= found


def test_a_pattern_in_the_arguments_means_its_files(project):
    for path in DATA:
        project.put(path, "1\n")

    def paths(*argv):
        return {f.path for f in command_closure(project.root, project.tracked, argv).files}

    assert paths("tool", "data/part_*.csv") == set(PARTS.split())
    assert paths("sh", "-c", "cat part_*.csv | sort") == set(PARTS.split())
