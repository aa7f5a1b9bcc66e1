"""Homes of nodes, and what an uninterrupted play leads to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.market import outcome_of, play
from tests.e2e.processes import Home
from tests.support import LoopThread


class Played(Home):
    """A home whose node has played the whole day and left in order.

    Attributes:
        outcome: what the play led to.
        digest: of the state when the node left.
    """

    measured = False
    outcome: dict[str, Any]
    exit_code: int


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "state")


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """A day played without any fault. Tests may read its stores, and must leave them as found."""
    home = Played(tmp_path_factory.mktemp("undisturbed") / "state")

    async def live() -> None:
        async with home.node() as node:
            await play(home)
            home.outcome = await outcome_of(node)
            home.exit_code = await node.terminate()

    with LoopThread() as thread:
        thread.run(live())
    return home
