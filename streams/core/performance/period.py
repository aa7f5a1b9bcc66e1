"""The period layer: every metric of a curve of daily returns, by its published name.

What a record holds may be all of its returns, or the newest of them and the sums of the `earlier`
ones; metrics that need the returns themselves (quantiles, beta) then speak of the newest.

Source: domain.md, section 3; docs/reference/performance.md lists every name.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streams.core.performance import drawdown, returns, sharpe, stability, tails
from streams.core.performance.benchmark import against
from streams.core.performance.drawdown import Drawdown
from streams.core.performance.moments import Moments
from streams.core.performance.periods import DAYS_A_YEAR
from streams.core.performance.sharpe import Trials
from streams.core.performance.stability import Line
from streams.core.performance.undefined import Metric, undefined
from streams.core.state import Earlier


class Record(msgspec.Struct, frozen=True):
    """A curve over some time.

    Attributes:
        returns: as fractions, in order of time.
        days: number of the day on which each return was complete, rising.
        start_day: number of the day at whose end the curve began.
        total: return over the whole record.
        years: length of the record; `length_days` the same in days.
        annualisation: returns a year.
        risk_free: annual risk-free rate as a fraction.
        resolution: spread of returns that is only rounding.
        earlier: sums of what lies before `returns`; their days are before `days`.
        benchmark: a return of the benchmark for each of `returns`, None where it has none.
        trials: among how many records this one is shown, see `sharpe.deflated`.
    """

    returns: Sequence[float]
    days: Sequence[int]
    start_day: int
    total: Metric
    years: float
    length_days: float
    annualisation: float = DAYS_A_YEAR
    risk_free: float = 0.0
    resolution: float = 0.0
    earlier: Earlier | None = None
    benchmark: Sequence[float | None] | None = None
    trials: Trials | None = None


def period_metrics(record: Record) -> dict[str, Metric]:
    """Return every period metric by name, in the order in which they are shown."""
    own = Moments.of(record.returns)
    over = own
    if record.risk_free != 0.0:
        over = Moments.of(returns.excess(record.returns, record.risk_free, record.annualisation))
    if record.earlier is not None:
        own = record.earlier.moments.merged(own)
        over = own
    return {
        **_growth(record, own),
        **_ratios(record, over),
        **_drawdowns(record),
        **_tails(record),
        **_stability(record),
        **_market(record),
    }


def is_underwater(record: Record) -> bool:
    """Whether the curve ends below its peak."""
    return _followed(record).is_open


def _growth(record: Record, own: Moments) -> dict[str, Metric]:
    few = undefined("TOO_FEW_RETURNS")
    return {
        "total_return": record.total,
        "annual_return": returns.annual_return(record.total, record.years),
        "annual_volatility": returns.annual_volatility(own, record.annualisation),
        "average_return": own.mean if own.count else few,
        "best_return": own.high if own.count else few,
        "worst_return": own.low if own.count else few,
        "consistency": returns.consistency(own),
    }


def _ratios(record: Record, over: Moments) -> dict[str, Metric]:
    a_year, resolution = record.annualisation, record.resolution
    return {
        "sharpe": sharpe.sharpe(over, a_year, resolution),
        "sharpe_standard_error": sharpe.standard_error(over, resolution),
        "sharpe_lower_bound": sharpe.lower_bound(over, a_year, resolution),
        "probabilistic_sharpe": sharpe.probabilistic(over, 0.0, resolution),
        "minimum_track_record": sharpe.minimum_track_record(over, resolution=resolution),
        "deflated_sharpe": sharpe.deflated(over, record.trials, resolution),
        "skew": sharpe.skew(over),
        "kurtosis": sharpe.kurtosis(over),
        "downside_deviation": returns.downside_deviation(over),
        "sortino": returns.sortino(over, a_year),
        "omega": returns.omega(over),
    }


def _followed(record: Record) -> Drawdown:
    seen = Drawdown(peak_day=record.start_day)
    if record.earlier is not None:
        seen = msgspec.structs.replace(record.earlier.drawdown)
    for value, day in zip(record.returns, record.days, strict=True):
        seen.add(value, day)
    return seen


def _drawdowns(record: Record) -> dict[str, Metric]:
    seen = _followed(record)
    today = record.days[-1] if record.days else record.start_day
    growth = returns.growth_rate(record.total, record.years)
    ulcer = drawdown.ulcer_index(seen)
    length = record.length_days
    return {
        "max_drawdown": seen.deepest,
        "drawdown_days": float(drawdown.days_max(seen, today)),
        "recovery_days": drawdown.recovery_days(seen),
        "time_under_water": drawdown.time_under_water(seen),
        "calmar": drawdown.calmar(growth, seen.deepest, length),
        "ulcer_index": ulcer,
        "ulcer_performance_index": drawdown.ulcer_performance_index(growth, ulcer, length),
        "risk_adjusted_return": drawdown.risk_adjusted_return(record.total, seen.deepest),
    }


def _tails(record: Record) -> dict[str, Metric]:
    ordered = sorted(record.returns)
    return {
        "value_at_risk_95": tails.value_at_risk_95(ordered),
        "expected_shortfall_95": tails.expected_shortfall_95(ordered),
        "tail_ratio": tails.tail_ratio(ordered),
    }


def _stability(record: Record) -> dict[str, Metric]:
    line, unit = Line(), 1.0
    if record.earlier is not None:
        line = msgspec.structs.replace(record.earlier.line)
        unit = record.earlier.drawdown.unit
    for value in record.returns:
        unit *= 1.0 + value
        if unit <= 0.0:
            break
        line.add(stability.logarithm(unit))
    if unit <= 0.0:
        return dict.fromkeys(("stability", "stability_slope_sign"), undefined("WIPED"))
    return {
        "stability": stability.stability(line),
        "stability_slope_sign": stability.slope_sign(line),
    }


def _market(record: Record) -> dict[str, Metric]:
    if record.benchmark is None:
        market = against((), None)
        return {"beta": market.beta, "alpha": market.alpha}
    pairs = [
        (value, other)
        for value, other in zip(record.returns, record.benchmark, strict=True)
        if other is not None
    ]
    own, others = [value for value, _ in pairs], [other for _, other in pairs]
    rate, a_year = record.risk_free, record.annualisation
    market = against(
        returns.excess(own, rate, a_year), returns.excess(others, rate, a_year), a_year
    )
    return {"beta": market.beta, "alpha": market.alpha}
