"""Stage 7: what a copy may lose. The fixed and the trailing stop, and the limits of a day.

Invariants:
    * A stop closes everything and halts the copy; a daily limit ends openings until the next UTC
      day and leaves positions to the leader's closings.
    * A level is `base // 10_000 x (10_000 - bps)`, in whole micro-units, here and in `watch`: what
      the arrays find is what the exact rule finds, but for a micro-unit a position.

Source: domain.md, section 4.3 (copy stop, trailing stop, daily limits) and 4.4 (stage 7).
"""

from __future__ import annotations

from struct import pack_into, unpack_from

from streams.core.market_clock import DAY_US
from streams.core.money import BPS
from streams.core.reasons import Reason
from streams.core.state import Copy, CopyFigures, State


BYTES = 8
"""Bytes of one figure of a row."""


def level_micros(base_micros: int, bps: int) -> int:
    """Return the equity that is a loss of `bps` against a base."""
    return base_micros // BPS * (BPS - bps)


def figure(column: bytearray, row: int) -> int:
    """Return a copy's figure from a column of `CopyFigures`."""
    value: int = unpack_from("<q", column, row * BYTES)[0]
    return value


def set_figure(column: bytearray, row: int, micros: int) -> None:
    """Store a copy's figure. Called by `evolve_*` only."""
    pack_into("<q", column, row * BYTES, micros)


def add_row(figures: CopyFigures) -> None:
    """Make room for one more copy. Called by `evolve_*` only."""
    for column in (figures.peaks, figures.day_peaks, figures.day_starts):
        column.extend(bytes(BYTES))


def rebase(state: State, copy: Copy, equity_micros: int) -> None:
    """Measure all limits from an equity anew. Called by `evolve_*` only."""
    figures = state.copy_desk.figures
    copy.stop_base_micros = equity_micros
    copy.told_loss_bps = 0
    for column in (figures.peaks, figures.day_peaks, figures.day_starts):
        set_figure(column, copy.row, equity_micros)


def shift(state: State, copy: Copy, moved_micros: int) -> None:
    """Move all bases with a flow, so that it is neither loss nor gain. By `evolve_*` only."""
    figures = state.copy_desk.figures
    copy.stop_base_micros += moved_micros
    for column in (figures.peaks, figures.day_peaks, figures.day_starts):
        set_figure(column, copy.row, figure(column, copy.row) + moved_micros)


def stop_code(state: State, copy: Copy, equity_micros: int) -> Reason | None:
    """Return the stop that an equity has met, or None."""
    settings = copy.settings
    if equity_micros <= level_micros(copy.stop_base_micros, settings.copy_stop_bps):
        return Reason.COPY_STOP_HIT
    trailing = settings.trailing_stop_bps
    if trailing:
        peak = figure(state.copy_desk.figures.peaks, copy.row)
        if equity_micros <= level_micros(peak, trailing):
            return Reason.TRAILING_STOP_HIT
    return None


def day_code(state: State, copy: Copy, equity_micros: int) -> Reason | None:
    """Return the daily limit of profit and loss that an equity has met, or None."""
    settings, figures = copy.settings, state.copy_desk.figures
    start: int = unpack_from("<q", figures.day_starts, copy.row * BYTES)[0] // BPS
    loss, drawdown = settings.daily_loss_bps, settings.daily_drawdown_bps
    if loss and equity_micros <= start * (BPS - loss):
        return Reason.DAILY_LOSS
    if drawdown and equity_micros <= level_micros(figure(figures.day_peaks, copy.row), drawdown):
        return Reason.DAILY_DRAWDOWN
    target = settings.daily_target_bps
    if target and equity_micros >= start * (BPS + target):
        return Reason.DAILY_TARGET
    return None


def opening_code(state: State, copy: Copy, equity_micros: int, at_us: int) -> Reason | None:
    """Return the limit that an opening runs into, or None.

    The stops are asked exactly; the daily limits of profit and loss are those that a tick found.
    """
    settings = copy.settings
    # The stops in place, as in `stop_code`: this runs for every follower.
    if equity_micros <= copy.stop_base_micros // BPS * (BPS - settings.copy_stop_bps):
        return Reason.COPY_STOP_HIT
    trailing = settings.trailing_stop_bps
    if trailing:
        peak: int = unpack_from("<q", state.copy_desk.figures.peaks, copy.row * BYTES)[0]
        if equity_micros <= peak // BPS * (BPS - trailing):
            return Reason.TRAILING_STOP_HIT
    if copy.blocked_code and copy.blocked_day == at_us // DAY_US:
        return Reason(copy.blocked_code)
    most = settings.trades_day_max
    if most and copy.trades_today >= most and copy.trades_day == at_us // DAY_US:
        return Reason.MAX_TRADES_DAY
    return None


def next_loss_level_bps(copy: Copy) -> int:
    """Return the smallest level of loss that the follower has not been told of, 0 = none."""
    return min(
        (each for each in copy.settings.notify_loss_bps if each > copy.told_loss_bps), default=0
    )


def loss_level_bps(copy: Copy, equity_micros: int) -> int:
    """Return the greatest level of loss that an equity has met and nobody was told of, 0 = none."""
    met = [
        bps
        for bps in copy.settings.notify_loss_bps
        if bps > copy.told_loss_bps and equity_micros <= level_micros(copy.stop_base_micros, bps)
    ]
    return max(met, default=0)
