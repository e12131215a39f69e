"""Namespaces of the kernel: what code that runs in them can see and reach of the machine.

Called between forks, in processes of one thread. Each function raises OSError where the kernel,
or the container around us, does not allow it.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_USER, _PID, _MOUNT, _NETWORK, _IPC = 0x10000000, 0x20000000, 0x00020000, 0x40000000, 0x08000000
_NOSUID, _NODEV, _NOEXEC, _READ_ONLY = 2, 4, 8, 1
_REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 32, 4096, 16384, 1 << 18
_KEPT_FLAGS = {os.ST_NOSUID: 2, os.ST_NODEV: 4, os.ST_NOEXEC: 8, os.ST_NOATIME: 1 << 10}
_KEPT_FLAGS |= {os.ST_NODIRATIME: 1 << 11, os.ST_RELATIME: 1 << 21}
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _AMBIENT_CLEAR = 24, 38, 47, 4
_CAPABILITY_VERSION = 0x20080522
_MOST_CAPABILITIES = 64
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1
_SHM = "/dev/shm"  # noqa: S108 - POSIX has it there


@dataclass(frozen=True)
class Cover:
    """What is covered of the file system, and which parts of that can be seen all the same."""

    hide: Sequence[str]
    """Directories that look empty."""
    read: Sequence[str] = ()
    """Directories that can be read, and not written."""
    write: Sequence[str] = ()
    """Directories that can be written too."""

    @classmethod
    def read_from(cls, told: Mapping[str, Sequence[str]]) -> Cover:
        """Return the cover of a message."""
        return cls(told["hide"], told["read"], told["write"])


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


def leave_user() -> None:
    """Put this process into a user namespace, and its next children into one of processes."""
    uid, gid = os.geteuid(), os.getegid()
    _checked(_libc().unshare(_USER | _PID), "user and process namespaces")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def settle(*, network: bool) -> None:
    """Give the first process of a namespace its own view: processes, mounts, shared memory.

    Without *network* there is none but the loopback of its own.
    """
    _checked(_libc().unshare(_MOUNT | _IPC | (0 if network else _NETWORK)), "namespaces")
    _mount("", "/", "", _RECURSIVE | _PRIVATE)
    _mount("proc", "/proc", "proc", _NOSUID | _NODEV | _NOEXEC)
    if os.path.isdir(_SHM):
        _mount("shm", _SHM, "tmpfs", _NOSUID | _NODEV, "mode=1777")
    if not network:
        _raise_loopback()


def _mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    encoded = [text.encode() or None for text in (source, target, kind)]
    result = _libc().mount(*encoded, ctypes.c_ulong(flags), data.encode() or None)
    _checked(result, f"mount {target}")


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sH14s", b"lo", 0, b"")
        flags = struct.unpack("16sH14s", fcntl.ioctl(any_socket, _GET_FLAGS, asked))[1]
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sH14s", b"lo", flags | _UP, b""))


def cover(cover: Cover) -> None:
    """Cover directories for all processes of this mount namespace, also those that run already."""
    # As they are called: a link to one may itself be covered.
    shown = {os.path.abspath(path): False for path in cover.read if os.path.exists(path)}
    shown |= {os.path.abspath(path): True for path in cover.write if os.path.exists(path)}
    # What is to be shown is held before it is covered.
    held = {path: os.open(path, os.O_PATH) for path in shown}
    hidden = sorted({os.path.realpath(path) for path in cover.hide if os.path.isdir(path)})
    for path in hidden:
        if os.path.isdir(path):  # it is not there any more where one above it was covered
            _mount("hidden", path, "tmpfs", _NOSUID | _NODEV, "mode=0755,size=1m")
    for path in sorted(shown):
        _show(path, held[path], writable=shown[path])
        os.close(held[path])
    for path in hidden:
        if os.path.isdir(path):
            _read_only(path, bind=False)


def _show(path: str, held: int, *, writable: bool) -> None:
    if os.path.exists(path) and os.path.samestat(os.stat(path), os.fstat(held)):
        covered = writable and os.statvfs(path).f_flag & os.ST_RDONLY
        if not covered:
            return
    os.makedirs(path, exist_ok=True)
    _mount(f"/proc/self/fd/{held}", path, "", _BIND | _RECURSIVE)
    if not writable:
        _read_only(path, bind=True)


def _read_only(path: str, *, bind: bool) -> None:
    """Make a mount read-only; what it already forbids may not be allowed anew."""
    now = os.statvfs(path).f_flag
    kept = sum(flag for shown, flag in _KEPT_FLAGS.items() if now & shown)
    _mount("", path, "", _REMOUNT | (_BIND if bind else 0) | _READ_ONLY | kept)


def drop_privileges() -> None:
    """Give up what the namespaces' first user may do in them: what was covered stays covered."""
    libc = _libc()
    libc.prctl(_PR_CAP_AMBIENT, _AMBIENT_CLEAR, 0, 0, 0)
    for capability in range(_MOST_CAPABILITIES):
        if libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # the kernel knows no more
    header = struct.pack("Ii", _CAPABILITY_VERSION, 0)
    _checked(libc.capset(header, bytes(24)), "capabilities")
    _checked(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")


def try_all(*, network: bool) -> None:
    """Find out, in a process made for it, whether all of this works; or raise OSError."""
    leave_user()
    child = os.fork()
    if child == 0:
        try:
            settle(network=network)
            cover(Cover([os.path.expanduser("~")], ["/usr"]))
            drop_privileges()
            os._exit(0 if os.getpid() == 1 else 1)
        except OSError as error:
            os._exit(error.errno or 1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status != 0:
        raise OSError(
            max(status, 0), os.strerror(status) if status > 0 else str(signal.Signals(-status))
        )
