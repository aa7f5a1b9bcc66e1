"""The operating system account the servers run under.

PostgreSQL refuses to run as root, and no server should. Started by root, the servers run as
`postgres` when that account exists, else as `nobody`; started by a user, they run as that user.

Invariants:
    * Nothing above the state directory is ever given other permissions or another owner.
    * A directory's owner is changed once, by root, inside a parent that only root can write.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from storage.embedded.errors import StateDirUnusable


ACCOUNTS_PREFERRED = ("postgres", "nobody")
NOBODY_ID = 65534  # what Linux shows for an unmapped account; valid even without a passwd entry


class Account(NamedTuple):
    """User and group ids of an unprivileged account."""

    uid: int
    gid: int

    def can_enter(self, directory: Path) -> bool:
        """Whether the account may pass through `directory` and all directories above it."""
        resolved = directory.resolve()
        return all(self._may(part, stat.S_IXUSR) for part in (resolved, *resolved.parents))

    def can_execute(self, program: Path) -> bool:
        """Whether the account may reach and execute `program`."""
        resolved = program.resolve()
        return self.can_enter(resolved.parent) and self._may(resolved, stat.S_IXUSR)

    def _may(self, path: Path, owner_bit: int) -> bool:
        status = path.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & owner_bit)
        if status.st_gid == self.gid:
            return bool(status.st_mode & (owner_bit >> 3))
        return bool(status.st_mode & (owner_bit >> 6))


def choose_account(existing_data: list[Path]) -> Account | None:
    """Return the account for the servers, or None to keep our own.

    Data that exists decides: a server must own its data, whatever accounts were added since.

    Args:
        existing_data: data directories of earlier starts; missing ones are skipped.
    """
    if os.geteuid() != 0:
        return None
    for directory in existing_data:
        if directory.is_dir() and (owner := directory.stat()).st_uid != 0:
            return Account(owner.st_uid, owner.st_gid)
    for name in ACCOUNTS_PREFERRED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    return Account(NOBODY_ID, NOBODY_ID)


def make_server_directory(path: Path, account: Account | None) -> None:
    """Create `path` (0700) for the servers' account, or check that it is theirs.

    Raises:
        StateDirUnusable: something else is there, or it belongs to somebody else.
    """
    owner = account.uid if account is not None else os.geteuid()
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        status = path.lstat()
        if not stat.S_ISDIR(status.st_mode):
            raise StateDirUnusable(f"expected {path} to be a directory, was a file") from None
        if status.st_uid != owner:
            raise StateDirUnusable(
                f"expected {path} to belong to uid {owner}, was uid {status.st_uid}"
            ) from None
        if status.st_mode & 0o022:
            mode = stat.S_IMODE(status.st_mode)
            raise StateDirUnusable(
                f"expected {path} to be writable by its owner only, was {mode:04o}"
            ) from None
        return
    if account is not None:
        os.chown(path, account.uid, account.gid)


@contextlib.contextmanager
def reachable_by(account: Account | None, directory: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name a directory so that a child process of the account can reach it.

    A directory below a locked home (0700) cannot be reached by its path. A descriptor that the
    child inherits leads there past the directories above, and the home stays as locked as it was.
    (The working directory would do as well for PostgreSQL 16 and newer; older ones leave it.)

    Yields:
        The name to give to the child, and the descriptors it must inherit.
    """
    if account is None or account.can_enter(directory):
        yield str(directory), ()
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}", (descriptor,)
    finally:
        os.close(descriptor)
