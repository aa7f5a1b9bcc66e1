"""`optix bench`: each figure beside a floor taken in the same run."""

from __future__ import annotations

import importlib
import json
import logging
import sys

import rich_click as click
import structlog

from server.bench.figures import Report, machine


BENCHMARKS: dict[str, str] = {
    "core": "the core alone, real mix of the recorded day",
    "copies": "a leader's fill to 1,000 followers",
    "boards": "100,000 traders ranked on every board at new marks",
    "ideas": "the idea book, marks that meet ideas, resolutions",
    "fanout": "CPU of a delivered frame against a bare send loop",
    "commands": "a command over the socket until its reply, log with fsync",
    "feed": "the recorded day through log, core and archive",
    "sentiment": "scoring a message's text, pure Python",
    "restart": "restart with 10,000 traders and 1,000,000 archived events",
}


@click.command(name="bench")
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHMARKS)))
@click.option("--json", "as_json", is_flag=True, help="Print the reports as JSON.")
def command(names: tuple[str, ...], as_json: bool) -> None:
    """Measure NAMES (all when none is given); exit 1 when a target was missed."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    click.echo(f"on {machine()}", err=as_json)
    reports = []
    for name in names or BENCHMARKS:
        report: Report = importlib.import_module(f"server.bench.{name}").run()
        reports.append(report)
        if not as_json:
            _print(report)
    if as_json:
        click.echo(json.dumps([_plain(report) for report in reports]))
    missed = any(figure.met is False for report in reports for figure in report.figures)
    sys.exit(1 if missed else 0)


def _print(report: Report) -> None:
    click.echo(f"\n{report.title}\n  {report.conditions}")
    for figure in report.figures:
        verdict = {True: "met", False: "MISSED", None: ""}[figure.met]
        click.echo(
            f"  {figure.name:<34} {figure.value:>12,.3f} {figure.unit:<12} "
            f"{figure.target:<10} {verdict}"
        )


def _plain(report: Report) -> dict[str, object]:
    return {
        "title": report.title,
        "conditions": report.conditions,
        "figures": [figure._asdict() for figure in report.figures],
    }
