"""A folder as broker: kombu's file system transport, made to outlive what befalls the folder.

Kombu's own ends its worker when the folder is gone, and when it reads a message that its
writer has only begun. Here each of them is a ring that was not heard: the tick rings again.
"""

import contextlib
import os
import select
import time
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
        Bell(Path(self.data_folder_out)).ring()

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


class Bell:
    """A pipe beside the folder, by which a writer wakes a reader that would look a little later."""

    def __init__(self, folder: Path) -> None:
        self._path = folder.parent / "bell"
        self._heard: tuple[int, tuple[int, int]] | None = None

    def ring(self) -> None:
        """Wake one reader; where nobody listens nothing happens."""
        with contextlib.suppress(OSError):
            pipe = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK)
            try:
                os.write(pipe, b".")
            finally:
                os.close(pipe)

    def listen(self, seconds: float) -> None:
        """Wait until somebody rings, for at most *seconds*."""
        try:
            pipe = self._pipe()
            if select.select([pipe], [], [], seconds)[0]:
                os.read(pipe, 1)
        except OSError:
            time.sleep(seconds)

    def _pipe(self) -> int:
        """Return the open pipe; made anew where somebody has removed it with its folder."""
        if not self._path.exists():
            os.mkfifo(self._path, 0o600)
        told = self._path.stat()
        inode = (told.st_dev, told.st_ino)
        if self._heard is not None and self._heard[1] != inode:
            os.close(self._heard[0])
            self._heard = None
        if self._heard is None:
            # For writing too: else it would be at its end whenever nobody writes.
            self._heard = os.open(self._path, os.O_RDWR | os.O_NONBLOCK), inode
        return self._heard[0]

    def close(self) -> None:
        """Listen no longer."""
        if self._heard is not None:
            os.close(self._heard[0])
            self._heard = None


class FolderTransport(filesystem.Transport):  # type: ignore[misc]  # kombu has no types
    """The transport of addresses that begin with ``folder://``."""

    Channel = FolderChannel
    _bell: Bell | None = None

    def drain_events(self, connection: Any, timeout: float | None = None) -> None:
        """Deliver the next message; as kombu's, but a bell ends the pause between two looks."""
        until = time.monotonic() + timeout if timeout is not None else None
        if self._bell is None:
            self._bell = Bell(Path(connection.client.transport_options["data_folder_in"]))
        while True:
            try:
                self.cycle.get(self._deliver, timeout=timeout)
            except Empty:
                left = self.polling_interval if until is None else until - time.monotonic()
                if left <= 0:
                    raise TimeoutError from None
                self._bell.listen(min(left, self.polling_interval))
            else:
                return

    def close_connection(self, connection: Any) -> None:
        """Close the connection, and the bell."""
        if self._bell is not None:
            self._bell.close()
            self._bell = None
        super().close_connection(connection)


def register() -> None:
    """Let kombu know the transport by its scheme."""
    TRANSPORT_ALIASES[SCHEME] = f"{__name__}:{FolderTransport.__name__}"
