"""Become a server: give up privileges, tie our life to the owner's, replace this program.

Run as `python -I -S launch.py OWNER_PID DEATH_SIGNAL UID:GID PROGRAM [ARGUMENT ...]`, where
`UID:GID` is `-` to keep the account. It is a program of its own, and not a `preexec_fn`, because
code between fork and exec in a process with threads may deadlock. Standard library only.

Order matters: the kernel forgets the death signal when the account changes, so it is asked for
after that; and the owner may die before the request, so its pid is compared afterwards.
"""

from __future__ import annotations

import ctypes
import os
import sys


PR_SET_PDEATHSIG = 1
EXIT_CANNOT_LAUNCH = 71


def drop_privileges(account: str) -> None:
    """Become `UID:GID` without supplementary groups; `-` keeps the present account."""
    if account == "-":
        return
    uid, gid = (int(part) for part in account.split(":"))
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with_owner(owner_pid: int, death_signal: int) -> None:
    """Ask the kernel for `death_signal` at the death of the owner (Linux only)."""
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    if os.getppid() != owner_pid:
        sys.exit(EXIT_CANNOT_LAUNCH)


def main(arguments: list[str]) -> None:
    """Replace this process by the server named in the arguments."""
    owner_pid, death_signal, account, *command = arguments
    os.umask(0o077)
    try:
        drop_privileges(account)
        die_with_owner(int(owner_pid), int(death_signal))
        os.execv(command[0], command)  # noqa: S606 - no shell is the point
    except OSError as error:
        sys.stderr.write(f"cannot launch {command[0]} as account {account}: {error}\n")
        sys.exit(EXIT_CANNOT_LAUNCH)


if __name__ == "__main__":
    main(sys.argv[1:])
