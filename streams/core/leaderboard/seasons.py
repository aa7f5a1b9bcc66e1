"""Seasons: contests with a fixed start and end, a frozen entry list and a hashed final board.

Traders enter until the start; then the list is frozen. After each closed day the entries are
scored, a few each tick, by the lower bound of their Sharpe ratio over the season's days: a lucky
last trade widens the error more than it lifts the mean, so a lottery does not pay. Until the last
day this gives the standings. The final board is an event with the digest of its text, which
anybody can compute again.

Days are UTC days of market time; a season holds its first day and ends before its last.

Source: domain.md, section 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from itertools import islice, pairwise

from streams.core.commands import EnterSeason, OpenSeason
from streams.core.context import Context, Deciders, Decision, Evolvers, Refusal
from streams.core.events import (
    SeasonClosed,
    SeasonEntered,
    SeasonOpened,
    SeasonScored,
    SeasonStarted,
    SeasonStood,
)
from streams.core.integrity.flags import is_excluded
from streams.core.leaderboard.keys import VALUE_MICRO, VALUE_MICRO_MAX
from streams.core.limits import SEASON_ENTRIES_MAX, SEASONS_MAX
from streams.core.market_clock import day_of
from streams.core.performance.moments import Moments
from streams.core.performance.periods import RESOLUTION
from streams.core.performance.sharpe import lower_bound
from streams.core.reasons import Reason
from streams.core.state import Season, State, Trader


OPEN, RUNNING, SCORING, CLOSED = "OPEN", "RUNNING", "SCORING", "CLOSED"

SCORED_PER_TICK_MAX = 20
"""Entries scored on one tick: about a millisecond of work."""

SEASON_DAYS_MIN = 2
"""Shortest season: a Sharpe ratio needs two returns."""


def decide_open_season(ctx: Context, command: OpenSeason) -> Decision:
    """Announce a season.

    Checks in order: NOT_ALLOWED, SEASON_EXISTS, INVALID_SETTINGS (days), LIMIT_REACHED.
    """
    state = ctx.state
    if not ctx.privileged:
        return Refusal(Reason.NOT_ALLOWED, "only services open seasons")
    if command.season in state.seasons:
        return Refusal(Reason.SEASON_EXISTS, f"there is a season {command.season}", "season")
    at_us = ctx.time(0)
    if command.start_day <= day_of(at_us):
        return Refusal(
            Reason.INVALID_SETTINGS,
            f"expected a first day after day {day_of(at_us)}, was {command.start_day}",
            "start",
        )
    if command.end_day < command.start_day + SEASON_DAYS_MIN:
        return Refusal(
            Reason.INVALID_SETTINGS,
            f"expected at least {SEASON_DAYS_MIN} days, were {command.end_day - command.start_day}",
            "end",
        )
    if len(state.seasons) >= SEASONS_MAX:
        return Refusal(Reason.LIMIT_REACHED, f"expected at most {SEASONS_MAX} seasons")
    ctx.emit(SeasonOpened(command.season, command.name, command.start_day, command.end_day, at_us))
    return command.season


def decide_enter_season(ctx: Context, command: EnterSeason) -> Decision:
    """Enter a season; entering again changes nothing.

    Checks in order: UNKNOWN_TRADER, UNKNOWN_SEASON, SEASON_FROZEN, LIMIT_REACHED.
    """
    state = ctx.state
    if ctx.principal not in state.traders:
        return Refusal(Reason.UNKNOWN_TRADER, f"no trader {ctx.principal}")
    season = state.seasons.get(command.season)
    if season is None:
        return Refusal(Reason.UNKNOWN_SEASON, f"no season {command.season}", "season")
    if ctx.principal in season.entries:
        return season.season
    at_us = ctx.time(0)
    if season.status != OPEN or day_of(at_us) >= season.start_day:
        return Refusal(
            Reason.SEASON_FROZEN, f"expected a season that is OPEN, was {season.status}", "season"
        )
    if len(season.entries) >= SEASON_ENTRIES_MAX:
        return Refusal(Reason.LIMIT_REACHED, f"expected at most {SEASON_ENTRIES_MAX} entries")
    ctx.emit(SeasonEntered(season.season, ctx.principal, at_us))
    return season.season


def advance_seasons(ctx: Context) -> None:
    """Start, score and close seasons whose time has come; called on ticks.

    A season that runs is scored after each closed day, as it is at its end.
    """
    state = ctx.state
    today, at_us = day_of(state.market_at_us), state.market_at_us
    for name in list(state.seasons_running):
        season = state.seasons[name]
        if season.status == OPEN and today >= season.start_day:
            ctx.emit(SeasonStarted(season.season, len(season.entries), at_us))
        if season.status == OPEN:
            continue
        if today >= season.end_day:
            if _score(ctx, season, season.end_day - 1, at_us):
                rows = ranked_rows(state, season)
                ctx.emit(SeasonClosed(season.season, rows, board_digest(rows), at_us))
        elif _is_due(season, state.closed_day) and _score(ctx, season, state.closed_day, at_us):
            rows = ranked_rows(state, season)
            ctx.emit(SeasonStood(season.season, state.closed_day, rows, at_us))


def _is_due(season: Season, closed_day: int) -> bool:
    """Whether the newest closed day is one of the season's that has no standings yet."""
    return closed_day >= season.start_day and closed_day != season.stood_day


def _score(ctx: Context, season: Season, day: int, at_us: int) -> bool:
    """Score the next entries by the days up to one; return whether all have been."""
    state = ctx.state
    begin = len(season.scores) if season.scored_day == day else 0
    scores = [
        None if is_excluded(state, name) else season_score(state.traders[name], season)
        for name in islice(season.entries, begin, begin + SCORED_PER_TICK_MAX)
    ]
    ctx.emit(SeasonScored(season.season, scores, at_us, day))
    return len(season.scores) == len(season.entries)


def season_score(trader: Trader, season: Season) -> int | None:
    """Return the lower bound of the Sharpe ratio over a season's days, in millionths.

    None when it is not defined: too few days, or returns that do not vary.
    """
    days = [day for day in trader.track.days if day.day < season.end_day]
    begin = next((at for at, day in enumerate(days) if day.day >= season.start_day), len(days))
    inside = days[max(begin - 1, 0) :]
    returns = [
        after.unit_ppb / before.unit_ppb - 1.0
        for before, after in pairwise(inside)
        if before.unit_ppb > 0
    ]
    bound = lower_bound(Moments.of(returns), resolution=RESOLUTION)
    if not isinstance(bound, float):
        return None
    return min(max(round(bound * VALUE_MICRO), -VALUE_MICRO_MAX), VALUE_MICRO_MAX)


def ranked_rows(state: State, season: Season) -> list[tuple[str, int | None]]:
    """Return (trader, score in millionths) by rank; who has no score comes last."""
    scored = zip(season.entries, season.scores, strict=True)

    def place(row: tuple[str, int | None]) -> tuple[bool, int, int, int, str]:
        trader = state.traders[row[0]]
        score = row[1] if row[1] is not None else 0
        first = trader.track.first_fill_us
        return row[1] is None, -score, first, trader.joined_at_us, trader.trader

    return sorted(scored, key=place)


def board_digest(rows: Sequence[tuple[str, int | None]]) -> str:
    """Return the digest of a final board: BLAKE2b, 16 bytes, in hexadecimal.

    Over `rank:trader:score` joined by `|`, the score in millionths or `-`.
    """
    lines = (
        f"{rank}:{trader}:{'-' if score is None else score}"
        for rank, (trader, score) in enumerate(rows, 1)
    )
    return blake2b("|".join(lines).encode(), digest_size=16).hexdigest()


def evolve_season_opened(state: State, event: SeasonOpened) -> None:
    """Make the season known."""
    season = Season(event.season, event.name, event.start_day, event.end_day, OPEN)
    state.seasons[event.season] = season
    state.seasons_running[event.season] = None


def evolve_season_entered(state: State, event: SeasonEntered) -> None:
    """Put the trader on the entry list."""
    state.seasons[event.season].entries[event.trader] = None


def evolve_season_started(state: State, event: SeasonStarted) -> None:
    """Freeze the entry list."""
    state.seasons[event.season].status = RUNNING


def evolve_season_scored(state: State, event: SeasonScored) -> None:
    """Keep the scores of the next entries; those of another day are worth nothing."""
    season = state.seasons[event.season]
    if season.scored_day != event.day:
        season.scored_day, season.scores = event.day, []
    if event.day == season.end_day - 1:
        season.status = SCORING
    season.scores.extend(event.scores)


def evolve_season_stood(state: State, event: SeasonStood) -> None:
    """Keep how the season stands."""
    season = state.seasons[event.season]
    season.rows, season.stood_day = event.rows, event.day


def evolve_season_closed(state: State, event: SeasonClosed) -> None:
    """Keep the final board and its digest."""
    season = state.seasons[event.season]
    del state.seasons_running[event.season]
    season.status, season.rows, season.digest = CLOSED, event.rows, event.digest
    season.closed_at_us = event.at_us


DECIDERS: Deciders = {OpenSeason: decide_open_season, EnterSeason: decide_enter_season}
EVOLVERS: Evolvers = {
    SeasonOpened: evolve_season_opened,
    SeasonEntered: evolve_season_entered,
    SeasonStarted: evolve_season_started,
    SeasonScored: evolve_season_scored,
    SeasonStood: evolve_season_stood,
    SeasonClosed: evolve_season_closed,
}
