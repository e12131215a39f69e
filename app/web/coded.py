"""What stands between backticks in a sentence, as pages show it."""

from markupsafe import Markup, escape


def coded(text: str) -> Markup:
    """Return *text* as markup, with what stands between two backticks as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    code = Markup("<code>{}</code>").format
    return Markup().join(code(part) if at % 2 else escape(part) for at, part in enumerate(parts))
