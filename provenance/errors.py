"""The root of provenote's own exceptions."""


class ProvenoteError(Exception):
    """Raised when provenote cannot do what was asked; each subclass says when.

    ``message`` tells what was found, where, and what was expected; ``hint`` what to do.
    ``code`` is a stable word for machines. Which HTTP status or exit status an error gets
    is decided in one place, ``app.errors``, by its subclass.
    """

    code = "error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """Message and hint as one text."""
        return f"{self.message} {self.hint}".strip()


class InvalidInputError(ProvenoteError):
    """Raised when what somebody gave us is wrong: a manifest, a parameter, a request."""

    code = "invalid"


class NotFoundError(ProvenoteError):
    """Raised when something is named that does not exist."""

    code = "not_found"


class GoneError(NotFoundError):
    """Raised when something is named that was there, and has ended for good."""

    code = "gone"


class UnavailableError(ProvenoteError):
    """Raised when something outside that we depend on does not answer."""

    code = "unavailable"


class ConflictingError(ProvenoteError):
    """Raised when somebody else was faster, and what was asked for rests on what was before."""

    code = "conflict"
