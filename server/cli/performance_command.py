"""`optix performance`: every metric of a file of returns, levels or results that anyone brings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import rich_click as click

from server.cli.performance_file import BadFile, Series, Table, read_table
from server.cli.performance_series import Choices, annualisation_of, metrics_of
from streams.core.performance.undefined import Metric, Undefined


RESULT_NAMES = frozenset({"pnl", "p&l", "net_pnl", "profit", "net", "net_profit", "result"})
"""Columns that hold the results of trades when several could, in lower case."""

Numbers = dict[str, dict[str, Metric]]


@click.command(name="performance")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--column", "columns", multiple=True, help="Only this column; may be repeated.")
@click.option(
    "--returns",
    "kind",
    flag_value="returns",
    default="returns",
    show_default=True,
    help="Cells are returns as fractions.",
)
@click.option("--equity", "kind", flag_value="equity", help="Cells are levels: equity or prices.")
@click.option("--trades", "kind", flag_value="trades", help="Cells are results of closed trades.")
@click.option(
    "--annualisation",
    type=click.FloatRange(min=1.0, max=1e6),
    help="Rows a year: 252, 365, 12. By default what the dates say, else 252.",
)
@click.option(
    "--risk-free",
    type=click.FloatRange(min=-0.5, max=10.0),
    default=0.0,
    help="Annual risk-free rate as a fraction.",
)
@click.option("--benchmark", help="Column of the market, for beta and alpha.")
@click.option("--json", "as_json", is_flag=True, help="Print {column: {metric: number or null}}.")
def command(
    file: Path,
    columns: tuple[str, ...],
    kind: str,
    annualisation: float | None,
    risk_free: float,
    benchmark: str | None,
    as_json: bool,
) -> None:
    """Print every metric of a CSV file; what is not defined says why. Exit 2 for a bad file."""
    try:
        table = read_table(file)
        if benchmark is not None:
            _column(table, benchmark)
        a_year = annualisation_of(table) if annualisation is None else annualisation
        chosen = _chosen(table, columns, kind)
        numbers = metrics_of(table, chosen, Choices(kind, a_year, risk_free, benchmark))
    except BadFile as error:
        raise click.UsageError(f"{file}: {error}") from error
    if as_json:
        click.echo(json.dumps(_plain(numbers), allow_nan=False))
    else:
        _print(numbers, chosen, kind, a_year)


def _chosen(table: Table, names: Sequence[str], kind: str) -> list[Series]:
    if names:
        return [_column(table, name) for name in dict.fromkeys(names)]
    results = [series for series in table.series if series.name.lower() in RESULT_NAMES]
    return results if kind == "trades" and results else table.series


def _column(table: Table, name: str) -> Series:
    for series in table.series:
        if series.name == name:
            return series
    known = ", ".join(series.name for series in table.series)
    raise BadFile(f"expected a column of numbers out of {known}, was {name}")


def _plain(numbers: Numbers) -> dict[str, dict[str, float | None]]:
    return {
        name: {
            metric: None if isinstance(value, Undefined) else float(value)
            for metric, value in metrics.items()
        }
        for name, metrics in numbers.items()
    }


def _print(numbers: Numbers, chosen: Sequence[Series], kind: str, a_year: float) -> None:
    rows = [["", *numbers], ["rows", *(f"{len(series.values)}" for series in chosen)]]
    rows += [
        [metric, *(_cell(metrics[metric]) for metrics in numbers.values())]
        for metric in next(iter(numbers.values()))
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        click.echo("  ".join([row[0].ljust(widths[0]), *cells]).rstrip())
    if kind != "trades":
        click.echo(f"{a_year:g} rows a year; trade metrics take each row as one result")


def _cell(value: Metric) -> str:
    return f"({value.reason.value})" if isinstance(value, Undefined) else f"{value:.6g}"
