"""What a copy owes its leader: management, a flat amount, and a share of new profit.

    B    cumulative net result of the relationship: realised profit less trading fees, management
         and flat fees; in basis `total` also the open profit, in basis `min` (the default) the
         smaller of both, so that open profit is never paid on and open losses count at once.
    HWM  the highest B that was ever paid on. The share is rate x max(0, B - HWM); deposits are
         outside B; a loss must be earned back first. There is no clawback.
    W    a withdrawal pays the share of the part that leaves, rate x max(0, B - HWM) x W / A_f,
         and scales B and HWM by 1 - W / A_f, so a loss carried forward shrinks alike.

Management is A_f x rate / 365 for each day. Everything rounds toward the follower. What the free
cash cannot pay is owed and carried. Pure: nothing here reads or changes the state, so that anybody
can recompute a statement from its inputs.

Source: domain.md, section 4.9.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from streams.core.limits import STATEMENTS_MAX
from streams.core.money import PPM
from streams.core.state import FeeAccount, FeeTerms, Statement


DAYS_PER_YEAR = 365
EPOCH_ORDINAL = 719_163
"""`date.toordinal` of 1970-01-01."""

PERIODS = ("daily", "weekly", "monthly")
BASES = ("min", "total")


class Basis(NamedTuple):
    """What a charge is computed from, in micro-units.

    Attributes:
        equity: A_f, equity of the ring fence.
        cash: cash of the ring fence that may be paid from.
        realised: realised profit less trading fees since the relationship first began.
        open_profit: profit of the open positions.
    """

    equity: int
    cash: int
    realised: int
    open_profit: int


def period_of(day: int, period: str) -> int:
    """Return the number of the period that a UTC day lies in; weeks begin on Mondays."""
    if period == "daily":
        return day
    if period == "weekly":
        return (day + 3) // 7
    found = date.fromordinal(day + EPOCH_ORDINAL)
    return found.year * 12 + found.month


def lowered(agreed: FeeTerms, offered: FeeTerms) -> FeeTerms:
    """Return what an existing follower pays after its leader set new terms: never more.

    The period stays as agreed; the basis only changes to the one that asks less.
    """
    return FeeTerms(
        min(agreed.performance_ppm, offered.performance_ppm),
        min(agreed.management_ppm, offered.management_ppm),
        min(agreed.flat_micros, offered.flat_micros),
        "min" if "min" in (agreed.basis, offered.basis) else "total",
        agreed.period,
    )


def owed_micros(account: FeeAccount) -> int:
    """Return what was charged and not yet paid."""
    charged = account.management_micros + account.flat_micros + account.performance_micros
    return charged - account.paid_micros


def charge(
    terms: FeeTerms,
    account: FeeAccount,
    basis: Basis,
    *,
    cause: str,
    day: int,
    at_us: int,
    withdrawn_micros: int = 0,
) -> Statement:
    """Return the next statement of a relationship.

    Args:
        terms: as agreed with this follower.
        account: what was charged before.
        basis: the ring fence now.
        cause: `day` (management only), `period`, `stop` or `withdrawal`.
        day: first UTC day that is not charged for by this statement.
        at_us: market time.
        withdrawn_micros: W, for a withdrawal: above 0 and at most the equity.
    """
    days = max(day - account.charged_day, 0)
    management = max(basis.equity, 0) * terms.management_ppm * days // (PPM * DAYS_PER_YEAR)
    flat = terms.flat_micros if cause == "period" else 0
    costs = account.management_micros + management + account.flat_micros + flat
    realised = basis.realised - costs - account.offset_micros
    total = realised + basis.open_profit
    result = min(realised, total) if terms.basis == "min" else total
    mark = account.high_water_micros
    due = max(result - mark, 0) * terms.performance_ppm
    performance, mark_after, offset = 0, mark, account.offset_micros
    if cause in ("period", "stop"):
        performance, mark_after = due // PPM, max(mark, result)
    elif cause == "withdrawal":
        left = basis.equity - withdrawn_micros
        performance = due * withdrawn_micros // (PPM * basis.equity)
        mark_after = mark * left // basis.equity
        offset += result - result * left // basis.equity
    owed = owed_micros(account) + management + flat + performance
    paid = min(owed, max(basis.cash - withdrawn_micros, 0))
    return Statement(
        number=account.charges + 1,
        cause=cause,
        day=day,
        at_us=at_us,
        terms=terms,
        equity_micros=basis.equity,
        cash_micros=basis.cash,
        realised_micros=basis.realised,
        open_profit_micros=basis.open_profit,
        withdrawn_micros=withdrawn_micros,
        management_micros=management,
        flat_micros=flat,
        result_micros=result,
        high_water_before_micros=mark,
        high_water_micros=mark_after,
        performance_micros=performance,
        offset_micros=offset,
        paid_micros=paid,
        owed_micros=owed - paid,
    )


def book(account: FeeAccount, statement: Statement) -> None:
    """Put a statement into the account it belongs to; only `evolve_*` and replays call it."""
    account.high_water_micros = statement.high_water_micros
    account.offset_micros = statement.offset_micros
    account.management_micros += statement.management_micros
    account.flat_micros += statement.flat_micros
    account.performance_micros += statement.performance_micros
    account.paid_micros += statement.paid_micros
    account.charged_day = max(account.charged_day, statement.day)
    account.charges = statement.number
    account.statements.append(statement)
    if len(account.statements) > STATEMENTS_MAX:
        del account.statements[0]


def replay(begun_day: int, statements: Sequence[Statement]) -> int | None:
    """Recompute statements from their inputs, from the first one of a relationship on.

    Args:
        begun_day: UTC day on which the relationship began.
        statements: all of them, in order.

    Returns:
        Number of the first statement that does not follow from its inputs, None if all do.
    """
    account = FeeAccount(charged_day=begun_day)
    for statement in statements:
        basis = Basis(
            statement.equity_micros,
            statement.cash_micros,
            statement.realised_micros,
            statement.open_profit_micros,
        )
        again = charge(
            statement.terms,
            account,
            basis,
            cause=statement.cause,
            day=statement.day,
            at_us=statement.at_us,
            withdrawn_micros=statement.withdrawn_micros,
        )
        if again != statement:
            return statement.number
        book(account, statement)
    return None
