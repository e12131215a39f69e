from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from app.web.coded import coded


def test_what_stands_between_backticks_is_code():
    assert coded("Type `a < b`, or `c`.") == "Type <code>a &lt; b</code>, or <code>c</code>."
    assert coded("A single ` is itself.") == "A single ` is itself."


@given(st.text(alphabet=st.sampled_from("`<>&\"'a\n")))
def test_whatever_is_said_stays_text(said: str):
    shown = Markup(coded(said)).replace("<code>", "`").replace("</code>", "`")
    assert shown.unescape() == said
