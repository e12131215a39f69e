import pytest


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8000",
        "127.0.0.1",
        "127.0.0.1:8000",
        "[::1]",
        "[::1]:8000",
        "reports.example.org",
        "reports.example.org:443",
    ],
)
def test_our_own_names_are_answered(client, project, host):
    assert client.get("/api/v1/projects", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8000",
        "reports.example.org.evil.example",
        "reports.example.org@evil.example",
        "evil.example#localhost",
        "10.0.0.1",
        "169.254.169.254",
        "[::2]",
        "localhost:80:80",
        "",
    ],
)
def test_other_names_are_refused(client, project, host):
    for path in ("/api/v1/projects", "/", "/hooks/git/weather"):
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code == 421
        assert "PROVENOTE_BASE_URL" in answer.text


RUNS = "/api/v1/projects/weather/reports/daily/runs"


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json"],
)
def test_calls_must_be_json(client, project, bell, content_type):
    answer = client.post(RUNS, data=b"{}", content_type=content_type)
    assert answer.status_code == 415
    assert answer.json["error"]["code"] == "content_type"
    for action in ("cancel", "rerun"):
        answer = client.post(f"/api/v1/runs/run_1/{action}", content_type=content_type)
        assert answer.status_code == 415
    assert bell.runs == []


def test_calls_from_other_sites_are_refused(client, project, bell):
    answer = client.post(RUNS, json={}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert bell.runs == []
    assert client.post(RUNS, json={}, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 202


def test_large_bodies_are_refused_everywhere(client, project):
    answer = client.post(RUNS, json={"params": {"note": "x" * 2_000_000}})
    assert answer.status_code == 413
    answer = client.post(
        "/projects/weather/reports/daily/new", data={"param.note": "x" * 2_000_000}
    )
    assert answer.status_code == 413


def test_bodies_of_unknown_length_are_refused(client, project):
    answer = client.post(
        RUNS,
        headers={"Transfer-Encoding": "chunked", "Content-Type": "application/json"},
        environ_overrides={"CONTENT_LENGTH": ""},
    )
    assert answer.status_code == 411


def test_session_cookies_are_kept_from_scripts_and_other_sites(client, project):
    cookie = client.get("/projects/weather/reports/daily/new").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" in cookie


def test_nul_bytes_are_refused(client, project):
    for path in ("/projects/a%00b", "/api/v1/projects/%00", "/runs/%00", "/hooks/git/%00"):
        assert client.get(path).status_code == 404, path
    assert client.get("/api/v1/runs?report=%00").status_code == 400
    assert client.get("/projects/weather/reports/daily/new?note=%00").status_code == 400
