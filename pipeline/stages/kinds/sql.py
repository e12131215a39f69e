"""SQL stages: a query of the project, read from a source of the operator."""

import hashlib
from typing import TYPE_CHECKING

from pipeline.manifest_parts.models import Manifest, SourceSpec, StageSpec
from pipeline.parameters import ParameterError
from pipeline.repository.tree import Tree
from pipeline.runner.messages import SqlJob
from pipeline.stages.kinds.base import Execution, Look
from pipeline.stages.signature import SignatureError, sql_binds
from pipeline.step import Definition
from provenance.errors import InvalidInputError, ProvenoteError
from provenance.nearest import did_you_mean, listed, shown

if TYPE_CHECKING:
    from pipeline.situation import Situation

_TABLE_FORMAT = {"format": "parquet-zstd:2"}
"""Stands for the environment, which is ours: the form of the result."""


class SourceNotSetError(InvalidInputError):
    """Raised when the operator gave no address for a source that a manifest names."""

    code = "source_not_set"


class SqlKind:
    """``sql = "query.sql"`` and ``source``: one output, the rows."""

    name = "sql"

    def params(self, tree: Tree, manifest: Manifest, spec: StageSpec) -> tuple[str, ...]:
        """Return what the query binds."""
        del manifest
        return sql_binds(read_sql(tree, str(spec.sql)))

    def check(self, look: Look) -> None:
        """Note a source or query that is missing, and binds that are no parameters."""
        _check_source(look)
        _check_query(look)
        _check_covers(look)

    def define(self, situation: "Situation", stage: str) -> Definition:
        """Return the text of the query, and the source.

        A source is known by its name and by the variable that holds its address; the address
        itself is a secret.
        """
        spec = situation.manifest.stage(stage)
        text = situation.checkout.tree.read(str(spec.sql)).decode("utf-8-sig")
        told = hashlib.sha256(text.encode()).hexdigest()
        source = situation.manifest.sources[str(spec.source)]
        keyed: dict[str, object] = {"text": told, "source": spec.source, "address": source.url_env}
        keyed |= _said_of_completeness(spec, source)
        files = [{"path": spec.sql, "exact": told, "semantic": told}]
        return Definition(keyed, {**keyed, "files": files}, dict(_TABLE_FORMAT), {"text": text})

    def job(self, execution: Execution) -> SqlJob:
        """Return the reading of the query's rows."""
        step, situation = execution.step, execution.situation
        url = _source_url(execution, str(execution.spec.source))
        source = situation.manifest.sources[str(execution.spec.source)]
        most = execution.installation.limits.run_seconds
        return SqlJob(
            workplace=str(execution.place.root),
            url=url,
            text=str(step.definition.content["text"]),
            params=situation.typed(step.params),
            source=str(execution.spec.source),
            seconds=min(execution.spec.timeout or most, most),
            covers=execution.spec.covers,
            timezone=source.timezone,
            freshness=source.freshness,
        )


def _said_of_completeness(spec: StageSpec, source: SourceSpec) -> dict[str, object]:
    """Return what goes into the key of what makes rows complete, where anything is said.

    Rows that were read when nobody asked whether the day is over must not stand for those of
    a stage that does ask.
    """
    said: dict[str, object] = {}
    if source.timezone != "UTC":
        said["timezone"] = source.timezone
    if spec.covers is not None:
        said |= {"covers": spec.covers, "freshness": source.freshness}
    return said


def read_sql(tree: Tree, path: str) -> str:
    """Return the text of the SQL file at *path*; raise SignatureError if it cannot be read."""
    try:
        return tree.read(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SignatureError(f"{path} is not UTF-8 (byte {error.start}).") from None
    except ProvenoteError as error:
        raise SignatureError(error.message, error.hint) from None


def _source_url(execution: Execution, source: str) -> str:
    variable = execution.situation.manifest.sources[source].url_env
    url = execution.installation.source_urls.by_variable.get(variable)
    if not url:
        raise SourceNotSetError(
            f"Source {source} is read from the address in {variable}, which is not set.",
            f"Start provenote with {variable}=… (SQLAlchemy's form, such as sqlite:////data/x.db).",
        )
    return url


def _check_source(look: Look) -> None:
    source, known = look.spec.source, look.known["sources"]
    if source is None:
        look.wrong("source", "an SQL stage needs a source.", f"The sources: {listed(known)}.")
    elif source not in known:
        hint = did_you_mean(source, known) or f"The sources: {listed(known)}."
        look.wrong("source", f"no source {shown(source)}.", hint)
    if look.spec.inputs:
        look.wrong("inputs", "an SQL stage reads from its source; it has no inputs.")
    if look.spec.outputs is not None:
        look.wrong("outputs", "an SQL stage has one output, the rows it reads.")


def _check_query(look: Look) -> None:
    path = str(look.spec.sql)
    if path not in look.tree.files:
        queries = sorted(item for item in look.tree.files if item.endswith(".sql"))
        hint = did_you_mean(path, queries)
        look.wrong("sql", f"{shown(path)} is not in the project.", hint)
        return
    try:
        binds = sql_binds(read_sql(look.tree, path))
    except SignatureError as error:
        look.wrong("sql", error.message, error.hint)
        return
    for bind in binds:
        if bind not in look.params:
            hint = did_you_mean(bind, look.params) or f"Declare it: [params.{bind}]."
            message = f"{path} binds :{bind}, but the parameters are: {listed(look.params)}."
            look.wrong("sql", message, hint)
    for item in look.spec.params or ():
        if item not in binds and item in look.known["params"]:
            hint = did_you_mean(item, binds) or f"Its binds: {listed(binds)}."
            look.wrong("params", f"{path} does not bind :{item}.", hint)


def _check_covers(look: Look) -> None:
    from pipeline.schema import shared_parameter  # it asks the kinds for their parameters

    covers, path = look.spec.covers, str(look.spec.sql)
    if covers is None or path not in look.tree.files:
        return
    try:
        taken = look.spec.params or sql_binds(read_sql(look.tree, path))
        declared = look.manifest.params.get(covers)
        found = shared_parameter(covers, declared).type if declared else "date"
    except (SignatureError, ParameterError):
        return  # that is told where it stands
    if covers not in taken:
        hint = did_you_mean(covers, taken) or f"It takes: {listed(taken)}."
        look.wrong("covers", f"the stage takes no parameter {shown(covers)}.", hint)
    elif found != "date":
        hint = f'Say [params.{covers}] type = "date", or leave covers out.'
        look.wrong("covers", f"{covers} is of type {found}, expected a date.", hint)
