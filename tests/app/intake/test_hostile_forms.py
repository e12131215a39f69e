"""Whatever is sent as a form, it is answered with what is wrong, escaped, and never with a 500."""

import html
import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.intake.request import Push, accept_push
from tests.app.intake.test_form import FORM, token

EVIL = "<script>alert(1)</script>\"'"
NAMES = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["param.", "several.", "shown.", ""]),
        st.sampled_from(["day", "limit", "factor", "smooth", "station", "note", "weights"])
        | st.sampled_from(["commit", "as_of", "force", "", EVIL])
        | st.text(max_size=5),
    ),
)
TEXTS = st.text(max_size=30) | st.sampled_from(
    ["1 .. 3", "0..1 step 1e-9", "[1", "{", "a = b", "-1m", "month_start-999999w", "\0", EVIL, "-x"]
)


@settings(
    deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(NAMES, TEXTS), max_size=6))
def test_any_form_is_looked_over_and_answered(client, project, bell, fields):
    csrf = token(client)
    data: dict[str, list[str]] = {}
    for name, text in fields:
        data.setdefault(name, []).append(text)
    data["csrf_token"] = [csrf]
    assert client.post(f"{FORM}/check", data=data).status_code == 200
    data.pop("preview", None)
    answer = client.post(FORM, data=data)
    assert answer.status_code in (303, 400, 404)
    assert EVIL not in answer.text
    assert "<script>alert" not in answer.text


def test_what_commits_and_branches_say_is_shown_as_text(
    client, project, repository, installation, bell
):
    sha = repository.commit(EVIL)
    push = Push("refs/heads/a<b>", "a<b>", sha, None, "ada", None)
    evaluation = accept_push(installation.ledger, project, push, bell).evaluation_id
    client.post(FORM, data={"csrf_token": token(client), "commit": sha})
    assert evaluation in bell.evaluations
    page = client.get(FORM).text
    assert "<script>alert" not in page
    options = re.findall(r'<option value="([^"]*)">([^<]*)</option>', page)
    told = {html.unescape(value): html.unescape(text) for value, text in options}
    assert told["main"] == "newest of the branch"
    assert told["a<b>"] == "newest of the branch"
    assert told[sha[:12]].startswith(EVIL)


def test_a_hostile_query_prefills_nothing_but_text(client, project):
    for name in ("param.day", "param.note", "param.station", "several.limit", "commit", "as_of"):
        answer = client.get(FORM, query_string={name: EVIL})
        assert answer.status_code in (200, 400, 404)
        assert "<script>alert" not in answer.text
