"""How far a copy is from its leader: the sum of the differences in weight.

dev = Σ |w_f - m w_L| over all symbols, in basis points: w is the signed value of a position over
equity. It is measured in turn, a bounded number of copies a tick. Beyond `drift_band` of a mode
that keeps weights the follower is told once, with `POST …/resync` as the remedy.
Source: domain.md, section 4.1.
"""

from __future__ import annotations

from streams.core.context import Context, Evolvers
from streams.core.copying.holdings import position_of
from streams.core.copying.watch import WATCHED
from streams.core.events import CopyDriftsMeasured, CopyLimitReached
from streams.core.limits import COPY_DRIFTS_PER_TICK_MAX, INTEGER_MAX
from streams.core.market_clock import TICKS_PER_SECOND
from streams.core.money import BPS, PPM
from streams.core.performance.equity import ledger_equity
from streams.core.reasons import Reason
from streams.core.state import Copy, Ledger, State


WEIGHT_MODES = ("equity_ratio", "target_weight")
"""Modes that aim at the leader's weights."""

NOT_MEASURED = -1


def weights_bps(state: State, ledger: Ledger, equity_micros: int) -> dict[str, int]:
    """Return the signed value of each position in basis points of equity, > 0."""
    weights = {}
    for symbol, position in ledger.positions.items():
        instrument = state.instruments[symbol]
        value = instrument.value_micros(instrument.mark_ticks, position.lots)
        weights[symbol] = value * BPS // equity_micros
    return weights


def account_weights_bps(state: State, trader: str) -> dict[str, int] | None:
    """Return the weights of a trader's own account, None where there is no equity."""
    ledger = state.traders[trader].ledger
    equity = ledger_equity(state, ledger)
    return weights_bps(state, ledger, equity) if equity > 0 else None


def drift_bps(state: State, copy: Copy, leader: dict[str, int] | None) -> int:
    """Return the deviation of a running copy, `NOT_MEASURED` where there is no equity.

    Legs that the follower has left do not count.

    Args:
        state: read only.
        copy: the relationship.
        leader: its leader's weights, see `account_weights_bps`.
    """
    own_equity = ledger_equity(state, copy.ledger)
    if copy.status not in WATCHED or own_equity <= 0 or leader is None:
        return NOT_MEASURED
    settings = copy.settings
    own = weights_bps(state, copy.ledger, own_equity)
    direction = -1 if settings.reverse else 1
    total = 0
    for symbol, weight in leader.items():
        held = 0
        if position_of(copy, symbol) is not None:
            held = own.pop(copy.mapped.get(symbol, symbol))
        if symbol not in copy.detached:
            factor = settings.symbol_multipliers.get(symbol, PPM)
            wanted = weight * settings.multiplier_ppm * factor // (PPM * PPM)
            total += abs(held - wanted * direction)
    return min(total + sum(abs(weight) for weight in own.values()), INTEGER_MAX)


def measure_drifts(ctx: Context) -> None:
    """Measure the copies whose turn it is: all within a second, or as many as a tick may."""
    state = ctx.state
    rows = state.copy_desk.rows
    size = min(-(-len(rows) // TICKS_PER_SECOND), COPY_DRIFTS_PER_TICK_MAX)
    first = state.tick_number % -(-len(rows) // size) * size
    turn = [state.copies[leader][follower] for leader, follower in rows[first : first + size]]
    leaders = {copy.leader: account_weights_bps(state, copy.leader) for copy in turn}
    drifts = [drift_bps(state, copy, leaders[copy.leader]) for copy in turn]
    before = [copy.drift_bps for copy in turn]
    if drifts == before:
        return
    at_us = ctx.time(0)
    ctx.emit(CopyDriftsMeasured(first, drifts, at_us))
    for copy, old in zip(turn, before, strict=True):
        band = copy.settings.drift_band_bps
        told = copy.settings.mode in WEIGHT_MODES and copy.status == "ACTIVE"
        if band and told and old <= band < copy.drift_bps:
            ctx.emit(
                CopyLimitReached(
                    copy.follower, copy.leader, Reason.DRIFT.value, copy.drift_bps, band, at_us
                )
            )


def evolve_copy_drifts_measured(state: State, event: CopyDriftsMeasured) -> None:
    """Store the deviations."""
    rows = state.copy_desk.rows
    for row, drift in enumerate(event.drifts_bps, event.first_row):
        leader, follower = rows[row]
        state.copies[leader][follower].drift_bps = drift


EVOLVERS: Evolvers = {CopyDriftsMeasured: evolve_copy_drifts_measured}
