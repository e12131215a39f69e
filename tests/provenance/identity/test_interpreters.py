"""Which interpreters the scripts of a command start, and which code of theirs nobody reads."""

import time

import pytest

from provenance.identity.commands import command_closure
from provenance.identity.interpreters import code_between, language_of, programs_in


def closure(project, *argv):
    return command_closure(project.root, project.tracked, argv)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Rscript a.R && octave-cli --eval 'x'", "Rscript octave-cli"),
        ("#!/usr/bin/env python3", "python3"),
        ("exec /usr/bin/python3 -u x.py", "/usr/bin/python3"),
        ('"$HOME/bin/python3" x.py', "python3"),
        ("${P}/bin/python3.11 -u", "python3.11"),
        ("x=$(julia-1.9 x.jl); node x.js | perl", "julia-1.9 node perl"),
        ("R CMD BATCH x.R; R -q -f x.R", "R"),
        ("it is for Octave, or octave.", "octave"),
        ("R is a letter, data/julia/x.csv, x.perl, node-gyp, my-python, $ruby", ""),
    ],
)
def test_a_shell_calls_interpreters_by_name_or_path(text, expected):
    assert programs_in(text) == set(expected.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("subprocess.run(['/usr/bin/julia', 'a.jl'])", "/usr/bin/julia"),
        ('os.system("Rscript a.R")', "Rscript"),
        ("for node in ruby: node = perl", ""),
    ],
)
def test_in_code_a_program_begins_a_literal(text, expected):
    assert programs_in(text, code=True) == set(expected.split())


@pytest.mark.parametrize(
    ("program", "language"),
    [("/opt/R/bin/Rscript", "r"), ("R", "r"), ("octave-8.4", "octave"), ("python3.11", "python"),
     ("octave-cli", "octave"), ("perl5.36", "perl"), ("make", "make")],
)  # fmt: skip
def test_a_program_has_a_language_whatever_its_version(program, language):
    assert language_of(program) == language


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("Rscript lib/a.R", {"Rscript"}),
        ("tool lib/a.R", {"Rscript"}),
        ("tool top.m", {"octave-cli"}),
        ("octave top.m", {"octave"}),
        ("julia x.jl", {"julia"}),
        ("tool x.jl", {"julia"}),
        ("python3 x.py", {"python3"}),
        ("/usr/bin/python3 x.py", {"/usr/bin/python3"}),
        ("./x.py", {"/usr/bin/python3"}),
        ("cat data.csv", set()),
    ],
)
def test_what_a_script_starts_is_told(project, script, expected):
    project.put("run.sh", f"#!/bin/sh\n{script}\n")
    project.put("lib/a.R", "x <- 1\n")
    project.put("top.m", "x = 1;\n")
    project.put("x.jl", "x = 1\n")
    project.put("data.csv", "Rscript\n")
    project.put("x.py", "#!/usr/bin/python3\n").chmod(0o755 if "./" in script else 0o644)
    assert closure(project, "sh", "run.sh").programs - {"sh"} == expected


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.R", "system('octave-cli x.m')\nsystem2('julia', 'x.jl')\n"),
        ("a.m", "system('julia x.jl');\nsystem(\"octave-cli x.m\");\n"),
        ("a.py", "import subprocess\nsubprocess.run(['julia', 'octave-cli'])\nimport b\n"),
        ("a.pl", "system 'julia x.jl'; exec 'octave-cli'\n"),
        ("a.Rmd", "```{r}\nsystem('julia x'); system('octave-cli')\n```\n"),
    ],
)
def test_scripts_of_any_language_start_others(project, path, text):
    project.put(path, text)
    project.put("run.sh", f"tool {path}\n")
    project.put("b.py", "import os\nos.system('ruby x.rb')\n")
    found = closure(project, "sh", "run.sh").programs
    assert {"julia", "octave-cli"} <= found
    assert ("ruby" in found) == (path == "a.py")


def test_a_script_that_a_python_script_names_is_read_as_well(project):
    project.put("a.py", "import subprocess\nsubprocess.run(['Rscript', 'lib/a.R'])\n")
    project.put("lib/a.R", "library(dplyr)\nsource('lib/b.R')\n")
    project.put("lib/b.R", "x <- 1\n")
    found = closure(project, "python", "a.py")
    assert {file.path for file in found.files} == {"a.py", "lib/a.R", "lib/b.R"}
    assert "r:dplyr" in found.imports
    assert found.programs == {"python", "Rscript"}


def test_arguments_name_programs_as_well(project):
    project.put("a.R", "x <- 1\n")
    assert closure(project, "env", "A=1", "R", "-f", "a.R").programs == {"R"}
    assert closure(project, "sh", "-c", "julia x.jl").programs == {"julia"}
    assert closure(project, "sh", "-c", "Rscript a.R").programs == {"Rscript"}


def test_a_module_that_is_started_is_imported(project):
    project.put("run.sh", "python3 -m numpy.f2py x\n")
    assert "numpy" in closure(project, "sh", "run.sh").imports
    assert "pytest" in closure(project, "python", "-m", "pytest").imports


@pytest.mark.parametrize(
    "text",
    ["Rscript -e 'library(x)'", "R -q -e 'x'", "python3 -c 'import a'", "python3 -uc 'import a'",
     "python3 <<EOF", "cat x | python3 - <<'EOF'", "/usr/bin/python3 < x.txt",
     'python3 -u - "$1" < x.txt', "cat x | python3", "(cat x | /usr/bin/python3 -u)"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["run.sh", "Makefile"])
def test_code_that_stands_in_a_shell_script_opens_the_closure(project, name, text):
    project.put(name, f"true\n# {text}\n{text}\n")
    project.put("other.txt", "1\n")
    found = closure(project, "tool", name)
    assert [(site.path, site.line) for site in found.open_sites] == [(name, 3)]
    assert {file.path for file in found.files} == {name, "other.txt"}


@pytest.mark.parametrize(
    "text",
    [
        "python3 a.py < in.csv",
        "python3 -u a.py | sort -c",
        "Rscript a.R; tool -e x",
        "cat x | python3 a.py -",
        "which python3",
        "python3 a.py - x",
    ],
)
def test_scripts_that_are_started_open_nothing(text):
    assert list(code_between(text)) == []


def test_a_long_hostile_script_is_read_in_time(project):
    project.put("run.sh", "Rscript python3 'x " * 20_000)
    # Of the processor's time, which a loaded machine does not lengthen: it takes half a second.
    began = time.process_time()
    closure(project, "sh", "run.sh")
    assert time.process_time() - began < 20
