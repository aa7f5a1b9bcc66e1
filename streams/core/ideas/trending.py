"""What is talked about now: ideas by their reactions and age, symbols by their ideas.

score = (likes x 2 + comments x 3 + shares x 5 + views x 0.1) / (hours + 2), in thousandths, with
the age in market time. The list is computed on ticks and not on reads: once a second when a
counter changed, and once a minute of market time because everything ages.

Invariants:
    * Candidates are public ideas with a reaction, at most `TRENDING_CANDIDATES_MAX`, the oldest
      leaves; older than `TRENDING_AGE_DAYS_MAX` none counts.
    * Whole numbers; equal scores are ordered by the later publication, then by id.
    * Nothing here enters a score of `scores` or a record.

Source: domain.md, sections 0 (trending) and 6 ("decays on event time, not per read").
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from streams.core import channels
from streams.core.idea_state import Idea
from streams.core.limits import (
    TRENDING_AGE_DAYS_MAX,
    TRENDING_CANDIDATES_MAX,
    TRENDING_ROWS_MAX,
)
from streams.core.market_clock import DAY_US
from streams.core.state import State


CHANNEL = "trending"

HOUR_US = 3_600_000_000
REFRESH_US = 60_000_000
"""Market time after which the list is computed again though nobody reacted."""

LIKE_TENTHS, COMMENT_TENTHS, SHARE_TENTHS, VIEW_TENTHS = 20, 30, 50, 1
"""Points of a reaction in tenths."""

AGE_US_MAX = TRENDING_AGE_DAYS_MAX * DAY_US


def points_tenths(idea: Idea) -> int:
    """Return the points of all reactions to an idea, in tenths."""
    return (
        len(idea.likes) * LIKE_TENTHS
        + len(idea.comments) * COMMENT_TENTHS
        + len(idea.shares) * SHARE_TENTHS
        + len(idea.views) * VIEW_TENTHS
    )


def score_milli(idea: Idea, now_us: int) -> int:
    """Return the trending score in thousandths at a market time, rounded down."""
    age_us = max(now_us - idea.published_at_us, 0)
    return points_tenths(idea) * 100 * HOUR_US // (age_us + 2 * HOUR_US)


def engaged(state: State, idea: Idea) -> None:
    """Note that somebody reacted to an idea. Called by `evolve_*` only."""
    state.idea_engaged[idea.idea] = None
    trending = state.trending
    trending.changed = True
    if idea.idea not in trending.candidates:
        if len(trending.candidates) >= TRENDING_CANDIDATES_MAX:
            del trending.candidates[next(iter(trending.candidates))]
        trending.candidates[idea.idea] = None


def refresh(state: State) -> None:
    """Compute the list again if it may have changed. Called on the tick of each second."""
    trending, now_us = state.trending, state.market_at_us
    if not trending.candidates:
        return
    if not trending.changed and now_us - trending.computed_at_us < REFRESH_US:
        return
    trending.changed, trending.computed_at_us = False, now_us
    scored: list[tuple[int, int, str, str]] = []
    for name in list(trending.candidates):
        idea = state.ideas.get(name)
        if idea is None or now_us - idea.published_at_us > AGE_US_MAX or not points_tenths(idea):
            del trending.candidates[name]
        else:
            scored.append((score_milli(idea, now_us), idea.published_at_us, name, idea.symbol))
    scored.sort(reverse=True)
    by_symbol: dict[str, int] = {}
    for score, _, _, symbol in scored:
        by_symbol[symbol] = by_symbol.get(symbol, 0) + score
    symbols = sorted(by_symbol.items(), key=lambda each: (-each[1], each[0]))
    _publish(
        state,
        {name: score for score, _, name, _ in scored[:TRENDING_ROWS_MAX]},
        dict(symbols[:TRENDING_ROWS_MAX]),
    )


def _publish(state: State, ideas: dict[str, int], symbols: dict[str, int]) -> None:
    trending = state.trending
    rows = [
        *_changed("i", trending.ideas, ideas),
        *_changed("s", trending.symbols, symbols),
    ]
    trending.ideas, trending.symbols = ideas, symbols
    channels.touch_rows(state, CHANNEL, rows)


def _changed(kind: str, before: dict[str, int], after: dict[str, int]) -> list[str]:
    changed = [f"{kind}{name}" for name, score in after.items() if before.get(name) != score]
    return changed + [f"{kind}{name}" for name in before if name not in after]


def delta(state: State, _: str, keys: Iterable[int | str]) -> dict[str, Any]:
    """Return the rows of changed ideas and symbols: `[name, score]`, score 0 = left the list."""
    trending = state.trending
    rows: dict[str, list[list[Any]]] = {"ideas": [], "symbols": []}
    for key in keys:
        kind, name = str(key)[0], str(key)[1:]
        if kind == "i":
            rows["ideas"].append(_idea_row(state, name, trending.ideas.get(name, 0)))
        else:
            rows["symbols"].append([name, trending.symbols.get(name, 0) / 1000])
    return rows


def snapshot(state: State, _: str = "") -> dict[str, Any]:
    """Return the whole list, best first."""
    trending = state.trending
    return {
        "ideas": [_idea_row(state, name, score) for name, score in trending.ideas.items()],
        "symbols": [[name, score / 1000] for name, score in trending.symbols.items()],
    }


def _idea_row(state: State, name: str, score: int) -> list[Any]:
    idea = state.ideas.get(name)
    return [name, score / 1000, None if idea is None else idea.symbol]
