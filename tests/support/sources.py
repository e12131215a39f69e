"""Readings of sources in this process, as the runner does them."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.runner.messages import SqlJob
from pipeline.stages.sql import execute_query
from pipeline.workplace import Workplace


@dataclass(frozen=True)
class Reading:
    """How a query went."""

    result: dict[str, Any]
    log: str

    @property
    def path(self) -> Path:
        assert self.result["failure"] is None, self.result["failure"]
        return Path(self.result["outputs"][0]["path"])

    @property
    def table(self) -> pa.Table:
        return pq.read_table(self.path)

    @property
    def types(self) -> dict[str, str]:
        return {field.name: str(field.type) for field in self.table.schema}

    @property
    def told(self) -> dict[str, Any]:
        (query,) = self.result["queries"]
        return dict(query)

    @property
    def failure(self) -> dict[str, Any]:
        assert self.result["failure"] is not None, "the query went well"
        return dict(self.result["failure"])

    @property
    def again(self) -> bool:
        return bool(self.result["again"])


@dataclass
class Reader:
    """Reads sources, each query in a workplace of its own."""

    folder: Path
    made: int = 0

    def __call__(self, url: str, query: str, **more: Any) -> Reading:
        self.made += 1
        place = Workplace(self.folder / f"reading{self.made}", "")
        place.make()
        params = more.pop("params", {})
        job = SqlJob(str(place.root), url, query, params, **{"source": "replica", **more})
        message = json.loads(json.dumps(asdict(job)))
        message.pop("op")  # the runner looks at it and hands on the rest
        events: list[dict[str, Any]] = []
        result = json.loads(json.dumps(execute_query(message, events.append)))
        return Reading(result, "".join(event["text"] for event in events))


def day(text: str | None) -> dict[str, Any]:
    """Return the parameter ``day`` as a run gives it."""
    return {"day": {"type": "date", "value": text}}
