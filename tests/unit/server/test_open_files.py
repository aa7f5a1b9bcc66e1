"""The limit of open files is raised to what the sockets need, never lowered."""

from __future__ import annotations

import subprocess
import sys

import pytest


PROGRAM = """
import resource, sys
from server.open_files import FILES_BESIDE_SOCKETS, make_room
soft, hard, sockets = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
limit = make_room(sockets)
now = resource.getrlimit(resource.RLIMIT_NOFILE)
print("limits", limit - FILES_BESIDE_SOCKETS, now[0] - FILES_BESIDE_SOCKETS, now[1])
"""


@pytest.mark.parametrize(
    ("soft", "hard", "sockets", "expected", "told"),
    [
        (256, 4_096, 1_000, 1_000, False),
        (2_000, 4_096, 1_000, 1_488, False),
        (256, 1_112, 1_000, 600, True),
    ],
    ids=["raised", "enough", "as far as allowed"],
)
def test_there_is_room_for_the_sockets(
    soft: int, hard: int, sockets: int, expected: int, told: bool
) -> None:
    arguments = [sys.executable, "-c", PROGRAM, str(soft), str(hard), str(sockets)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert f"limits {expected} {expected} {hard}" in done.stdout
    assert told == ("open_files_few" in done.stdout)
