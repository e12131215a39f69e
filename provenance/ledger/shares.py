"""Making, finding and revoking links to one report; functions never commit."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from provenance.errors import GoneError, InvalidInputError, NotFoundError
from provenance.ledger.columns import utc_now
from provenance.ledger.finding import find_run
from provenance.ledger.ids import new_id
from provenance.ledger.share_tables import Share

LONGEST = timedelta(days=366)
MOST_SHOWN = 50
_RANDOM_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
"""32 random bytes, as `secrets.token_urlsafe` writes them."""


class NothingToShareError(InvalidInputError):
    """Raised when a link is asked for to a run that has no page."""

    code = "nothing_to_share"


class ShareEndError(InvalidInputError):
    """Raised when a link would end in the past, or too far away."""

    code = "share_end"


class UnknownShareError(NotFoundError):
    """Raised when there is no such link."""

    code = "unknown_share"


class EndedShareError(GoneError):
    """Raised when a link has ended, by itself or by somebody's hand."""

    code = "ended_share"


def make_share(session: Session, run_id: str, ends: datetime, actor: str) -> tuple[Share, str]:
    """Write a link to a run's report, and return it with its token, which is told this once.

    Raises UnknownRunError, NothingToShareError, ShareEndError.
    """
    if find_run(session, run_id).html is None:
        raise NothingToShareError(
            f"Run {run_id} has no page that could be shared.", "Wait until it has ended."
        )
    now = utc_now()
    if not now < ends <= now + LONGEST:
        raise ShareEndError(
            f"The link would end at {ends:%Y-%m-%d %H:%M} UTC; it is {now:%Y-%m-%d %H:%M} UTC now.",
            f"Choose a moment to come, at most {LONGEST.days} days away.",
        )
    token = secrets.token_urlsafe(_RANDOM_BYTES)
    row = Share(
        id=new_id("share"), token_sha256=_digest(token), run_id=run_id, actor=actor, ends_at=ends
    )
    session.add(row)
    session.flush()
    return row, token


def share_of_token(session: Session, token: str) -> Share:
    """Return the link that has this token; raise UnknownShareError, EndedShareError.

    What is asked for is the token's digest: how long the answer takes tells nothing of others.
    """
    query = select(Share).where(Share.token_sha256 == _digest(token))
    found = session.scalar(query) if _TOKEN.fullmatch(token) else None
    if found is None:
        raise UnknownShareError(
            "No report is shared at this address.", "Was the link copied as a whole?"
        )
    if (ended := found.ended_at) is not None:
        how = "It was revoked" if found.revoked_at is not None else "It ended"
        raise EndedShareError(
            f"This link no longer opens its report. {how} at {ended:%Y-%m-%d %H:%M} UTC.",
            "Ask whoever gave it to you for another one.",
        )
    return found


def shares_of(session: Session, run_id: str) -> Sequence[Share]:
    """Return the links to a run's report, the newest first; no more than a page shows."""
    query = select(Share).where(Share.run_id == run_id).order_by(Share.id.desc())
    return session.scalars(query.limit(MOST_SHOWN)).all()


def revoke_share(session: Session, share_id: str, actor: str) -> Share:
    """End a link now; one that has ended stays as it is. Raises UnknownShareError."""
    found = session.get(Share, share_id)
    if found is None:
        raise UnknownShareError(
            f"There is no link {share_id[:60]!r}.", "`provenote share RUN --list` names them."
        )
    if found.ended_at is None:
        still = Share.id == share_id, Share.revoked_at.is_(None)
        ended = {"revoked_at": utc_now(), "revoked_by": actor}
        session.execute(update(Share).where(*still).values(**ended))
        session.refresh(found)
    return found


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
