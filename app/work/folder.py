"""A folder as broker: kombu's file system transport, made to outlive what befalls the folder.

Kombu's own ends its worker when the folder is gone, and when it reads a message that its
writer has only begun. Here each of them is a ring that was not heard: the tick rings again.
"""

import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps, loads

SCHEME = "folder"


class FolderChannel(filesystem.Channel):  # type: ignore[misc]  # kombu has no types
    """Reads and writes messages, each a file."""

    def _put(self, queue: str, payload: Any, **_: Any) -> None:
        """Write the message beside its place and rename it, so that none is read half-written."""
        name = f"{uuid.uuid1().time}_{uuid.uuid4()}.{queue}.msg"
        target = Path(self.data_folder_out, name)
        temporary = target.with_suffix(".tmp")
        try:
            temporary.write_text(dumps(payload), encoding="utf-8")
            temporary.rename(target)
        except OSError as error:
            raise ChannelError(f"The message {name} cannot be written: {error}.") from error

    def _get(self, queue: str) -> Any:
        """Return the next message; of several workers only one can rename it for itself."""
        for path in sorted(Path(self.data_folder_in).glob(f"*.{queue}.msg")):
            taken = Path(self.processed_folder, path.name)
            try:
                path.rename(taken)
                text = taken.read_text(encoding="utf-8")
                taken.unlink()
                return loads(text)
            except (OSError, ValueError):
                continue  # somebody else took it, or it is no message
        raise Empty


class FolderTransport(filesystem.Transport):  # type: ignore[misc]  # kombu has no types
    """The transport of addresses that begin with ``folder://``."""

    Channel = FolderChannel


def register() -> None:
    """Let kombu know the transport by its scheme."""
    TRANSPORT_ALIASES[SCHEME] = f"{__name__}:{FolderTransport.__name__}"
