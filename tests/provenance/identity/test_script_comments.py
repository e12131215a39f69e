"""What is taken from R and Octave code before it is hashed never changes what it does."""

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.identity import octave_source, r_source

R_PIECES = [
    "x", "r", "R", "_", ".5", "1L", "0x1p-3", " ", "\t", "\n", "#", "# c\n", "'", '"', "`", "\\",
    "%", "%in%", "%#%", "(", ")", "[", "}", "-", 'r"(', ')"', "R'--[", "]--'", "::", "<-", ";",
    "é", "'#'", '"\\""', "\\'",
]  # fmt: skip
OCTAVE_PIECES = [
    "x = 1;", "y = x';", "disp('# no')", "disp(\"% no\")", "z = [1 2", "3 4];", "x = 1 + ...",
    "2;", "% c", "  # c", "%!test", "", "  ", "printf('%d\\n', 3)", "disp hello % c", "w = {'#a'",
    "'%b'};",    "s = 'it''s'; % c", "if x, x = 2; end", "disp(x)  ", "#!x", "f = @(a) a';",
]  # fmt: skip


@given(st.lists(st.sampled_from(R_PIECES), max_size=25).map("".join))
def test_tokens_of_r_together_are_the_source(text):
    tokens = r_source.tokenize(text)
    assert tokens is None or "".join(token.text for token in tokens) == text
    if tokens:
        assert [token.line for token in tokens] == sorted(token.line for token in tokens)


@given(st.lists(st.sampled_from(R_PIECES), max_size=25).map("".join))
def test_taking_comments_of_r_away_leaves_every_other_token(text):
    tokens = r_source.tokenize(text)
    if tokens is None:
        return
    again = r_source.tokenize(r_source.without_comments(tokens))
    assert again is not None
    idle = ("comment", "blank", "newline")
    kept = [token.text for token in tokens if token.kind not in idle]
    assert [token.text for token in again if token.kind not in idle] == kept


@pytest.mark.skipif(not shutil.which("Rscript"), reason="R is not installed")
def test_r_itself_sees_the_same_code_without_comments(tmp_path):
    cases = [
        "x <- '#1' # c\n\n  # d\ny <- x   \n",
        'z <- r"(a # b\n\n  )" # c\n',
        "f <- function(a, # first\n  b) {\n  # body\n  a %% b # rest\n}\n",
        "`a # b` <- 1 # c\n`%#%` <- function(a, b) 1\n1 %#% 2 # c\n",
        "if (TRUE) { # c\n 1 } else 2\n",
        'x <- "a\n\n  # b  \n" # c\n',
        "x <- 'it\\'s # 1' # c\n",
        "#!/usr/bin/env Rscript\nx <- \\(a) a # c\n",
        '\'r\'; r"---[ ]--" # ]---" # c\n',
        "a<-1#c\nb<-a#d",
    ]
    for number, text in enumerate(cases):
        facts = r_source.read(text)
        assert facts is not None
        assert facts.semantic is not None
        assert len(facts.semantic) < len(text)
        (tmp_path / f"{number}.a").write_text(text)
        (tmp_path / f"{number}.b").write_text(facts.semantic)
    program = (
        "code <- function(name) parse(name, keep.source = FALSE); for (n in commandArgs(TRUE))"
        " stopifnot(identical(code(paste0(n, '.a')), code(paste0(n, '.b')))); cat('same')"
    )
    argv = ["Rscript", "--vanilla", "-e", program, *map(str, range(len(cases)))]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "same", done.stderr


@pytest.mark.parametrize("text", ["x <- 1 # a\rx <- 2", "x\0"])
def test_r_code_whose_lines_are_not_sure_counts_by_its_bytes(text):
    facts = r_source.read(text)
    assert facts is not None
    assert facts.semantic is None


@pytest.mark.parametrize("text", ["x <- 'a", 'r"(a)', "a % b", "`a", "'a\\'"])
def test_what_r_would_refuse_is_not_read(text):
    assert r_source.read(text) is None


@pytest.mark.parametrize(
    "text", ["%{\nx = 1;\n%}\n", "#{\n#}\n", 'x = "a\\\n% b";\n', "x = 1; % a\r% b\rx = 2;"]
)
def test_octave_code_whose_lines_are_not_sure_counts_by_its_bytes(text):
    assert octave_source.without_comments(text) is None


@given(st.lists(st.sampled_from(OCTAVE_PIECES), max_size=12), st.lists(st.integers(0, 11)))
def test_lines_of_comments_in_octave_code_do_not_count(lines, places):
    before = octave_source.without_comments("\n".join(lines))
    more = list(lines)
    for place in places:
        after_continuation = 0 < place <= len(more) and "..." in more[place - 1]
        if 0 < place <= len(more) and not after_continuation:
            more.insert(place, "  % another")
    assert octave_source.without_comments("\n".join(more)) == before


def test_a_comment_after_a_continuation_counts():
    assert octave_source.without_comments("x = 1 + ...\n% c\n2;") != "x = 1 + ...\n2;"
    assert octave_source.without_comments("x = 1 + ...\n\n2;") != "x = 1 + ...\n2;"


@pytest.mark.skipif(not shutil.which("octave-cli"), reason="Octave is not installed")
def test_octave_itself_does_the_same_without_comments(tmp_path):
    """Programs of the pieces that Octave can run print the same before and after."""
    programs: list[str] = []

    @given(st.lists(st.sampled_from(OCTAVE_PIECES), min_size=2, max_size=9).map("\n".join))
    def collect(text: str) -> None:
        programs.append(text)

    collect()
    pairs = [(text, octave_source.without_comments(text)) for text in dict.fromkeys(programs)]
    for number, (text, stripped) in enumerate(pairs):
        assert stripped is not None
        (tmp_path / f"a{number}.txt").write_text(text + "\n")
        (tmp_path / f"b{number}.txt").write_text(stripped + "\n")
    program = (
        "function out = told(name)\n  try\n    out = evalc(['clear -x name;' 10 fileread(name)]);\n"
        "  catch error\n    out = 'refused';\n  end\nend\n"
        f"same = 0; for n = 0:{len(pairs) - 1}\n"
        "  a = told(sprintf('a%d.txt', n)); b = told(sprintf('b%d.txt', n));\n"
        "  if !strcmp(a, b), printf('%d differs\\n', n); end\n"
        "  same += !strcmp(a, 'refused');\nend\nprintf('%d ran\\n', same);\n"
    )
    (tmp_path / "compare.m").write_text("1;\n" + program)
    argv = ["octave-cli", "--norc", "compare.m"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "differs" not in done.stdout, done.stdout
    assert int(done.stdout.split()[-2]) > 10, done.stdout + done.stderr
