"""Bodies that no database would keep."""

import pytest

from tests.app.api.test_data_api import DAY, send


@pytest.mark.parametrize("reason", [r"a\u0000b", r"\ud800"])
def test_text_that_a_database_cannot_keep_is_refused(client, reason):
    sent = send(client)
    for address in (f"{DAY}/retire", f"/api/v1/batches/{sent['id']}/pin"):
        body = f'{{"reason": "{reason}"}}'
        answer = client.post(address, data=body, content_type="application/json")
        assert (answer.status_code, "error" in answer.json) == (400, True)
    assert client.get(f"{DAY}/current").json["id"] == sent["id"]
