"""What a cell of parameters in R assigns, and how values are written into one."""

import json
import math
import shutil
import subprocess
from datetime import date
from typing import Any

import pytest

from pipeline.kernels.r_translator import TypedRTranslator
from pipeline.r_parameters import assignments

rscript = pytest.mark.skipif(not shutil.which("Rscript"), reason="R is not installed")


def values(source: str) -> dict[str, Any]:
    return {one.name: one.value for one in assignments(source)}


def test_numbers_texts_words_dates_vectors_and_lists_are_read() -> None:
    source = r"""
    n <- 5L; m = -3
    rate <- -2.5e-1
    hex = 0x1FL
    name <- "two\twords \u00e9 \"q\""
    raw <- r"(C:\temp)"
    yes = TRUE
    none <- NULL
    day <- as.Date("2013-01-31")  # the day
    towns <- c("JFK",
               'LGA')  # both
    flat <- c(1, c(2, 3))
    empty <- c()
    weights <- list(delay = 1.5, "cancelled" = 5)
    mixed = list(1, "a", TRUE)
    """
    assert values(source) == {
        "n": 5,
        "m": -3,
        "rate": -0.25,
        "hex": 31,
        "name": 'two\twords é "q"',
        "raw": "C:\\temp",
        "yes": True,
        "none": None,
        "day": date(2013, 1, 31),
        "towns": ["JFK", "LGA"],
        "flat": [1, 2, 3],
        "empty": [],
        "weights": {"delay": 1.5, "cancelled": 5},
        "mixed": [1, "a", True],
    }
    told = {one.name: (one.comment, one.line) for one in assignments(source)}
    assert told["day"] == ("the day", 9)
    assert told["towns"] == ("both", 10)


@pytest.mark.parametrize(
    "source",
    [
        "x <- y", "x <- 1 + 1", "x <- f(1)", "x[1] <- 2", "x <- 1i", "x <<- 1", "5 -> x",
        "x <- as.Date('soon')", "x <- as.Date(18000)", "x <- c(1, y)", "x <- c(a = 1)",
        "x <- list(a = 1, 2)", "x <- list(a = 1, a = 2)", "x <- function() 1", "x <-", "x <- c(1",
        "x <- 'open", "if (TRUE) { x <- 1 }", "x <- -'a'", "x <- " + "c(" * 50 + "1" + ")" * 50,
    ],
)  # fmt: skip
def test_whatever_only_running_can_tell_is_left_out(source: str) -> None:
    assert values(source) == {}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "NULL"),
        (True, "TRUE"),
        (3, "3"),
        (0.1, "0.1"),
        (math.nan, "NaN"),
        (-math.inf, "-Inf"),
        (date(2013, 1, 31), 'as.Date("2013-01-31")'),
        (["a", "b"], 'c("a", "b")'),
        ([1, 2.5], "c(1, 2.5)"),
        ([True, 1], "list(TRUE, 1)"),
        ([], "list()"),
        ({"k": [1]}, 'list("k" = c(1))'),
        ('"); system("x', '"\\"); system(\\"x"'),
        ("é", '"é"'),
    ],
)
def test_values_are_written_as_r_people_write_them(value: object, written: str) -> None:
    assert TypedRTranslator.translate(value) == written


HOSTILE = [
    '"; cat("run") #', "\\", '\\"', "a\nb\tc", "`x`", "$x ${y} %s", "\x01\x7f\x85", "日本 é",
    "#", "'",
]  # fmt: skip


@rscript
def test_any_text_arrives_in_r_as_it_is_and_none_becomes_code() -> None:
    told = {text: number for number, text in enumerate(HOSTILE)}
    code = TypedRTranslator.codify({"texts": HOSTILE, "named": told})
    code += (
        'for (one in c(texts, names(named))) cat(utf8ToInt(enc2utf8(one)), "\\n", sep = " ")\n'
        'cat("sum", sum(unlist(named)), "\\n")\n'
    )
    done = subprocess.run(
        ["Rscript", "--vanilla", "-"],
        input=code, capture_output=True, text=True, check=True,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    *lines, total = done.stdout.strip().splitlines()
    assert ["".join(chr(int(code)) for code in line.split()) for line in lines] == HOSTILE * 2
    assert total.split() == ["sum", str(sum(range(len(HOSTILE))))]
    assert json.dumps(told)
