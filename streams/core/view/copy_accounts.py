"""Fees and statistics of copies as clients see them."""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt
from typing import Any

from streams.core.copying import sketch
from streams.core.copying.fees import owed_micros
from streams.core.copying.gap import Gap, exposure_deviation_ppm, gap_of, money_of, returns_of
from streams.core.copying.skipped import value_by_code
from streams.core.copying.statistics import unit_since_first_start
from streams.core.events import CopyFeeCharged, Event, FeeTermsSet, SeedCommitted, SeedRevealed
from streams.core.money import PPM
from streams.core.performance.equity import ledger_equity
from streams.core.reasons import Reason
from streams.core.state import Copy, CopyStatistics, FeeTerms, State, Statement
from streams.core.view.fairness import date_of
from streams.core.view.values import format_time, money


Data = dict[str, Any]

PPB = 1_000_000_000


def fee_terms_view(terms: FeeTerms) -> Data:
    """Return what a leader asks of a follower; shares are fractions, 0.1 = 10 %."""
    return {
        "performance": terms.performance_ppm / PPM,
        "management": terms.management_ppm / PPM,
        "flat": money(terms.flat_micros),
        "basis": terms.basis,
        "period": terms.period,
    }


def statement_view(statement: Statement) -> Data:
    """Return a fee statement with the inputs from which it can be recomputed."""
    return {
        "number": statement.number,
        "cause": statement.cause,
        "at": format_time(statement.at_us),
        "charged_until_day": statement.day,
        "terms": fee_terms_view(statement.terms),
        "equity": money(statement.equity_micros),
        "cash": money(statement.cash_micros),
        "realised": money(statement.realised_micros),
        "open_profit": money(statement.open_profit_micros),
        "withdrawn": money(statement.withdrawn_micros),
        "management_fee": money(statement.management_micros),
        "flat_fee": money(statement.flat_micros),
        "result": money(statement.result_micros),
        "high_water_before": money(statement.high_water_before_micros),
        "high_water": money(statement.high_water_micros),
        "performance_fee": money(statement.performance_micros),
        "offset": money(statement.offset_micros),
        "paid": money(statement.paid_micros),
        "owed": money(statement.owed_micros),
    }


def fees_view(copy: Copy) -> Data:
    """Return the terms of a copy and where its fees stand."""
    fees = copy.fees
    return {
        "terms": fee_terms_view(copy.fee_terms),
        "high_water": money(fees.high_water_micros),
        "management_fee": money(fees.management_micros),
        "flat_fee": money(fees.flat_micros),
        "performance_fee": money(fees.performance_micros),
        "paid": money(fees.paid_micros),
        "owed": money(owed_micros(fees)),
        "statements": fees.charges,
    }


def statistics_view(state: State, copy: Copy) -> Data:
    """Return how a copy went: counts, execution, money, copy gap, skips.

    Ratios are fractions; one that is undefined is null, with its reason under `reasons`.
    """
    statistics, made = copy.statistics, money_of(state, copy)
    decided = copy.executed + copy.skipped - copy.codes.get(Reason.LIMIT_MIRRORED.value, 0)
    returns, gap = returns_of(state, copy), gap_of(state, copy)
    ratios = {
        "executed_ratio": (_ratio(copy.executed, decided), "NO_DECISIONS"),
        "fill_ratio": (_ratio(statistics.filled_micros, statistics.wanted_micros), "NO_OPENINGS"),
        "return": (_fraction(returns[0] if returns else None), "NO_CAPITAL"),
        "leader_return": (_fraction(returns[1] if returns else None), "NO_CAPITAL"),
        "tracking_error": (tracking_error(statistics), "TOO_FEW_DAYS"),
        "exposure_deviation": (_parts(exposure_deviation_ppm(state, copy)), "NO_EQUITY"),
        "max_adverse_excursion": (
            _ratio(statistics.low_micros, statistics.capital_micros),
            "NO_CAPITAL",
        ),
    }
    return {
        "leader": copy.leader,
        "follower": copy.follower,
        "status": copy.status,
        "decisions": copy.executed + copy.skipped,
        "executed": copy.executed,
        "skipped": copy.skipped,
        "codes": dict(copy.codes),
        **{name: value for name, (value, _) in ratios.items()},
        "reasons": {name: reason for name, (value, reason) in ratios.items() if value is None},
        "entry_slippage_bps": _quantiles(statistics.entry_slippage, (50, 95)),
        "exit_slippage_bps": _quantiles(statistics.exit_slippage, (50, 95)),
        "delay_ms": _quantiles(statistics.delays_ms, (50, 99)),
        "slippage_cost": money(statistics.slippage_micros),
        "gross_pnl": money(made.gross),
        "trading_fees": money(made.trading_fees),
        "leader_fees": money(made.leader_fees),
        "net_pnl": money(made.net),
        "copy_gap": _gap_view(gap),
        "days_compared": statistics.days,
        "value_of_skips": {
            code: money(value) for code, value in value_by_code(state, statistics).items()
        },
        "skips_unvalued": statistics.unvalued,
        "equity": money(ledger_equity(state, copy.ledger)),
        "open_positions": len(copy.ledger.positions),
        "fees": fees_view(copy),
    }


def tracking_error(statistics: CopyStatistics) -> float | None:
    """Return the standard deviation (n - 1) of the daily differences of return, None below 2."""
    days = statistics.days
    if days < 2:
        return None
    spread = days * statistics.difference_squares - statistics.difference_ppm**2
    return isqrt(max(spread, 0) // (days * (days - 1))) / PPM


def _gap_view(gap: Gap | None) -> Data | None:
    if gap is None:
        return None
    return {
        "total": gap.gap / PPB,
        "slippage": gap.slippage / PPB,
        "skipped": gap.skipped / PPB,
        "sizing": gap.sizing / PPB,
        "fees": gap.fees / PPB,
    }


def _quantiles(counts: dict[int, int], parts: tuple[int, ...]) -> Data:
    found = {f"p{part}": sketch.quantile(counts, part) for part in parts}
    return {**found, "count": sum(counts.values())}


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole > 0 else None


def _fraction(ppb: int | None) -> float | None:
    return None if ppb is None else ppb / PPB


def _parts(ppm: int | None) -> float | None:
    return None if ppm is None else ppm / PPM


class FollowersResult:
    """Adds up what the followers of one leader made, stopped ones included.

    A follower's return is chain-linked over every change of its allocation and every restart, after
    fees, as in the composite board: `copying.statistics.unit_since_first_start`.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._returns_ppb: list[int] = []
        self._codes: dict[str, int] = {}
        self._entries: dict[int, int] = {}
        self._running = self._executed = self._skipped = 0

    def add(self, copy: Copy) -> None:
        """Add one follower."""
        statistics = copy.statistics
        if statistics.lifetime_micros > 0:
            self._returns_ppb.append(unit_since_first_start(self._state, copy) - PPB)
        self._running += copy.status != "STOPPED"
        self._executed += copy.executed
        self._skipped += copy.skipped
        for code, count in copy.codes.items():
            self._codes[code] = self._codes.get(code, 0) + count
        for bucket, count in statistics.entry_slippage.items():
            self._entries[bucket] = self._entries.get(bucket, 0) + count

    def view(self) -> Data:
        """Return followers, their median, quartiles and share with a profit, and decisions."""
        returns = sorted(self._returns_ppb)
        count = len(returns)
        decided = self._executed + self._skipped

        def at(quarter: int) -> float | None:
            # nearest rank, so that every number shown is some follower's
            return returns[max(-(-count * quarter // 4), 1) - 1] / PPB if count else None

        return {
            "followers": count,
            "running": self._running,
            "median_return": at(2),
            "quartile_low": at(1),
            "quartile_high": at(3),
            "profitable_share": sum(each > 0 for each in returns) / count if count else None,
            "reason": None if count else "NO_FOLLOWERS",
            "executed": self._executed,
            "skipped": self._skipped,
            "executed_ratio": self._executed / decided if decided else None,
            "codes": self._codes,
            "entry_slippage_bps": _quantiles(self._entries, (50, 95)),
        }


def _fee_terms_set(_: State, event: FeeTermsSet) -> Data:
    return {
        "type": "fee_terms_set",
        "trader": event.trader,
        "terms": fee_terms_view(event.terms),
        "at": format_time(event.at_us),
    }


def _copy_fee_charged(_: State, event: CopyFeeCharged) -> Data:
    return {
        "type": "copy_fee_charged",
        "leader": event.leader,
        "follower": event.follower,
        "statement": statement_view(event.statement),
        "at": format_time(event.at_us),
    }


def _seed_committed(_: State, event: SeedCommitted) -> Data:
    return {
        "type": "seed_committed",
        "number": event.number,
        "nonce": event.nonce.hex(),
        "commitment": event.commitment.hex(),
        "veil_commitment": event.veil_commitment.hex() or None,
        "at": format_time(event.at_us),
    }


def _seed_revealed(_: State, event: SeedRevealed) -> Data:
    return {
        "type": "seed_revealed",
        "day": date_of(event.day),
        "number": event.number,
        "commitment": event.commitment.hex(),
        "seed": event.seed.hex(),
        "salt": event.salt.hex(),
        "veil_commitment": event.veil_commitment.hex() or None,
        "at": format_time(event.at_us),
    }


RENDERERS: dict[type[Event], Callable[[State, Any], Data]] = {
    FeeTermsSet: _fee_terms_set,
    CopyFeeCharged: _copy_fee_charged,
    SeedCommitted: _seed_committed,
    SeedRevealed: _seed_revealed,
}
