import re

from provenance.ledger.states import Verdict
from tests.app.archive.maker import START, Maker


def rows_of(page: str) -> list[str]:
    return re.findall(r'<a class="subject"[^>]*>([^<]+)</a>', page)


def test_commits_are_rows_newest_first_and_reports_are_columns(client, maker: Maker):
    project = maker.project()
    for number in (2, 1, 3):
        evaluation = maker.evaluation(maker.commit(project, number))
        maker.run(evaluation, "sanity_check")
        maker.run(evaluation, "model_card", reused=True)
    page = client.get("/projects/flights").text
    assert rows_of(page) == ["Commit 3", "Commit 2", "Commit 1"]
    assert re.findall(r'class="report"><a[^>]*>(\w+)<', page) == ["model_card", "sanity_check"]
    assert page.count("tile is-passed reused") == 3 + 1  # and once in the legend
    assert "date" not in page.split("<tbody>")[0]


def test_commits_of_one_second_stand_in_order_of_descent(client, maker: Maker):
    project = maker.project()
    parent = None
    for number in (7, 3, 9, 1):
        commit = maker.commit(project, number, committed_at=START, parent=parent)
        maker.run(maker.evaluation(commit))
        parent = commit.sha
    page = client.get("/projects/flights").text
    assert rows_of(page) == ["Commit 1", "Commit 9", "Commit 3", "Commit 7"]


def test_a_cell_shows_the_newest_run_of_every_case(client, maker: Maker):
    evaluation = maker.evaluation(maker.commit(maker.project(), 1))
    old = maker.run(evaluation, verdict=Verdict.FAILED)
    new = maker.run(evaluation)
    other = maker.run(evaluation, params={"date": "2013-02-28"}, verdict=Verdict.ERROR)
    page = client.get("/projects/flights").text
    assert f"/runs/{new.id}" in page
    assert f"/runs/{other.id}" in page
    assert f"/runs/{old.id}" not in page
    assert "2013-02-28: error" in page


def test_a_branch_narrows_the_commits(client, maker: Maker):
    project = maker.project()
    maker.run(maker.evaluation(maker.commit(project, 1)))
    maker.run(maker.evaluation(maker.commit(project, 2), branch="try/hour"))
    page = client.get("/projects/flights?branch=try/hour").text
    assert rows_of(page) == ["Commit 2"]
    assert "<option selected>try/hour</option>" in page
    assert "No commit of this branch" in client.get("/projects/flights?branch=gone").text


def test_older_commits_are_one_link_away(client, maker: Maker):
    project = maker.project()
    for number in range(25):
        maker.run(maker.evaluation(maker.commit(project, number)))
    first = client.get("/projects/flights").text
    assert len(rows_of(first)) == 20
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older
    second = client.get(older[1]).text
    assert rows_of(second) == [f"Commit {number}" for number in (4, 3, 2, 1, 0)]
    assert "Older commits" not in second


def test_what_a_commit_cost_and_saved_stands_in_its_row(client, maker: Maker):
    project = maker.project()
    first = maker.run(maker.evaluation(maker.commit(project, 1)), seconds=41.0)
    reused = {"reused": True, "reused_from": first.id, "seconds": 0.1}
    maker.run(maker.evaluation(maker.commit(project, 2)), **reused)
    costs = re.findall(r'<td class="num cost">(.*?)</td>', client.get("/projects/flights").text)
    assert [re.sub("<[^>]+>", " ", cost).split() for cost in costs] == [
        ["0.1", "s", "saved", "41", "s"],
        ["41", "s"],
    ]


def test_an_unknown_project_is_told_with_the_nearest_name(client, maker: Maker):
    maker.project()
    answer = client.get("/projects/fligths")
    assert answer.status_code == 404
    assert "Did you mean &#39;flights&#39;?" in answer.text


def test_a_password_in_a_repository_address_is_not_shown(client, maker: Maker):
    maker.project(url="https://ada:hunter2@git.example.org/f.git")
    page = client.get("/projects/flights").text
    assert "git.example.org/f.git" in page
    assert "hunter2" not in page


def test_a_project_without_runs_names_the_command_that_fills_it(client, maker: Maker):
    maker.project()
    assert "provenote run --commit main" in client.get("/projects/flights").text


def test_the_matrix_asks_equally_often_for_few_and_for_many_rows(
    client, maker: Maker, count_queries
):
    project = maker.project()
    maker.run(maker.evaluation(maker.commit(project, 1)))
    few = count_queries(lambda: client.get("/projects/flights"))
    for number in range(2, 9):
        maker.run(maker.evaluation(maker.commit(project, number)), f"report_{number}")
    assert count_queries(lambda: client.get("/projects/flights")) == few


def test_runs_of_uncommitted_changes_do_not_stand_for_their_commit(client, maker: Maker):
    project = maker.project()
    evaluation = maker.evaluation(maker.commit(project, 1))
    clean = maker.run(evaluation)
    tried = maker.run(evaluation, verdict=Verdict.ERROR, dirty="d" * 64)
    maker.run(maker.evaluation(maker.commit(project, 2)), dirty="d" * 64)
    page = client.get("/projects/flights").text
    assert rows_of(page) == ["Commit 1"]
    assert (clean.id in page, tried.id in page) == (True, False)
