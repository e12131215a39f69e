"""On a laptop datasets and models are the local provenote's, through its command line."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

STORE = "provenote.store_dataframe(pd.DataFrame({'sold': %s}), 'sold_items', date(2013, 1, 31))"
HEAD = "import provenote, pandas as pd\nfrom datetime import date\n"


@pytest.fixture
def laptop(checkout, tmp_path):
    """Runs code as somebody would by hand, and returns the last line that it wrote."""
    home = {"PROVENOTE_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}
    found = replace(checkout, environment={**checkout.environment, **home})

    def run(code):
        process = found.script(HEAD + code)
        said = process.stdout if process.returncode == 0 else process.stderr
        return said.strip().splitlines()[-1]

    return run


def test_a_frame_is_published_and_read_back(laptop):
    said = laptop(STORE % [1, 2])
    assert said == "batch for sold_items/2013-01-31: 2 rows, published"
    assert laptop("print(provenote.load_dataframe('sold_items', '2013-01-31').sold.sum())") == "3"
    laptop(STORE % [40])
    load = "print(provenote.load_dataframe('sold_items', '2013-01-31'%s).sold[0])"
    assert laptop(load % "") == "40"
    assert laptop(load % ", batch='1'") == "1"


def test_what_the_command_line_says_is_the_error(laptop):
    laptop(STORE % [1])
    said = laptop("provenote.load_dataframe('sold_item', '2013-01-31')")
    assert said.startswith("provenote._context.ContextError:")
    assert "Did you mean 'sold_items'?" in said
    early = laptop("provenote.load_dataframe('sold_items', '2013-01-31', as_of=date(2013, 1, 1))")
    assert "had nothing yet at 2013-01-01" in early
    assert "Which partition of sold_items?" in laptop("provenote.load_dataframe('sold_items')")


def test_a_model_is_saved_and_loaded_by_version(laptop):
    save = "provenote.metric('rmse', %s); provenote.save_model({'slope': %s}, 'delay', day='x')"
    assert laptop(save % (1.5, 2)) == "model delay: version 1 published"
    assert laptop(save % ("float('nan')", 3)) == "model delay: version 2 published"
    assert laptop("print(provenote.load_model('delay'))") == "{'slope': 3}"
    assert laptop("print(provenote.load_model('delay', version=1))") == "{'slope': 2}"
    assert "no model 'delays'" in laptop("provenote.load_model('delays')")


def test_without_the_command_it_says_what_is_missing(laptop):
    hidden = f"import sys, os\nsys.prefix = os.environ['PATH'] = {str(Path(sys.prefix, 'lib'))!r}\n"
    said = laptop(hidden + "provenote.load_dataframe('sold_items', '2013-01-31')")
    assert "whose command is neither on the PATH nor in" in said
    assert "let `provenote run` execute this." in said
