"""What a parameter may be inside a command's arguments: never an option, never code."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.stages.arguments import ArgumentError, Call, Filling, fill


def filled(command, **values):
    """Fill *command* with values: texts are chosen freely, those in a tuple by the manifest."""

    def look(kind, name, part):
        assert (kind, part) == ("params", None)
        value = values[name]
        if isinstance(value, tuple):
            return Filling(value[0], "fixed")
        return Filling(str(value), "text" if isinstance(value, str) else "number")

    return fill(Call("sums", command), look)


@pytest.mark.parametrize("value", ["plain", "2024-01-31", "a.b,c:d+e@f=g_h", "Zürich", ""])
def test_harmless_texts_stand_inside_an_argument(value):
    assert filled(["tool", "--x={params.p}"], p=value) == ("tool", f"--x={value}")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("plain words", "' '"),
        ("a\tb", r"'\t'"),
        ("a/b", "'/'"),
        ("/etc/passwd", "'/'"),
        ("x'); system('id", '"\'"'),
        ("a\nb", r"'\n'"),
        ("$HOME", "'$'"),
        ("-n", "begins with '-'"),
        ("--eval", "begins with '-'"),
    ],
)
@pytest.mark.parametrize("item", ["--x={params.p}", "f('{params.p}')", "{params.p}.csv"])
def test_what_could_be_read_as_something_else_is_refused_inside_an_argument(item, value, told):
    for command in (["tool", item], ["tool", "--", item]):
        with pytest.raises(ArgumentError) as error:
            filled(command, p=value)
        message, hint = str(error.value), error.value.hint
        for part in ("Stage sums", "parameter p", repr(value)[:6], item, told, "letters, digits"):
            assert part in message
        assert "choices" in hint
        assert "[params.p]" in hint
        assert '"{params.p}"' in hint


@pytest.mark.parametrize("value", ["-rf", "--eval", "-", "--", "-1"])
def test_a_text_of_its_own_is_no_option(value):
    with pytest.raises(ArgumentError) as error:
        filled(["rm", "{params.p}"], p=value)
    assert f"Stage sums: parameter p is {value!r}" in str(error.value)
    assert "an option of rm" in str(error.value)
    assert '"--"' in error.value.hint
    assert "choices" in error.value.hint
    assert filled(["rm", "--", "{params.p}"], p=value) == ("rm", "--", value)


def test_a_text_of_its_own_may_hold_anything_else():
    text = "a b; touch /tmp/never $(id) 'x' -rf"
    assert filled(["tool", "{params.p}"], p=text) == ("tool", text)


@pytest.mark.parametrize("option", ["-c", "-e", "-E", "--eval", "--exec", "-lc", "-exec"])
def test_behind_an_option_that_takes_code_a_text_counts_as_inside(option):
    assert filled(["tool", option, "{params.p}"], p="name") == ("tool", option, "name")
    for value in ("system('id')", "rm -rf x", "/bin/sh"):
        with pytest.raises(ArgumentError, match=f"behind '{option}'") as error:
            filled(["tool", option, "{params.p}"], p=value)
        assert "of its own" not in error.value.hint
        assert "choices" in error.value.hint
        assert "takes no code" in error.value.hint


@pytest.mark.parametrize(
    "command",
    [
        "perl -lane T", "perl -0777ne T", "perl -ne -- T", "bash -euxc T", "bash -cx T",
        "bash -c -x T", "bash -c +x T", "bash -c -o pipefail T", "bash -euo pipefail -c T",
        "sh -c -- T", "sh -c - T", "python -IsBc T", "php -r T", "php -B T", "node -p T",
        "node --print T", "node --import T", "julia --print T", "sqlite3 -cmd T x.db", "env -S T",
        "find . -exec T ;", "find . -execdir T ;", "find . -ok T ;", "find . -okdir T ;",
        "sed --expression T", "gdb -ex T", "gdb --eval-command T", "gawk --source T",
        "tar --to-command T", "nice -- sh -c T", "xargs -- perl -e T",
    ],
)  # fmt: skip
def test_no_spelling_of_an_option_that_takes_code_lets_code_through(command):
    argv = ["{params.p}" if word == "T" else word for word in command.split()]
    assert "harmless" in filled(argv, p="harmless")
    for value in ("system('id')", "touch x", "-x;id"):
        with pytest.raises(ArgumentError, match="behind '-"):
            filled(argv, p=value)


def test_an_option_that_a_value_makes_takes_code_as_well():
    with pytest.raises(ArgumentError, match="behind '-c'"):
        filled(["sh", "-{params.p}", "{params.q}"], p="c", q="touch x")
    with pytest.raises(ArgumentError, match="behind '--eval'"):
        filled(["tool", "{params.p}", "{params.q}"], p=("--eval",), q="touch x")


@pytest.mark.parametrize("command", ["sh -c f name T", "bash go.sh T", "tool -v T", "cp T x -r"])
def test_what_stands_behind_the_code_is_no_code(command):
    argv = ["{params.p}" if word == "T" else word for word in command.split()]
    assert "a b; $(id)" in filled(argv, p="a b; $(id)")


@pytest.mark.parametrize("command", ["nice -- perl T", "env -- A=1 tool T", "nice -- tool -v T"])
def test_the_end_of_the_options_of_one_program_is_not_that_of_the_program_it_starts(command):
    argv = ["{params.p}" if word == "T" else word for word in command.split()]
    with pytest.raises(ArgumentError, match="read as an option") as error:
        filled(argv, p="-x;id")
    assert "right before it" in error.value.hint
    unlocked = [*argv[:-1], "--", "{inputs.a}", argv[-1]]
    look = {"inputs": Filling("a.csv"), "params": Filling("-x", "text")}
    assert fill(Call("sums", unlocked), lambda kind, *_: look[kind])[-2:] == ("a.csv", "-x")


def test_a_value_in_front_makes_no_option_of_what_stands_behind_it():
    with pytest.raises(ArgumentError, match="an option of tool"):
        filled(["tool", "{params.n}{params.p}"], n=-5, p="e")
    with pytest.raises(ArgumentError, match="an option of tool"):
        filled(["tool", "{params.n}:1"], n=-5)
    with pytest.raises(ArgumentError, match="begins with '-'"):
        filled(["tool", "{params.p}{params.q}"], p="", q="-x")
    assert filled(["tool", "--", "{params.n}:1"], n=-5) == ("tool", "--", "-5:1")


def test_numbers_and_what_the_manifest_fixes_stand_as_they_are():
    assert filled(["tool", "{params.n}", "--at={params.n}"], n=-5) == ("tool", "-5", "--at=-5")
    fixed = ("--fast mode/x; $(id)",)
    assert filled(["tool", "{params.p}"], p=fixed) == ("tool", *fixed)
    assert filled(["tool", "-c", "do {params.p}"], p=fixed) == ("tool", "-c", f"do {fixed[0]}")
    assert filled(["tool", "{params.p}{params.q}"], p=("-o",), q="name") == ("tool", "-oname")


def test_other_braces_are_left_alone():
    assert filled(["awk", "{ print $1 }", "{params}", "{other.p}"]) == (
        "awk", "{ print $1 }", "{params}", "{other.p}",
    )  # fmt: skip


PIECES = st.sampled_from(
    ["{params.p}", "{params.q}", "{params.n}", "--", "-", "x=", " ", "f(", "."]
)
ARGUMENTS = st.lists(PIECES, max_size=4).map("".join)
TEXTS = st.text(max_size=6) | st.text("-/ ab\n'\"=\u2010\u00ad", max_size=6)


@given(st.lists(ARGUMENTS, max_size=5), TEXTS, TEXTS, st.integers())
@example(["{params.p}"], "-", "", 0)
@example(["{params.p}{params.q}"], "", "-x", 0)
@example(["{params.n}{params.q}"], "", "x", -1)
@example(["--", "{params.p}"], "-x", "", 0)
@example(["{params.p}", "--"], "-x", "", 0)
def test_no_text_ever_becomes_an_option(items, p, q, n):
    command = ["tool", *items]
    try:
        result = filled(command, p=p, q=q, n=n)
    except ArgumentError:
        return
    assert len(result) == len(command)
    for place, (item, argument) in enumerate(zip(command, result, strict=True)):
        if argument.startswith("-") and "--" not in command[:place]:
            assert item.startswith("-") or item == "{params.n}"


@given(ARGUMENTS, ARGUMENTS, TEXTS)
def test_nothing_but_harmless_letters_gets_inside_an_argument(before, after, p):
    try:
        filled(["tool", f"{before}{{params.p}}{after or '.'}"], p=p, q="", n=0)
    except ArgumentError:
        return
    assert not p.startswith("-")
    assert all(letter.isalnum() or letter in "_.,:+@=-" for letter in p)
