"""The limit of open files, raised to what the sockets of a node need.

Most systems start a process with 1,024 and allow far more. Beyond the limit no connection can be
accepted, not even to be refused with a reason, so a node asks for room at its start and says when
there is too little.
"""

from __future__ import annotations

import resource
from typing import Final

import structlog


FILES_BESIDE_SOCKETS: Final = 512
"""Open files of a node beside its sockets: pools, stores, logs, requests over REST."""


def make_room(sockets: int) -> int:
    """Raise this process's limit of open files for so many sockets, as far as the system allows.

    Args:
        sockets: that the node may hold.

    Returns:
        The limit now; it is never lowered. One that is too small is logged.
    """
    needed = sockets + FILES_BESIDE_SOCKETS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return soft
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if allowed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < needed:
        structlog.get_logger("optix.node").warning(
            "open_files_few", limit=allowed, needed=needed, sockets=sockets
        )
    return max(allowed, soft)
