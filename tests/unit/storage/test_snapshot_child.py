"""The child that encodes a snapshot holds nothing of its parent but the pipe."""

from __future__ import annotations

import os
import socket

import pytest

from storage import snapshotter
from streams.core.state import State


def links_of_this_process(_: State) -> bytes:
    """Return what the descriptors above the standard ones lead to, a line each."""
    links = []
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - its own descriptor is gone after it
        try:
            links.append(os.readlink(f"/proc/self/fd/{name}") if int(name) > 2 else "")  # noqa: PTH115
        except FileNotFoundError:
            continue
    return "\n".join(filter(None, links)).encode()


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")  # noqa: PTH112
def test_child_holds_no_port_and_no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshotter, "snapshot", links_of_this_process)
    with socket.create_server(("127.0.0.1", 0)):
        child, reading = snapshotter.fork_snapshot(State())
        with os.fdopen(reading, "rb") as pipe:
            (held,) = pipe.read().decode().splitlines()
        _, status = os.waitpid(child, 0)
    assert status == 0
    assert held.startswith("pipe:")
