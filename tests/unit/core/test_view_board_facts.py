"""How flags and seasons look to those who listen."""

from __future__ import annotations

from typing import Any

import pytest

from streams.core.events import (
    Event,
    FlagCleared,
    SeasonClosed,
    SeasonOpened,
    SeasonStarted,
    TraderFlagged,
)
from streams.core.state import State
from streams.core.view import event_data
from tests.unit.core.support import START_US


NOON = "2026-02-01T12:00:00.000000Z"


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (
            TraderFlagged("t_a", "MARTINGALE", "red", {"ratio_ppm": 2_000_000}, START_US),
            {
                "type": "trader_flagged",
                "trader": "t_a",
                "flag": "MARTINGALE",
                "level": "red",
                "evidence": {"ratio_ppm": 2_000_000},
                "at": NOON,
            },
        ),
        (
            FlagCleared("t_a", "DORMANT", "notice", START_US),
            {
                "type": "flag_cleared",
                "trader": "t_a",
                "flag": "DORMANT",
                "level": "notice",
                "at": NOON,
            },
        ),
        (
            SeasonOpened("s1", "Spring", 20_486, 20_514, START_US),
            {
                "type": "season_opened",
                "season": "s1",
                "name": "Spring",
                "start": "2026-02-02T00:00:00.000000Z",
                "end": "2026-03-02T00:00:00.000000Z",
                "at": NOON,
            },
        ),
        (
            SeasonStarted("s1", 12, START_US),
            {"type": "season_started", "season": "s1", "entries": 12, "at": NOON},
        ),
        (
            SeasonClosed("s1", [("t_a", 1_500_000), ("t_b", None)], "digest", START_US),
            {
                "type": "season_closed",
                "season": "s1",
                "digest": "digest",
                "rows": [
                    {"rank": 1, "trader": "t_a", "score": 1.5, "score_micro": 1_500_000},
                    {"rank": 2, "trader": "t_b", "score": None, "score_micro": None},
                ],
                "at": NOON,
            },
        ),
    ],
)
def test_data_of_an_event(event: Event, data: dict[str, Any]) -> None:
    assert event_data(State(), event) == data
