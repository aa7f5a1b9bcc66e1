"""Fees as events: a leader's terms, and what each copy is charged and pays.

Invariants:
    * A fee leaves the ring fence and arrives in the leader's account in one event.
    * A leader's new terms reach an existing follower only where they ask less.
    * For the leader's own performance a fee is a flow, no profit.
"""

from __future__ import annotations

import msgspec

from streams.core.commands import SetFeeTerms
from streams.core.context import Context, Deciders, Decision, Evolvers, Refusal
from streams.core.copying.fees import BASES, PERIODS, Basis, book, charge, lowered
from streams.core.events import CopyFeeCharged, FeeTermsSet
from streams.core.limits import (
    FLAT_FEE_MICROS_MAX,
    MANAGEMENT_FEE_PPM_MAX,
    PERFORMANCE_FEE_PPM_MAX,
)
from streams.core.market_clock import day_of
from streams.core.performance.equity import ledger_equity
from streams.core.performance.track import record_flow
from streams.core.reasons import Reason
from streams.core.state import Copy, FeeTerms, State


BOUNDS = {
    "performance_ppm": PERFORMANCE_FEE_PPM_MAX,
    "management_ppm": MANAGEMENT_FEE_PPM_MAX,
    "flat_micros": FLAT_FEE_MICROS_MAX,
}
"""Largest value of each fee, in its own unit."""


def decide_set_fee_terms(ctx: Context, command: SetFeeTerms) -> Decision:
    """Set what the principal asks of its followers; None leaves a term as it is."""
    trader = ctx.state.traders.get(ctx.principal)
    if trader is None:
        return Refusal(Reason.UNKNOWN_TRADER, f"no trader {ctx.principal}")
    changes = {
        name: value
        for name in FeeTerms.__struct_fields__
        if (value := getattr(command, name)) is not None
    }
    terms = msgspec.structs.replace(trader.fee_terms, **changes)
    for name, most in BOUNDS.items():
        value = getattr(terms, name)
        if not 0 <= value <= most:
            message = f"expected {name} in 0…{most}, was {value}"
            return Refusal(Reason.INVALID_SETTINGS, message, name)
    for name, known in (("basis", BASES), ("period", PERIODS)):
        value = getattr(terms, name)
        if value not in known:
            message = f"expected one of {', '.join(known)}, was {value}"
            return Refusal(Reason.INVALID_SETTINGS, message, name)
    ctx.emit(FeeTermsSet(trader.trader, terms, ctx.time(0)))
    return trader.trader


def evolve_fee_terms_set(state: State, event: FeeTermsSet) -> None:
    """New followers agree to the new terms; existing ones get what is lower in them."""
    state.traders[event.trader].fee_terms = event.terms
    for copy in state.copies.get(event.trader, {}).values():
        copy.fee_terms = lowered(copy.fee_terms, event.terms)


def begin_fees(state: State, copy: Copy, at_us: int) -> None:
    """Agree to the leader's terms at the start; a restart keeps the high-water mark.

    Only `evolve_*` calls this.
    """
    copy.fee_terms = state.traders[copy.leader].fee_terms
    copy.fees.charged_day = day_of(at_us)


def charges(terms: FeeTerms) -> bool:
    """Whether these terms ask for anything."""
    return bool(terms.performance_ppm or terms.management_ppm or terms.flat_micros)


def charge_copy(
    ctx: Context, copy: Copy, cause: str, day: int, *, withdrawn_micros: int = 0
) -> None:
    """Charge a copy, and pay its leader as far as its cash goes.

    Args:
        ctx: the command's context.
        copy: a running relationship.
        cause: see `fees.charge`.
        day: first UTC day that is not charged for.
        withdrawn_micros: cash that is about to leave the ring fence.
    """
    if not charges(copy.fee_terms) and copy.fees.charges == 0:
        return
    ledger, state = copy.ledger, ctx.state
    equity = ledger_equity(state, ledger)
    if cause == "withdrawal" and equity < withdrawn_micros:
        return
    basis = Basis(
        equity,
        ledger.cash_micros,
        ledger.realised_micros - ledger.fees_micros,
        equity - ledger.cash_micros,
    )
    at_us = ctx.time(0)
    statement = charge(
        copy.fee_terms,
        copy.fees,
        basis,
        cause=cause,
        day=day,
        at_us=at_us,
        withdrawn_micros=withdrawn_micros,
    )
    leader = state.traders[copy.leader]
    ctx.emit(
        CopyFeeCharged(
            copy.follower,
            copy.leader,
            statement,
            ledger_equity(state, leader.ledger),
            at_us,
        )
    )


def evolve_copy_fee_charged(state: State, event: CopyFeeCharged) -> None:
    """Book the statement and move what is paid."""
    copy = state.copies[event.leader][event.follower]
    paid = event.statement.paid_micros
    book(copy.fees, event.statement)
    copy.ledger.cash_micros -= paid
    leader = state.traders[event.leader]
    leader.ledger.cash_micros += paid
    before = event.leader_equity_before_micros
    if paid:
        record_flow(leader.track, before, before + paid)


DECIDERS: Deciders = {SetFeeTerms: decide_set_fee_terms}
EVOLVERS: Evolvers = {
    FeeTermsSet: evolve_fee_terms_set,
    CopyFeeCharged: evolve_copy_fee_charged,
}
