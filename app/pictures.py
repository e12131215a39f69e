"""Pictures of outputs as addresses that hold them, for pages that show several at once."""

import base64
import binascii

LARGEST = 4_000_000
"""Characters of a picture in base 64."""


class NoPictureError(ValueError):
    """Raised for what cannot be shown as a picture; says why."""


def image_address(media_type: str, text: str) -> str:
    """Return the picture *text*, in base 64, as a data address; raise NoPictureError."""
    compact = "".join(text.split())
    if len(compact) > LARGEST:
        raise NoPictureError("A figure too large to show here; the report has it.")
    try:
        base64.b64decode(compact, validate=True)
    except (binascii.Error, ValueError):
        raise NoPictureError(f"Content that claims to be {media_type} and is not.") from None
    return f"data:{media_type};base64,{compact}"
