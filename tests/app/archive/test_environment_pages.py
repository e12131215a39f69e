from provenance.ledger.environments import COLLECTED, FAILED, READY
from provenance.ledger.states import Verdict
from tests.app.archive.maker import Maker
from tests.app.archive.test_hostile_strings import EVIL

KEY = "e" * 64
LOG = b"-- Python 3.11.7\n + pandas==3.0.0\n"


def given(maker: Maker, key: str = KEY, **values):
    """A run that was given the environment."""
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    return maker.run(evaluation, environment=key, **values)


def section(page: str, name: str) -> str:
    return page.split(f'id="{name}"')[1].split("</section>", maxsplit=1)[0]


def test_without_environments_the_list_says_how_one_comes(client):
    page = client.get("/environments").text
    assert "Here every environment will stand" in page
    assert "from = &#34;requirements.txt&#34;" in page or 'from = "requirements.txt"' in page


def test_the_list_tells_of_each_and_the_one_used_last_is_first(client, maker: Maker):
    maker.build(maker.environment("a" * 64, source="uv.lock"), state=FAILED, size=None)
    maker.build(maker.environment(KEY))
    given(maker)
    page = client.get("/environments").text
    assert page.index(f"/environments/{KEY}") < page.index(f"/environments/{'a' * 64}")
    for text in ("ready", "failed", "uv.lock", "requirements.txt", "3.11.7", "181", "2.1"):
        assert text in page, text


def test_a_page_tells_packages_builds_log_and_who_was_given_it(client, maker: Maker):
    run = given(maker)
    environment = maker.environment(KEY)
    maker.build(environment, state=COLLECTED, log=maker.keep(b"the first time"))
    build = maker.build(environment, log=maker.keep(LOG), run_id=run.id)
    page = client.get(f"/environments/{KEY}").text
    packages = section(page, "packages")
    assert packages.index("numpy") < packages.index("pandas")
    assert "/used-by?package=pandas%3D%3D3.0.0" in packages
    assert "sanity_check" in section(page, "users")
    assert f"/runs/{run.id}" in section(page, "users")
    builds = section(page, "builds")
    assert builds.index("ready") < builds.index("cleared away")
    assert "tower" in builds
    assert " + pandas==3.0.0" in section(page, "log")
    assert "the first time" not in page
    whole = client.get(f"/environments/{KEY}/log?build={build.id}")
    assert whole.data == LOG
    assert "sandbox" in whole.headers["Content-Security-Policy"]
    assert "attachment" in whole.headers["Content-Disposition"]
    assert client.get(f"/environments/{KEY}/log").data == LOG, "left out: the newest"
    assert client.get(f"/environments/{KEY[:12]}").status_code == 200


def test_one_that_failed_says_why_and_one_that_is_gone_that_it_comes_again(client, maker: Maker):
    error = {"message": "No solution found", "hint": "Is the name right?"}
    maker.build(maker.environment(KEY, packages=None), state=FAILED, size=None, error=error)
    page = client.get(f"/environments/{KEY}").text
    assert "No solution found" in section(page, "trouble")
    assert "Is the name right?" in page
    assert "Known once a build has succeeded" in page
    gone = maker.environment("a" * 64)
    maker.build(gone, state=COLLECTED)
    assert "builds it again" in client.get(f"/environments/{gone.key}").text


def test_one_that_stands_is_ready_though_a_later_build_elsewhere_failed(client, maker: Maker):
    environment = maker.environment(KEY)
    maker.build(environment, state=READY)
    maker.build(environment, state=FAILED, error={"message": "no network there"})
    page = client.get(f"/environments/{KEY}").text
    assert "trouble" not in page
    assert "is-passed" in page.split("</header>")[1]


def test_unknown_and_short_keys_are_answered_in_words(client, maker: Maker):
    for number in ("1", "2"):
        maker.environment("abcdef01" + number * 56)
    for key, status, words in (
        ("f" * 64, 404, "There is no environment"),
        ("abc", 400, "at least 8 digits"),
        ("abcdef01", 400, "Several keys"),
        (EVIL.replace("/", ""), 400, "at least 8 digits"),
    ):
        answer = client.get(f"/api/v1/environments/{key}")
        assert answer.status_code == status, key
        assert words in answer.json["error"]["message"]
    assert client.get(f"/environments/{'f' * 64}").status_code == 404
    assert client.get(f"/environments/{'f' * 64}/log").status_code == 404


def test_a_run_links_to_its_environment_and_a_failed_build_to_its_log(client, maker: Maker):
    environment = maker.environment(KEY)
    maker.build(environment)
    run = given(maker, verdict=Verdict.ERROR, error={"kind": "environment", "message": "no"})
    page = client.get(f"/runs/{run.id}").text
    assert f'href="/environments/{KEY}"' in section(page, "made")
    assert "the whole log of its build" in section(page, "trouble")
    assert f'href="/environments/{KEY}"' in client.get(f"/runs/{run.id}/provenance").text


def test_a_run_from_before_environments_had_pages_has_no_such_link(client, maker: Maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    record = maker.keep(b'{"environment": {"key": "%s", "python": "3.11.7"}}' % (b"d" * 64))
    run = maker.run(evaluation, record=record)
    for tab in ("", "/provenance"):
        assert 'href="/environments/' not in client.get(f"/runs/{run.id}{tab}").text


def test_programs_get_the_same(client, maker: Maker):
    run = given(maker)
    build = maker.build(maker.environment(KEY), log=maker.keep(LOG), run_id=run.id)
    (listed,) = client.get("/api/v1/environments").json["items"]
    whole = client.get(f"/api/v1/environments/{KEY[:8]}").json
    assert {**whole, **listed} == whole
    assert listed["packages"] == 2
    assert listed["runs"] == 1
    assert listed["links"]["html"] == f"http://localhost/environments/{KEY}"
    assert whole["distributions"] == {"numpy": "2.4.6", "pandas": "3.0.0"}
    assert [one["id"] for one in whole["builds"]] == [build.id]
    used = {"project": "flights", "report": "sanity_check", "runs": 1, "latest": run.id}
    assert whole["used_by"] == [used]
