"""Page templates, compiled once for all applications of a test process."""

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache


class _Memory(BytecodeCache):
    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


_memory = _Memory()


def share_templates(app: Flask) -> Flask:
    """Let *app* use the templates that others have compiled."""
    app.jinja_env.bytecode_cache = _memory
    return app
