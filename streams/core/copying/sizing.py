"""How many lots a follower wants, before minimum and caps: an exact fraction.

A size is (numerator, denominator), denominator > 0, in lots of the follower's instrument; its
integer quotient is the size rounded toward zero. 0 or less wants nothing.

Source: domain.md, section 4.2.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from streams.core.copying.expression import evaluate
from streams.core.copying.signal import Signal, equity_and_exposure
from streams.core.limits import TINY_RISK_MAX
from streams.core.money import BPS, MICROS, PPM
from streams.core.reasons import Reason
from streams.core.state import Copy, CopySettings, Instrument, State


Size = tuple[int, int]

NANOS = 1_000_000_000

SAFE_SHARE_PPM = 980_000
"""Share of the available balance that `margin_ratio` may bind: the 0.98 of its formula."""


class Wish:
    """One follower's opening on its way through the gates; one object serves a signal's followers.

    Attributes:
        state: read only.
        signal: the leader's fill.
        copy: the relationship.
        settings: those in force.
        instrument: what the follower trades.
        side: +1 or -1, the follower's direction.
        equity_micros: of the ring fence.
        exposure_micros: value of its open positions, long and short added up.
        price_ticks: the follower's quote, or the leader's price without one; > 0 when it is sized.
        quote_ticks: the follower's quote, 0 = none.
        sized_millilots: size before rounding, in thousandths of a lot.
        wanted_lots: unsigned lots after rounding and minimum, before caps.
        opened: unsigned lots that the leader opened: by the fill, or by its whole order.
        lots: unsigned lots to execute, 0 while a gate stands in the way.
        slippage_bps: signed, + = worse than the leader's price.
        clamps: names of the caps that made it smaller.
        block_lots: unsigned lots asked of a block that was filled in part, else 0.
    """

    __slots__ = (
        "block_lots",
        "clamps",
        "copy",
        "equity_micros",
        "exposure_micros",
        "instrument",
        "lots",
        "opened",
        "price_ticks",
        "quote_ticks",
        "settings",
        "side",
        "signal",
        "sized_millilots",
        "slippage_bps",
        "state",
        "wanted_lots",
    )

    def __init__(self, state: State, signal: Signal, copy: Copy) -> None:
        self.state = state
        self.signal = signal
        self.begin(copy, signal.instrument)

    def begin(self, copy: Copy, instrument: Instrument) -> None:
        """Begin with another follower: nothing is sized and nothing executed yet."""
        settings = copy.settings
        self.copy = copy
        self.settings = settings
        self.instrument = instrument
        self.side = -self.signal.side if settings.reverse else self.signal.side
        self.equity_micros, self.exposure_micros = equity_and_exposure(self.state, copy.ledger)
        self.opened = self.signal.opened
        if self.signal.pending and settings.follow_limit_orders == "on_full_fill":
            self.opened = self.signal.order_opened
        self.price_ticks = self.quote_ticks = 0
        self.sized_millilots = self.wanted_lots = self.lots = self.slippage_bps = 0
        self.block_lots = 0
        self.clamps: tuple[str, ...] = ()

    def free_margin_micros(self) -> int:
        """Equity of the ring fence less what its positions bind at its own leverage."""
        return self.equity_micros - self.exposure_micros * PPM // self.settings.leverage_max_ppm

    def lots_worth(self, micros: int) -> Size:
        """Return how many lots are worth an amount at the price."""
        instrument = self.instrument
        return (
            micros * instrument.value_denominator,
            self.price_ticks * instrument.value_numerator,
        )


def wanted_size(wish: Wish) -> Size | Reason:
    """Return the size before minimum and caps, or why there is none."""
    settings = wish.settings
    mode = wish.signal.mode or settings.mode
    size = MODES[mode](wish)
    if isinstance(size, Reason):
        return size
    factor = settings.symbol_multipliers.get(wish.signal.fill.symbol)
    if factor is not None:
        size = size[0] * factor, size[1] * PPM
    if wish.instrument is not wish.signal.instrument and mode in LEADER_LOTS:
        return _translated(wish, size)
    return size


def _translated(wish: Wish, size: Size) -> Size:
    """Turn lots of the leader's instrument into lots of equal value of the follower's."""
    of, price = wish.signal.instrument, wish.signal.fill.price_ticks
    worth, share = wish.lots_worth(price * of.value_numerator)
    return size[0] * worth, size[1] * share * of.value_denominator


def _ratio(wish: Wish, mine: int, leaders: int) -> Size | Reason:
    if leaders <= 0:
        return Reason.NO_LEADER_EQUITY
    if mine <= 0:
        return Reason.INSUFFICIENT_FUNDS
    return wish.opened * mine * wish.settings.multiplier_ppm, leaders * PPM


def _equity_ratio(wish: Wish) -> Size | Reason:
    return _ratio(wish, wish.equity_micros, wish.signal.leader.equity)


def _balance_ratio(wish: Wish) -> Size | Reason:
    return _ratio(wish, wish.copy.ledger.cash_micros, wish.signal.leader.balance)


def _free_margin_ratio(wish: Wish) -> Size | Reason:
    return _ratio(wish, wish.free_margin_micros(), wish.signal.leader.free_margin)


def _quantity_ratio(wish: Wish) -> Size:
    settings = wish.settings
    ratio = settings.copy_ratio_ppm * settings.multiplier_ppm
    return wish.opened * ratio, PPM * PPM


def _fixed_quantity(wish: Wish) -> Size:
    lot = wish.instrument.lot
    nanos = wish.settings.fixed_quantity_nanos * wish.settings.multiplier_ppm
    return nanos * 10**lot.exponent, lot.mantissa * NANOS * PPM


def _fixed_notional(wish: Wish) -> Size:
    numerator, denominator = wish.lots_worth(wish.settings.fixed_notional_micros)
    return numerator * wish.settings.multiplier_ppm, denominator * PPM


def cost_bound_ppm(leverage_ppm: int, slippage_bps: int) -> int:
    """Return D = 0.98 (1 - S) / (1 - S + L S), the bindable share of a balance, in ppm.

    Args:
        leverage_ppm: L.
        slippage_bps: S, below 10,000.
    """
    rest = (BPS - slippage_bps) * PPM
    return SAFE_SHARE_PPM * rest // (rest + leverage_ppm * slippage_bps)


def _margin_ratio(wish: Wish) -> Size | Reason:
    settings, leader = wish.settings, wish.signal.leader
    if leader.balance <= 0:
        return Reason.NO_LEADER_EQUITY
    balance, available = wish.copy.ledger.cash_micros, wish.free_margin_micros()
    if balance <= 0 or available <= 0:
        return Reason.INSUFFICIENT_FUNDS
    leverage = settings.leverage_max_ppm
    fill = wish.signal.fill
    value = wish.signal.instrument.value_micros(fill.price_ticks, wish.opened)
    bound = cost_bound_ppm(leverage, settings.slippage_max_bps)
    # cost x leverage of both sides, so that the leader's own leverage cancels
    worth = min(value * balance // leader.balance, bound * available * leverage // (PPM * PPM))
    numerator, denominator = wish.lots_worth(worth)
    return numerator * settings.multiplier_ppm, denominator * PPM


def _fixed_risk(wish: Wish) -> Size | Reason:
    stop = wish.signal.stop_ticks
    distance = abs(wish.price_ticks - stop)
    if stop == 0 or distance == 0:
        return Reason.NO_STOP_LOSS
    if wish.equity_micros <= 0:
        return Reason.INSUFFICIENT_FUNDS
    risk = wish.equity_micros * wish.settings.risk_bps * wish.settings.multiplier_ppm
    instrument = wish.instrument
    return (
        risk * instrument.value_denominator,
        distance * instrument.value_numerator * BPS * PPM,
    )


def _vol_target(wish: Wish) -> Size | Reason:
    size = _equity_ratio(wish)
    if isinstance(size, Reason):
        return size
    risk = wish.signal.leader_risk_ppm(wish.state)
    target = wish.settings.var_target_bps * 100
    if risk is None:
        return size[0], size[1] * 4
    if risk * 2 <= target:
        return size[0] * 2, size[1]
    if risk >= target * 4:
        return size[0], size[1] * 4
    return size[0] * target, size[1] * risk


def _target_weight(wish: Wish) -> Size | Reason:
    signal = wish.signal
    size = _ratio(wish, wish.equity_micros, signal.leader.equity)
    if isinstance(size, Reason):
        return size
    numerator, denominator = size
    target = numerator // wish.opened * abs(signal.fill.result.lots)
    if wish.instrument is not signal.instrument:
        target, denominator = _translated(wish, (target, denominator))
    held = wish.copy.ledger.positions.get(wish.instrument.symbol)
    if held is not None:
        target -= held.lots * wish.side * denominator
    return target, denominator


def _expression(wish: Wish) -> Size | Reason:
    lot = wish.instrument.lot
    quantity = evaluate(wish.settings.expression, _variables(wish))
    if quantity is None:
        return Reason.EXPRESSION_FAILED
    scale = 10**18
    return int(quantity * scale) * 10**lot.exponent, lot.mantissa * scale


def _variables(wish: Wish) -> dict[str, Decimal]:
    signal, settings, instrument = wish.signal, wish.settings, wish.instrument
    leader, own = signal.leader, signal.instrument

    def price(ticks: int, of: Instrument) -> Decimal:
        return Decimal(ticks * of.tick.mantissa).scaleb(-of.tick.exponent)

    def money(micros: int) -> Decimal:
        return Decimal(micros) / MICROS

    return {
        "leader_quantity": Decimal(wish.opened * own.lot.mantissa).scaleb(-own.lot.exponent),
        "leader_price": price(signal.fill.price_ticks, own),
        "leader_equity": money(leader.equity),
        "leader_balance": money(leader.balance),
        "leader_free_margin": money(leader.free_margin),
        "equity": money(wish.equity_micros),
        "balance": money(wish.copy.ledger.cash_micros),
        "free_margin": money(wish.free_margin_micros()),
        "allocation": money(settings.allocation_micros),
        "price": price(wish.price_ticks, instrument),
        "stop_loss": price(signal.stop_ticks, own),
        "multiplier": Decimal(settings.multiplier_ppm) / PPM,
        "leverage": Decimal(settings.leverage_max_ppm) / PPM,
    }


MODES: dict[str, Callable[[Wish], Size | Reason]] = {
    "equity_ratio": _equity_ratio,
    "balance_ratio": _balance_ratio,
    "free_margin_ratio": _free_margin_ratio,
    "quantity_ratio": _quantity_ratio,
    "fixed_quantity": _fixed_quantity,
    "fixed_notional": _fixed_notional,
    "margin_ratio": _margin_ratio,
    "fixed_risk": _fixed_risk,
    "vol_target": _vol_target,
    "target_weight": _target_weight,
    "expression": _expression,
}
"""Every way to size, by the name of the setting `mode`."""

LEADER_LOTS = {
    "equity_ratio",
    "balance_ratio",
    "free_margin_ratio",
    "quantity_ratio",
    "vol_target",
}
"""Modes whose size is counted in lots of the leader's instrument."""


def least_lots(settings: CopySettings, instrument: Instrument, price_ticks: int) -> int:
    """Return the fewest lots that are neither below the minimum quantity nor notional, >= 1."""
    lot = instrument.lot
    by_quantity: int = -(-settings.quantity_min_nanos * 10**lot.exponent // (lot.mantissa * NANOS))
    worth = price_ticks * instrument.value_numerator
    by_value = -(-settings.notional_min_micros * instrument.value_denominator // worth)
    return max(1, by_quantity, by_value)


def settled_lots(
    settings: CopySettings, instrument: Instrument, price_ticks: int, size: Size
) -> tuple[int, Reason | None]:
    """Round a size toward zero and hold it against the minimum.

    `tiny` = `force_min` takes the minimum instead, if that is at most `TINY_RISK_MAX` times what
    was wanted.

    Returns:
        Lots, and why they are refused.
    """
    numerator, denominator = size
    lots = max(numerator, 0) // denominator
    if lots and not settings.quantity_min_nanos and not settings.notional_min_micros:
        return lots, None
    least = least_lots(settings, instrument, price_ticks)
    if lots >= least:
        return lots, None
    if settings.tiny == "force_min":
        if least * denominator <= TINY_RISK_MAX * numerator:
            return least, None
        return lots, Reason.FORCE_MIN_TOO_RISKY
    if lots == 0:
        return 0, Reason.ZERO_AFTER_ROUNDING
    return lots, short_of_minimum(settings, instrument, price_ticks, lots)


def short_of_minimum(
    settings: CopySettings, instrument: Instrument, price_ticks: int, lots: int
) -> Reason | None:
    """Return which minimum a number of lots misses, or None."""
    lot = instrument.lot
    if lots * lot.mantissa * NANOS < settings.quantity_min_nanos * 10**lot.exponent:
        return Reason.BELOW_MIN_QTY
    if instrument.value_micros(price_ticks, lots) < settings.notional_min_micros:
        return Reason.BELOW_MIN_NOTIONAL
    return None
