"""The page that walks backwards: which reports stand on this?"""

from flask import render_template, request

from app.current import installation
from app.explained import wanted_thing
from provenance.errors import NotFoundError
from provenance.ledger.queries.projects import all_projects
from provenance.ledger.queries.used_by import places_of
from provenance.ledger.queries.used_by import used_by as find_users
from provenance.ledger.queries.used_things import THINGS, UsedBy, Wanted

BATCHES = 5
"""Batches made from the thing that are named; the others are counted."""


def used_by() -> tuple[str, int]:
    """Show what stands on the thing that the address names; without one, the form that asks."""
    named = {kind: request.args.get(kind) for kind in (*THINGS, "project")}
    if (kind := request.args.get("kind")) in THINGS and request.args.get("name"):
        named = {kind: request.args["name"], "project": named["project"]}
    asked = any(named[kind] for kind in THINGS if kind in named)
    wanted = wanted_thing(named) if asked else None
    with installation().ledger.reading() as session:
        projects = [project.name for project in all_projects(session)]
        found, unknown, places = None, None, dict[str, str]()
        if wanted is not None:
            try:
                found = find_users(session, wanted)
                places = places_of(session, found.batches[:BATCHES])
            except NotFoundError as error:
                unknown = error
    page = _page(wanted, found, unknown, projects, places)
    return page, 404 if unknown else 200


def _page(
    wanted: Wanted | None,
    found: UsedBy | None,
    unknown: NotFoundError | None,
    projects: list[str],
    places: dict[str, str],
) -> str:
    return render_template(
        "archive/used_by.html",
        wanted=wanted,
        found=found,
        places=places,
        unknown=unknown,
        projects=projects,
        kinds=THINGS,
    )
