"""What the models of a manifest's parts share: how they are read, and how they refuse."""

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError


class Spec(BaseModel):
    """A part of the manifest: it never changes, and knows its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def wrong(message: str, hint: str = "") -> PydanticCustomError:
    """Return the error that says what was found and expected; *hint* says what to do."""
    # Texts pass as values: braces in what somebody wrote must not be read as a format.
    return PydanticCustomError("wrong", "{text}", {"text": message, "hint": hint})


def kind_of(value: object) -> str:
    """Return the TOML word for the type of *value*."""
    names: tuple[tuple[type, str], ...] = (
        (bool, "a boolean"),
        (int, "an integer"),
        (float, "a float"),
        (str, "a text"),
        (dict, "a table"),
        (list, "a list"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "a date or time")
