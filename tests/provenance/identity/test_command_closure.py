"""Which files a command stands on, and what reruns it."""

import pytest

from provenance.identity.commands import command_closure
from provenance.identity.sources import OutsideLinkError

R = ["Rscript", "stages/fit.R", "{inputs.x}", "out.csv"]
OCTAVE = ["octave-cli", "--eval", "score('{inputs.features}', '{outputs.scores}')"]
SHELL = ["sh", "bin/go.sh"]
FILES = {
    "stages/near.R": "1\n",
    "lib/a.R": "2\n",
    "lib/far.R": "3\n",
    "lib/fill.m": "x = 1;\n",
    "lib/deep/low.m": "x = 2;\n",
    "data/x.csv": "1",
    "data/part_1.csv": "1",
    "data/my table.csv": "1",
    "models/m.rds": "1",
    "tools/prep.py": "import near_it\nimport numpy\n",
    "tools/near_it.py": "",
    "Makefile": "all:\n\techo data/x.csv\n",
    "other.txt": "1",
}


@pytest.fixture
def project(project):
    for path, content in FILES.items():
        project.put(path, content)
    return project


def closure(project, argv, declared=()):
    return command_closure(project.root, project.tracked, argv, declared)


def paths(project, argv, declared=()):
    return {file.path for file in closure(project, argv, declared).files}


def semantic(project, argv):
    return {file.path: file.semantic for file in closure(project, argv).files}


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["tool", "data/x.csv"], "data/x.csv"),
        (["tool", "./data/x.csv"], "data/x.csv"),
        (["tool", "--file=data/x.csv"], "data/x.csv"),
        (["tool", "--files", "data/x.csv,models/m.rds"], "data/x.csv models/m.rds"),
        (["tool", "-v", "x.csv"], ""),
        (["tool", "models"], "models/m.rds"),
        (["tool", "../other.txt", "/other.txt"], ""),
        (["tool", "data/{params.name}.csv"], "data/x.csv data/part_1.csv data/my_table.csv"),
        (["make", "Makefile"], "Makefile data/x.csv"),
        (["models", "x"], ""),
        (["python", "tools/prep.py"], "tools/prep.py tools/near_it.py"),
        (["/usr/bin/python3", "-m", "tools.prep"], "tools/prep.py tools/near_it.py"),
        (["python", "-c", "import tools.near_it"], "tools/near_it.py"),
        (["sh", "-c", "cat data/x.csv | sort"], "data/x.csv"),
        (["Rscript", "-e", "source('lib/a.R'); x <- read.csv(\"data/x.csv\")"],
         "lib/a.R data/x.csv"),
        (["octave", "--eval", "addpath lib/deep; load data/x.csv"],
         "lib/deep/low.m data/x.csv"),
        (["octave-cli", "--path", "lib", "--eval", "fill(1)"], "lib/fill.m lib/deep/low.m lib/a.R "
         "lib/far.R"),
        (["env", "A=1", "Rscript", "lib/a.R"], "lib/a.R"),
    ],
)  # fmt: skip
def test_what_argv_names_is_in_the_closure(project, argv, expected):
    found = closure(project, argv)
    assert found.open_sites == ()
    assert {f.path for f in found.files} == {
        p.replace("_table", " table") for p in expected.split()
    }


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("source('lib/a.R')", "lib/a.R"),
        ('source(file = "../lib/a.R", local = TRUE)', "lib/a.R"),
        ("sys.source('near.R', envir = environment())", "stages/near.R"),
        ('base::source(r"(lib/a.R)")', "lib/a.R"),
        ('source(file.path("lib", "a.R"))', "lib/a.R lib/far.R lib/fill.m lib/deep/low.m"),
        ('source(here::here("lib/far.R"))', "lib/far.R"),
        ("m <- readRDS('models/m.rds')", "models/m.rds"),
        ("setwd('models'); readRDS('m.rds')", "models/m.rds"),
        ('read.csv(paste0("data/part_", i, ".csv"))', "data/part_1.csv"),
        ('lapply(list.files("models"), readRDS)', "models/m.rds"),
        ("read.csv('data/my table.csv')", "data/my table.csv"),
        ("x <- a %in% b # source(name); 'data/x.csv'", ""),
        ("x %#% 'models/m.rds'", "models/m.rds"),
        ('x <- "# no comment"; readRDS("models/m.rds")', "models/m.rds"),
        ("system('python tools/prep.py')", "tools/prep.py tools/near_it.py"),
        ("read.csv(args[1]); data$source; list(source = 1)", ""),
        ("read.csv('nowhere.csv')", ""),
    ],
)
def test_what_an_r_script_names_is_in_the_closure(project, source, expected):
    project.put("stages/fit.R", source)
    found = closure(project, R)
    named = {"data/my table.csv"} if "my table" in expected else set(expected.split())
    assert found.open_sites == ()
    assert {file.path for file in found.files} == {"stages/fit.R", *named}


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("x <- 1\nsource(x)", 2),
        ('source(paste0(x, ".R"))', 1),
        ('source(file.path(x, "a.R"))', 1),
        ("lapply(list.files('lib', full.names = TRUE), source)", 1),
        ('eval(parse(text = "1"))', 1),
        ("\n\nlibrary(p, character.only = TRUE)", 3),
        ("requireNamespace(p)", 1),
        ("devtools::load_all()", 1),
        ("dyn.load(x)", 1),
        ("x <- 'no end", 1),
    ],
)
def test_r_code_that_only_running_can_tell_opens_the_closure(project, source, line):
    project.put("stages/fit.R", source)
    found = closure(project, R)
    assert [(site.path, site.line) for site in found.open_sites] == [("stages/fit.R", line)]
    assert {file.path for file in found.files} == project.tracked


def test_packages_are_told_apart_by_their_language(project):
    project.put(
        "stages/fit.R",
        'library(dplyr)\nrequire("arrow")\nx <- jsonlite::fromJSON(1)\nlibrary("MASS", quietly = T)'
        "\nsystem('python tools/prep.py')\n# library(not)\n",
    )
    assert closure(project, R).imports == {
        "r:dplyr", "r:arrow", "r:jsonlite", "r:MASS", "numpy", "tools",
    }  # fmt: skip
    project.put("fit.m", "pkg load statistics\npkg('load', 'signal')\n")
    assert closure(project, ["octave", "fit.m"]).imports == {"octave:statistics", "octave:signal"}


def test_chunks_of_a_document_are_r_and_its_prose_is_not(project):
    project.put(
        "r.Rmd", "Use source(x).\n```{r setup}\nlibrary(dplyr)\nreadRDS('models/m.rds')\n```\n"
    )
    found = closure(project, ["Rscript", "-e", "rmarkdown::render('r.Rmd')"])
    assert found.open_sites == ()
    assert found.imports == {"r:rmarkdown", "r:dplyr"}
    assert {file.path for file in found.files} == {"r.Rmd", "models/m.rds"}


def test_functions_beside_an_octave_script_and_in_the_current_directory_count(project):
    for path in ("score.m", "stages/near.m", "stages/private/p.m", "stages/+pack/f.m",
                 "stages/@kind/get.m", "stages/sub/no.m", "stages/fast.mex"):  # fmt: skip
        project.put(path, "x = 1;\n")
    assert paths(project, OCTAVE) == {"score.m"}
    assert paths(project, ["octave-cli", "stages/near.m"]) == {
        "score.m", "stages/near.m", "stages/private/p.m", "stages/+pack/f.m", "stages/@kind/get.m",
        "stages/fast.mex",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("addpath('lib');", "lib/fill.m"),
        ("addpath lib", "lib/fill.m"),
        ('addpath("./lib", "-begin")', "lib/fill.m"),
        ("addpath(genpath('lib'));", "lib/fill.m lib/deep/low.m"),
        ("addpath([pwd '/lib'])", "lib/fill.m"),
        ("addpath(fullfile(fileparts(mfilename('fullpath')), 'lib', 'deep'))",
         "lib/fill.m lib/deep/low.m"),
        ("% addpath(x)\nx = 1;", ""),
        ("y = a'*b'; load('data/x.csv'); z = a';", "data/x.csv"),
        ("m = csvread (\"data/x.csv\"); % 50'", "data/x.csv"),
        ("f = fopen(sprintf('data/part_%d.csv', 1));", "data/part_1.csv"),
        ("run('tools/prep.py')", "tools/prep.py tools/near_it.py"),
        ("function run(x)\nend", ""),
        ("s.run(x); s.source(y);", ""),
    ],
)  # fmt: skip
def test_what_octave_code_names_is_in_the_closure(project, source, expected):
    project.put("score.m", source)
    found = closure(project, OCTAVE)
    assert found.open_sites == ()
    wider = {"lib/a.R", "lib/far.R", "lib/fill.m", "lib/deep/low.m"}
    # A quoted word that is a folder counts as that folder; a path to be added is one as well.
    got = {file.path for file in found.files} - {"score.m"}
    assert set(expected.split()) <= got
    assert got - set(expected.split()) <= (wider if "lib" in source else set())


@pytest.mark.parametrize(
    "source",
    ["addpath(x)", "addpath([x '/lib'])", "run(x)", "source(name)", "eval(code)", "evalc('x')",
     "cellfun(@run, files)", "cd(x)", "if true, addpath(getenv('A')), end"],
)  # fmt: skip
def test_octave_code_that_only_running_can_tell_opens_the_closure(project, source):
    project.put("score.m", f"x = 1;\n{source}\n")
    found = closure(project, OCTAVE)
    assert [(site.path, site.line) for site in found.open_sites] == [("score.m", 2)]
    assert {file.path for file in found.files} == project.tracked


def test_an_expression_in_argv_can_open_the_closure(project):
    found = closure(project, ["octave", "--eval", "addpath(getenv('X'))"])
    assert found.open_sites[0].path == "argument 2 of the command"
    assert {file.path for file in found.files} == project.tracked


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("cat data/x.csv", "data/x.csv"),
        ('cat "$HERE/data/x.csv"', "data/x.csv"),
        ('. "$(dirname "$0")/lib.sh"', "bin/lib.sh"),
        (". ${HERE}/lib.sh", "bin/lib.sh"),
        ("cd models && cat m.rds", "models/m.rds"),
        ("python3 -m tools.prep", "tools/prep.py tools/near_it.py"),
        ("Rscript lib/a.R", "lib/a.R"),
        ("octave-cli --eval 'top(1)'", "top.m"),
        ("cat 'data/my table.csv'", "data/my table.csv"),
        ("perl bin/p.pl", "bin/p.pl bin/My/Own.pm"),
    ],
)
def test_what_a_shell_script_names_is_in_the_closure(project, source, expected):
    project.put("bin/go.sh", f"#!/bin/sh\nset -e\n{source}\n")
    project.put("bin/lib.sh", "true\n")
    project.put("bin/p.pl", "use strict;\nuse My::Own;\n")
    project.put("bin/My/Own.pm", "1;\n")
    project.put("top.m", "x = 1;\n")
    found = closure(project, SHELL)
    assert found.open_sites == ()
    named = {expected} if "my table" in expected else set(expected.split())
    assert named <= {file.path for file in found.files} - {"bin/go.sh"}
    assert "other.txt" not in {file.path for file in found.files}


@pytest.mark.parametrize("source", ['. "$1"', 'source "$DIR/$NAME.sh"', 'eval "$CODE"'])
def test_shell_code_that_only_running_can_tell_opens_the_closure(project, source):
    project.put("bin/go.sh", f"#!/bin/sh\n# eval . $1\n{source}\n")
    found = closure(project, SHELL)
    assert [(site.path, site.line) for site in found.open_sites] == [("bin/go.sh", 3)]
    assert {file.path for file in found.files} == project.tracked


def test_declared_files_count_by_their_bytes(project):
    assert paths(project, ["tool"], ["data/*.csv", "lib"]) == {
        path for path in FILES if path.startswith(("data/", "lib/"))
    }
    assert paths(project, ["tool"], ["nothing/*", "../other.txt"]) == set()
    project.put("lib/a.R", "2 # two\n")
    files = closure(project, ["tool"], ["lib/a.R"]).files
    assert [file.semantic == file.exact for file in files] == [True]


def test_comments_of_a_script_do_not_rerun_and_its_code_does(project):
    project.put("stages/fit.R", "source('lib/a.R')\nx <- '#1'\n")
    project.put("score.m", "x = 1;\ny = x';\n")
    before = semantic(project, R), semantic(project, OCTAVE)
    project.put("stages/fit.R", "# What it does\nsource('lib/a.R')  # far\n\nx <- '#1'\n")
    project.put("lib/a.R", "2   # two\n")
    project.put("score.m", "% What it does\n\nx = 1;\n  # more\ny = x';\n")
    assert (semantic(project, R), semantic(project, OCTAVE)) == before
    project.put("stages/fit.R", "source('lib/a.R')\nx <- '#2'\n")
    project.put("score.m", "x = 2;\ny = x';\n")
    assert semantic(project, R) != before[0]
    assert semantic(project, OCTAVE) != before[1]


def test_a_script_that_is_read_as_well_counts_by_its_bytes(project):
    project.put("stages/fit.R", "source('lib/a.R')\nreadLines('lib/a.R')\n")
    before = semantic(project, R)
    project.put("lib/a.R", "2 # two\n")
    after = semantic(project, R)
    assert {path for path in after if after[path] != before[path]} == {"lib/a.R"}


def test_a_new_function_that_hides_another_reruns(project):
    project.put("score.m", "y = fill(1);\n")
    before = semantic(project, OCTAVE)
    project.put("fill.m", "y = 2;\n")
    assert set(semantic(project, OCTAVE)) - set(before) == {"fill.m"}


def test_a_compiled_function_counts_untracked(project):
    project.put("fast.oct", b"\x7fELF")
    project.untracked.add("fast.oct")
    assert "fast.oct" in paths(project, OCTAVE)


def test_what_interpreters_read_unasked_counts(project):
    project.put(".Rprofile", "source('lib/far.R')\n")
    project.put(".octaverc", "addpath('lib')\n")
    assert {".Rprofile", "lib/far.R"} <= paths(project, ["Rscript", "lib/a.R"])
    assert {".octaverc", "lib/fill.m"} <= paths(project, OCTAVE)
    assert ".Rprofile" not in paths(project, OCTAVE)


def test_scripts_that_name_each_other_end(project):
    project.put("stages/fit.R", "source('lib/a.R')\n")
    project.put("lib/a.R", "source('stages/fit.R')\n")
    assert paths(project, R) == {"stages/fit.R", "lib/a.R"}


def test_folders_that_lie_in_each_other_end(project):
    (project.root / "lib" / "deep" / "up").symlink_to(project.root / "lib")
    project.put("score.m", "addpath(genpath('lib'))\n")
    assert "lib/deep/low.m" in paths(project, OCTAVE)


@pytest.mark.parametrize("argv", [SHELL, OCTAVE, ["python", "tools/prep.py"]])
def test_a_link_to_itself_is_no_file(project, argv):
    project.put("bin/go.sh", "cat data/x.csv data/round.csv\n")
    links = {"data/round.csv", "round.m", "tools/round.py"}
    for path in links:
        (project.root / path).symlink_to((project.root / path).name)
    found = command_closure(project.root, project.tracked | links, argv, ["data"])
    assert not links & {file.path for file in found.files}
    assert "data/x.csv" in {file.path for file in found.files}


def test_a_link_that_leads_out_is_refused(project, tmp_path):
    (tmp_path / "outside.csv").write_text("1")
    (project.root / "data/link.csv").symlink_to(tmp_path / "outside.csv")
    with pytest.raises(OutsideLinkError, match=r"data/link\.csv leads out"):
        closure(project, ["tool", "data/link.csv"])


def test_a_script_too_large_to_be_read_opens_the_closure(project):
    project.put("stages/fit.R", "x <- 1\n" * 200_000)
    assert [site.what for site in closure(project, R).open_sites] == ["it is too large to be read"]


def test_a_script_in_another_encoding_is_read(project):
    project.put("stages/fit.R", "readRDS('models/m.rds') # \xe9".encode("latin-1"))
    assert "models/m.rds" in paths(project, R)
