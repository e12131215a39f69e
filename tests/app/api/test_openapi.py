import re

ADDRESSES = {
    "/api/v1/projects": {"get"},
    "/api/v1/projects/{project}": {"get"},
    "/api/v1/projects/{project}/reports/{report}/runs": {"post"},
    "/api/v1/runs": {"get"},
    "/api/v1/runs/{run_id}": {"get"},
    "/api/v1/runs/{run_id}/cancel": {"post"},
    "/api/v1/runs/{run_id}/rerun": {"post"},
    "/api/v1/runs/{run_id}/provenance": {"get"},
    "/api/v1/runs/{run_id}/figures": {"get"},
    "/api/v1/runs/{run_id}/export": {"get"},
    "/api/v1/schemas/run-facet": {"get"},
    "/api/v1/evaluations/{evaluation_id}": {"get"},
    "/api/v1/evaluations/{evaluation_id}/cancel": {"post"},
    "/api/v1/datasets": {"get"},
    "/api/v1/datasets/{dataset}": {"get"},
    "/api/v1/datasets/{dataset}/snapshots": {"post"},
    "/api/v1/datasets/{dataset}/partitions/{partition}/batches": {"get", "post"},
    "/api/v1/datasets/{dataset}/partitions/{partition}/current": {"get"},
    "/api/v1/datasets/{dataset}/partitions/{partition}/rollback": {"post"},
    "/api/v1/datasets/{dataset}/partitions/{partition}/retire": {"post"},
    "/api/v1/batches/{batch_id}": {"get"},
    "/api/v1/batches/{batch_id}/content": {"get"},
    "/api/v1/batches/{batch_id}/publish": {"post"},
    "/api/v1/batches/{batch_id}/pin": {"post"},
    "/api/v1/models": {"get"},
    "/api/v1/models/{model}": {"get"},
    "/api/v1/models/{model}/latest": {"get"},
    "/api/v1/models/{model}/versions/{version}": {"get"},
    "/api/v1/models/{model}/versions/{version}/package": {"get"},
    "/api/v1/models/{model}/promote": {"post"},
    "/api/v1/models/{model}/rollback": {"post"},
    "/api/v1/environments": {"get"},
    "/api/v1/environments/{key}": {"get"},
    "/api/v1/explain": {"get"},
    "/api/v1/used-by": {"get"},
    "/api/v1/runs/{run_id}/reproduce": {"post"},
    "/api/v1/runs/{run_id}/reproductions": {"get"},
    "/api/v1/runs/{run_id}/whatif": {"post"},
}


def references(value):
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "$ref":
                yield item
            else:
                yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_the_document_describes_every_address(client, app):
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    document = answer.json
    assert document["openapi"].startswith("3.1")
    assert {path: set(found) for path, found in document["paths"].items()} == ADDRESSES
    served = {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api_") and "." in rule.endpoint
    }
    assert served == set(ADDRESSES)


def test_the_document_holds_together(client):
    document = client.get("/api/v1/openapi.json").json
    schemas = document["components"]["schemas"]
    assert {"RunObject", "RunList", "ErrorAnswer", "EvaluationObject"} <= set(schemas)
    for reference in references(document):
        assert reference.removeprefix("#/components/schemas/") in schemas, reference
    names = [
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
    ]
    assert len(names) == len(set(names))
    for path in document["paths"].values():
        for operation in path.values():
            assert operation["summary"]
            schema = operation["responses"]["400"]["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/ErrorAnswer"}


def test_the_body_of_rerun_may_be_left_out(client):
    document = client.get("/api/v1/openapi.json").json
    body = document["paths"]["/api/v1/runs/{run_id}/rerun"]["post"]["requestBody"]
    assert body["required"] is False
    assert body["content"]["application/json"]["schema"]["properties"]["force"]
