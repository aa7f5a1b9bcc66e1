"""Events of boards, seasons and detectors as clients see them: see `facts`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.core.events import (
    Event,
    FlagCleared,
    SeasonClosed,
    SeasonOpened,
    SeasonStarted,
    SeasonStood,
    TraderFlagged,
)
from streams.core.leaderboard.keys import VALUE_MICRO
from streams.core.limits import BOARD_ROWS_STREAMED_MAX
from streams.core.market_clock import DAY_US
from streams.core.state import State
from streams.core.view.fairness import date_of
from streams.core.view.values import format_time


Data = dict[str, Any]


def _trader_flagged(_: State, event: TraderFlagged) -> Data:
    return {
        "type": "trader_flagged",
        "trader": event.trader,
        "flag": event.flag,
        "level": event.level,
        "evidence": event.evidence,
        "at": format_time(event.at_us),
    }


def _flag_cleared(_: State, event: FlagCleared) -> Data:
    return {
        "type": "flag_cleared",
        "trader": event.trader,
        "flag": event.flag,
        "level": event.level,
        "at": format_time(event.at_us),
    }


def _season_opened(_: State, event: SeasonOpened) -> Data:
    return {
        "type": "season_opened",
        "season": event.season,
        "name": event.name,
        "start": format_time(event.start_day * DAY_US),
        "end": format_time(event.end_day * DAY_US),
        "at": format_time(event.at_us),
    }


def _season_started(_: State, event: SeasonStarted) -> Data:
    return {
        "type": "season_started",
        "season": event.season,
        "entries": event.entries,
        "at": format_time(event.at_us),
    }


def _season_closed(_: State, event: SeasonClosed) -> Data:
    return {
        "type": "season_closed",
        "season": event.season,
        "digest": event.digest,
        "rows": season_rows(event.rows),
        "at": format_time(event.at_us),
    }


def _season_stood(_: State, event: SeasonStood) -> Data:
    return {
        "type": "season_stood",
        "season": event.season,
        "day": date_of(event.day),
        "entries": len(event.rows),
        "rows": season_rows(event.rows[:BOARD_ROWS_STREAMED_MAX]),
        "at": format_time(event.at_us),
    }


def season_rows(rows: list[tuple[str, int | None]]) -> list[Data]:
    """Return a season's board; a score that is not defined is null."""
    return [
        {
            "rank": rank,
            "trader": trader,
            "score": None if score is None else score / VALUE_MICRO,
            "score_micro": score,
        }
        for rank, (trader, score) in enumerate(rows, 1)
    ]


RENDERERS: dict[type[Event], Callable[[State, Any], Data]] = {
    TraderFlagged: _trader_flagged,
    FlagCleared: _flag_cleared,
    SeasonOpened: _season_opened,
    SeasonStarted: _season_started,
    SeasonClosed: _season_closed,
    SeasonStood: _season_stood,
}
"""How each event becomes data."""
