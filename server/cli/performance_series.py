"""Metrics of one series of a file: the same functions that a node uses for a trader.

Rows of returns and levels make the period metrics. A file knows no round trips, so its trade
metrics take each row as one result: a bet on one day. Rows of results of trades have no curve, so
their period metrics have no value.

Source: domain.md, section 3; docs/explanation/performance.md for what a file means.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite, sqrt
from typing import NamedTuple

from server.cli.performance_file import BadFile, Series, Table
from streams.core.performance.moments import Moments
from streams.core.performance.period import Record, period_metrics
from streams.core.performance.returns import total_return
from streams.core.performance.sharpe import Trials, daily_sharpe
from streams.core.performance.trades import Results, trade_metrics
from streams.core.performance.undefined import Metric, undefined


DAILY_ANNUALISATION_MIN = 200
"""Returns a year from which on a return lasts a day, for the least length of ratios."""

DAYS_A_YEAR = 365

ROWS_A_YEAR = ((360, 1), (80, 4), (26, 12), (5, 52))
"""Usual days between rows from which on there are so many rows a year."""


class Choices(NamedTuple):
    """What the caller says about a file.

    Attributes:
        kind: `returns`, `equity` or `trades`.
        annualisation: rows a year.
        risk_free: annual rate as a fraction.
        benchmark: name of the column of the market, None without one.
    """

    kind: str
    annualisation: float
    risk_free: float = 0.0
    benchmark: str | None = None


class Steps(NamedTuple):
    """Returns of a series with the row at which each is complete."""

    returns: list[float]
    rows: list[int]


def annualisation_of(table: Table) -> float:
    """Return how many rows a year a file has by its dates; 252 without dates.

    Daily rows on weekends make 365, else 252; rows further apart are weeks, months,
    quarters or years.
    """
    if table.days is None or len(table.days) < 2:
        return 252
    gaps = sorted(later - earlier for earlier, later in pairwise(table.days))
    usual = gaps[len(gaps) // 2]
    for days_min, rows in ROWS_A_YEAR:
        if usual >= days_min:
            return rows
    # Day 1 was a Monday.
    weekend = sum(1 for day in table.days if (day - 1) % 7 > 4)
    return DAYS_A_YEAR if weekend * 10 >= len(table.days) else 252


def steps_of(series: Series, kind: str) -> Steps:
    """Return the returns of a series, up to the one that lost everything.

    Raises:
        BadFile: the values cannot be what they are said to be.
    """
    values, rows = series.values, series.rows
    if kind == "equity":
        if values[0] <= 0.0:
            raise BadFile(
                f"expected levels above 0, was {values[0]:g} at the start of {series.name!r}"
            )
        values = [after / before - 1.0 for before, after in _running(values)]
        rows = rows[1 : len(values) + 1]
    elif _are_no_fractions(values):
        raise BadFile(
            f"expected returns as fractions in {series.name!r}, were numbers like {values[0]:g}: "
            "say --equity for levels or --trades for results, or write 1% for percent"
        )
    end = next((place for place, value in enumerate(values) if value <= -1.0), None)
    if end is not None:
        values = [*values[:end], -1.0]
    if not isfinite(total_return(values)):
        raise BadFile(f"expected returns of {series.name!r} that compound to a number, were beyond")
    return Steps(list(values), rows[: len(values)])


def _are_no_fractions(values: Sequence[float]) -> bool:
    """Whether numbers can hardly be returns: half of them above 1, or everything lost and again."""
    lost = sum(1 for value in values if value <= -1.0)
    return sorted(map(abs, values))[len(values) // 2] > 1.0 or lost > max(2, len(values) // 100)


def _running(values: Sequence[float]) -> list[tuple[float, float]]:
    pairs = []
    for before, after in pairwise(values):
        pairs.append((before, after))
        if after <= 0.0:
            break
    return pairs


def metrics_of(
    table: Table, chosen: Sequence[Series], choices: Choices
) -> dict[str, dict[str, Metric]]:
    """Return every metric of some series of a file, by name of the series.

    Raises:
        BadFile: the values cannot be what they are said to be.
    """
    if choices.kind == "trades":
        nothing = dict.fromkeys(_period_names(), undefined("NO_RECORD"))
        return {
            series.name: {**nothing, **trade_metrics(Results.of(series.values))}
            for series in chosen
        }
    steps = {series.name: steps_of(series, choices.kind) for series in chosen}
    market = None
    if choices.benchmark is not None:
        whole = next(series for series in table.series if series.name == choices.benchmark)
        found = steps_of(whole, choices.kind)
        market = dict(zip(found.rows, found.returns, strict=True))
    trials = trials_of([taken.returns for taken in steps.values()])
    return {
        name: {
            **period_metrics(record_of(table, taken, choices, market, trials)),
            **trade_metrics(Results.of(taken.returns)),
        }
        for name, taken in steps.items()
    }


def trials_of(series: Sequence[Sequence[float]]) -> Trials | None:
    """Return among how many records each column is shown, None for a column alone.

    Columns count as independent, which asks the most of the best of them.
    """
    ratios = [daily_sharpe(Moments.of(values)) for values in series]
    found = Moments.of([ratio for ratio in ratios if isinstance(ratio, float)])
    if found.count < 2:
        return None
    return Trials(sqrt(found.m2 / (found.count - 1)), found.count)


def record_of(
    table: Table,
    steps: Steps,
    choices: Choices,
    market: dict[int, float] | None,
    trials: Trials | None,
) -> Record:
    """Return a series as the record that the period metrics are taken of."""
    count, a_year = len(steps.returns), choices.annualisation
    days = [row + 1 for row in steps.rows]
    if table.days is not None:
        days = [table.days[row] for row in steps.rows]
    first = days[0] if days else 1
    return Record(
        returns=steps.returns,
        days=days,
        start_day=first - 1,
        total=total_return(steps.returns),
        years=count / a_year,
        length_days=count if a_year >= DAILY_ANNUALISATION_MIN else count * DAYS_A_YEAR / a_year,
        annualisation=a_year,
        risk_free=choices.risk_free,
        benchmark=None if market is None else [market.get(row) for row in steps.rows],
        trials=trials,
    )


def _period_names() -> list[str]:
    empty = Record(returns=(), days=(), start_day=0, total=0.0, years=0.0, length_days=0.0)
    return list(period_metrics(empty))
