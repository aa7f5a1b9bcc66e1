"""Martingale: how a trader sizes and holds after losses, watched with every fill.

Four tells of domain.md, section 5: positions opened after a loss are larger than after a win,
positions are added to at a loss again and again, nearly every trade wins while losses are larger
than wins, losers are held much longer than winners. Each has honest explanations; two of them
together raise the flag.
"""

from __future__ import annotations

from streams.core.context import Context
from streams.core.events import FillBooked
from streams.core.integrity.flags import clear_flag, raise_flag
from streams.core.integrity_state import Conduct
from streams.core.market_clock import DAY_US
from streams.core.money import PPM
from streams.core.state import State


SIZE_RATIO_PPM_MAX = 1_500_000
"""Mean size after a loss over mean size after a win: 1.5."""

ADDS_MAX = 2
"""Additions at a loss to one position: three are a tell."""

WIN_RATE_PPM_MAX = 850_000
"""Win rate beyond which losses must not be larger than wins."""

HOLDING_RATIO_PPM_MAX = 3_000_000
"""Mean time of losers over mean time of winners: 3."""

TRADES_MIN = 20
"""Round trips before the win rate says anything."""

EACH_MIN = 5
"""Openings or round trips on either side before two means are compared."""

TELLS_MIN = 2

FLAG_DAYS_MIN = 30
"""Days for which the flag stays up at least."""


def observe_fill(state: State, event: FillBooked) -> None:
    """Follow a fill; called before the ledger changes, by `evolve_*` only."""
    memory, result = state.integrity, event.result
    conduct = memory.conduct.get(event.trader)
    if conduct is None:
        conduct = memory.conduct[event.trader] = Conduct()
    if result.trip:
        _observe_trip(state, conduct, event)
    before, after = result.lots_before, result.lots
    if after and before * after <= 0:
        if conduct.last_trip > 0:
            conduct.after_wins += 1
            conduct.after_wins_micros += abs(result.cost_micros)
        elif conduct.last_trip < 0:
            conduct.after_losses += 1
            conduct.after_losses_micros += abs(result.cost_micros)
    elif abs(after) > abs(before) and _at_a_loss(event):
        adds = memory.adds.setdefault(event.trader, {})
        count = adds[event.symbol] = adds.get(event.symbol, 0) + 1
        conduct.adds_most = max(conduct.adds_most, count)


def _observe_trip(state: State, conduct: Conduct, event: FillBooked) -> None:
    memory, trip_micros = state.integrity, event.result.trip_micros
    position = state.traders[event.trader].ledger.positions[event.symbol]
    held_us = max(event.at_us - position.opened_at_us, 0)
    if trip_micros > 0:
        conduct.last_trip = 1
        conduct.wins += 1
        conduct.won_micros += trip_micros
        conduct.won_us += held_us
    elif trip_micros < 0:
        conduct.last_trip = -1
        conduct.losses += 1
        conduct.lost_micros -= trip_micros
        conduct.lost_us += held_us
    adds = memory.adds.get(event.trader)
    if adds is not None and adds.pop(event.symbol, 0) and not adds:
        del memory.adds[event.trader]


def _at_a_loss(event: FillBooked) -> bool:
    """Whether a position that is added to was worth less than its cost at the fill's price."""
    result = event.result
    before = abs(result.lots_before)
    value = event.notional_micros * before // abs(event.lots)
    cost = abs(result.cost_micros) - event.notional_micros
    return value < cost if result.lots > 0 else value > cost


def tells(conduct: Conduct) -> dict[str, int]:
    """Return the tells of martingale with what was measured, in parts per million or counts."""
    found: dict[str, int] = {}
    if min(conduct.after_wins, conduct.after_losses) >= EACH_MIN:
        after_loss = conduct.after_losses_micros * conduct.after_wins * PPM
        ratio = after_loss // max(conduct.after_wins_micros * conduct.after_losses, 1)
        if ratio > SIZE_RATIO_PPM_MAX:
            found["size_after_loss_ppm"] = ratio
    if conduct.adds_most > ADDS_MAX:
        found["adds_at_a_loss"] = conduct.adds_most
    decided = conduct.wins + conduct.losses
    if decided >= TRADES_MIN and conduct.losses:
        win_rate = conduct.wins * PPM // decided
        # Mean loss above mean win, without dividing.
        larger = conduct.lost_micros * conduct.wins > conduct.won_micros * conduct.losses
        if win_rate > WIN_RATE_PPM_MAX and larger:
            found["win_rate_ppm"] = win_rate
    if min(conduct.wins, conduct.losses) >= EACH_MIN:
        ratio = conduct.lost_us * conduct.wins * PPM // max(conduct.won_us * conduct.losses, 1)
        if ratio > HOLDING_RATIO_PPM_MAX:
            found["holding_losers_ppm"] = ratio
    return found


def judge_conduct(ctx: Context, trader: str, at_us: int) -> None:
    """Raise or clear `MARTINGALE`; called when a round trip has ended."""
    memory = ctx.state.integrity
    found = tells(memory.conduct[trader])
    if len(found) >= TELLS_MIN:
        raise_flag(ctx, trader, "MARTINGALE", found, at_us)
        return
    flag = memory.flags.get(trader, {}).get("MARTINGALE")
    if flag is not None and at_us - flag.since_us >= FLAG_DAYS_MIN * DAY_US:
        clear_flag(ctx, trader, "MARTINGALE", at_us)
