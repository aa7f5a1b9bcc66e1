"""Metrics against numbers that others published for the same series.

What each source means by a name stands in docs/explanation/performance.md, with the differences.
"""

from __future__ import annotations

import csv
import gzip
import os
from collections import defaultdict
from math import isclose, sqrt
from pathlib import Path
from statistics import NormalDist

import pytest

from server.cli.performance_file import Series, Table, read_table
from server.cli.performance_series import Choices, metrics_of, steps_of
from streams.core.performance import returns as levels, sharpe
from streams.core.performance.drawdown import Drawdown
from streams.core.performance.moments import Moments
from streams.core.performance.undefined import Metric
from tests.tidy.sources import ROOT


def oracle(name: str) -> Path:
    named = os.environ.get("OPTIX_SHARED_DATA")
    path = (Path(named) if named else ROOT.parent / "shared" / "data") / name
    if not path.exists():
        pytest.skip(f"needs {name} of the data kept outside the repository: OPTIX_SHARED_DATA")
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        return list(csv.DictReader(file))


def number(value: Metric) -> float:
    assert isinstance(value, float)
    return value


# Months; printed values are cut off after four decimals, not rounded.
MANAGERS = {
    "maxDrawdown": lambda name, numbers, monthly: numbers["max_drawdown"],
    "SortinoRatio": lambda name, numbers, monthly: number(numbers["sortino"]) / sqrt(12),
    "CalmarRatio": lambda name, numbers, monthly: numbers["calmar"],
    "Return.annualized": lambda name, numbers, monthly: numbers["annual_return"],
    "StdDev.annualized": lambda name, numbers, monthly: numbers["annual_volatility"],
    "SharpeRatio.annualized": lambda name, numbers, monthly: (
        number(numbers["annual_return"]) / number(numbers["annual_volatility"])
    ),
    "SharpeRatio": lambda name, numbers, monthly: sharpe.daily_sharpe(
        Moments.of([value - 0.035 / 12 for value in monthly])
    ),
}


def test_managers() -> None:
    folder = oracle("oracle_managers")
    table = read_table(folder / "managers.csv")
    numbers = metrics_of(table, table.series, Choices("returns", 12))
    monthly = {series.name: series.values for series in table.series}
    expected = rows_of(folder / "expected.csv")
    assert len(expected) == 54
    for row in expected:
        name, metric = row["series"], row["metric"]
        actual = MANAGERS[metric](name, numbers[name], monthly[name])
        assert isclose(float(row["expected"]), number(actual), abs_tol=1.001e-4), (name, metric)


def bacon(values: list[float], market: list[float]) -> dict[str, float]:
    """Return what the published metrics say in the words of the book."""
    count = len(values)
    total = levels.total_return(values)
    annual = number(levels.growth_rate(total, count / 12))
    own, over = Moments.of(values), Moments.of([value - 0.005 for value in values])
    skew, kurtosis = number(sharpe.skew(own)), number(sharpe.kurtosis(own))
    volatility = number(levels.annual_volatility(own, 12))
    ratio = annual / volatility
    seen = Drawdown.of(values, range(1, count + 1))
    below = number(levels.downside_deviation(over))
    up = sqrt((over.m2 + count * over.mean**2 - over.below) / count)
    return {
        "AdjustedSharpeRatio": ratio * (1 + skew / 6 * ratio - (kurtosis - 3) / 24 * ratio**2),
        "BernardoLedoitRatio": number(levels.omega(own)),
        "DRatio": own.downs * own.lost / (own.ups * own.gained),
        "DownsideDeviation": below,
        "DownsidePotential": over.lost / count,
        "DownsideFrequency": over.downs / count,
        "Kappa": over.mean / below,
        "MartinRatio": annual / sqrt(seen.squares / count),
        "OmegaSharpeRatio": number(levels.omega(over)) - 1,
        "SkewnessKurtosisRatio": skew / kurtosis,
        "FamaBeta": sqrt(own.m2 / Moments.of(market).m2),
        "UpsideFrequency": over.ups / count,
        "UpsideRisk": up,
        "VolatilitySkewness": up**2 / below**2,
    }


def test_bacon() -> None:
    folder = oracle("oracle_bacon")
    table = read_table(folder / "portfolio_bacon.csv")
    actual = bacon(table.series[0].values, table.series[1].values)
    seen = {}
    for row in rows_of(folder / "expected.csv"):
        name = row["call"].partition("(")[0]
        if name in actual and name not in seen:
            printed = [float(row["expected_in_comment"]), float(row["value_in_snapshot"])]
            seen[name] = min(abs(actual[name] - value) for value in printed)
    assert set(seen) == set(actual)
    assert max(seen.values()) < 3e-4, seen


RETURNS = {
    "Sharpe": lambda numbers, values: numbers["sharpe"],
    "Sortino": lambda numbers, values: numbers["sortino"],
    "Sortino / √2": lambda numbers, values: numbers["sortino"] / sqrt(2),
    "Omega": lambda numbers, values: numbers["omega"],
    "Profit Factor": lambda numbers, values: numbers["profit_factor"],
    "Gain/Pain Ratio": lambda numbers, values: numbers["profit_factor"] - 1,
    "Payoff Ratio": lambda numbers, values: numbers["payoff_ratio"],
    "Tail Ratio": lambda numbers, values: numbers["tail_ratio"],
    "Common Sense Ratio": lambda numbers, values: numbers["profit_factor"] * numbers["tail_ratio"],
    "CPC Index": lambda numbers, values: (
        numbers["profit_factor"] * numbers["win_rate"] * numbers["payoff_ratio"]
    ),
    "Cumulative Return": lambda numbers, values: numbers["total_return"] * 100,
    "Max Drawdown": lambda numbers, values: numbers["max_drawdown"] * -100,
    "Recovery Factor": lambda numbers, values: abs(sum(values)) / numbers["max_drawdown"],
    # Their list of days has 8,116; days without a price count as 0 here and only here.
    "CAGR": lambda numbers, values: 100 * ((1 + numbers["total_return"]) ** (252 / 8116) - 1),
    "Ulcer Index": lambda numbers, values: numbers["ulcer_index"] * sqrt(len(values) / 8115),
    # No skew, no kurtosis and no n - 1: the plain error of a ratio without a risk-free rate.
    "Prob. Sharpe Ratio": lambda numbers, values: (
        100 * NormalDist().cdf(numbers["sharpe"] / sqrt(252) * sqrt(len(values)))
    ),
}


def test_returns() -> None:
    folder = oracle("oracle_returns")
    market = read_table(folder / "benchmark.csv.gz")
    traded = read_table(folder / "portfolio.csv.gz")
    assert market.days is not None
    assert traded.days is not None
    begin = market.days[0]
    series = {"SPY -- Benchmark": market.series[0].values}
    for one in traded.series:
        pairs = zip(one.rows, one.values, strict=True)
        series[one.name] = [value for row, value in pairs if traded.days[row] >= begin]
    expected = {row["Metric"]: row for row in rows_of(folder / "metrics.csv")}
    for name, values in series.items():
        table = Table([Series(name, list(range(len(values))), values)], None)
        numbers = metrics_of(table, table.series, Choices("returns", 252))[name]
        for metric, formula in RETURNS.items():
            actual = formula(numbers, values)
            assert isclose(float(expected[metric][name]), actual, rel_tol=1e-9), (name, metric)


def test_a_backtest_book() -> None:
    table = read_table(oracle("oracle_backtest_book") / "returns.csv.gz")
    numbers = metrics_of(table, table.series, Choices("returns", 252))[table.series[0].name]
    for metric, expected in {
        "total_return": 0.6540425,
        "sharpe": 0.451121,
        "sortino": 0.658788,
        "max_drawdown": 0.60390811,
    }.items():
        assert isclose(expected, number(numbers[metric]), abs_tol=1e-6), metric


def test_drawdowns_of_copied_equity() -> None:
    folder = oracle("etoro_profiles")
    curves: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows_of(folder / "copy_equity_daily.csv.gz"):
        curves[row["snapshot"], row["UserName"]].append(float(row["equity"]))
    printed = rows_of(folder / "copy_equity_stats.csv.gz")
    assert len(printed) == 40
    for row in printed:
        equity = curves[row["snapshot"], row["UserName"]]
        steps = steps_of(Series("equity", list(range(len(equity))), equity), "equity")
        deepest = Drawdown.of(steps.returns, steps.rows).deepest
        assert isclose(-float(row["peakToValleyDrawDown"]), deepest, abs_tol=0.00501), row
        assert isclose(float(row["gain"]), 1 + levels.total_return(steps.returns), abs_tol=0.00501)
        assert isclose(float(row["dailyDrawDown"]), min(steps.returns), abs_tol=0.00501)
