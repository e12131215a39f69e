"""The feed of a report: its runs as they end, for readers of Atom (RFC 4287)."""

import re

from flask import Response, render_template, request

from app.current import installation
from provenance.ledger.queries.cases import case_names
from provenance.ledger.queries.history import Filter, report_history
from provenance.ledger.queries.projects import known_report, project_named

_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def feed(project: str, report: str) -> Response:
    """Send the newest runs that have ended; of one case with ``?case=``, of one ``?branch=``."""
    with installation().ledger.reading() as session:
        found = project_named(session, project)
        name = known_report(session, found, report)
        wanted = Filter(
            found.id, name, request.args.get("case") or None, request.args.get("branch") or None
        )
        rows = report_history(session, wanted).rows
        names = case_names(session, [(found.id, name)])
    text = render_template(
        "archive/feed.xml",
        base=installation().base_url.rstrip("/"),
        project=found,
        report=name,
        rows=[row for row in rows if row.run.over],
        case_name=names,
    )
    response = Response(_NOT_IN_XML.sub("", text), content_type="application/atom+xml")
    response.add_etag()
    response.make_conditional(request)
    return response
