"""`./optix load PROFILE`: load a node, verify all that it sends, write JSON and a page.

Exit codes: 0 everything judged was met; 1 something was missed, or the run failed; 2 it was
called wrongly.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import rich_click as click

from loadtests.profile_file import ProfileInvalid, load_profile, names
from loadtests.reporting_process import LoadProcessFailed
from loadtests.result import Result
from loadtests.run import run, write
from loadtests.target import TargetFailed


@click.command(name="load")
@click.argument("profile_name", metavar="PROFILE")
@click.option("--url", help="Load the node at this address instead of one of its own.")
@click.option(
    "--out",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("load-results"),
    show_default=True,
    help="Directory for the JSON file and the page.",
)
@click.option(
    "--credentials",
    "credentials_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with a value of Authorization a line, one an account (default: Dev handles).",
)
def command(
    profile_name: str, url: str | None, folder: Path, credentials_file: Path | None
) -> None:
    """Run a load test: PROFILE is one of loadtests/profiles or a TOML file of your own."""
    try:
        profile = load_profile(profile_name)
    except ProfileInvalid as error:
        raise click.UsageError(f"{error}\nprofiles: {', '.join(names())}") from None
    credentials = _credentials(credentials_file, profile.population.accounts)
    started = time.monotonic()

    def say(text: str) -> None:
        click.echo(f"{time.monotonic() - started:6.1f} s  {text}", err=True)

    name = Path(profile_name).stem
    try:
        result = run(name, profile, url, credentials, say)
    except (TargetFailed, LoadProcessFailed) as error:
        raise click.ClickException(str(error)) from error
    paths = write(result, folder)
    _print(result)
    for path in paths:
        click.echo(str(path))
    sys.exit(0 if result.met else 1)


def _credentials(path: Path | None, count: int) -> list[str]:
    if path is None:
        return []
    lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    found = [line for line in lines if line]
    if len(found) < count:
        raise click.UsageError(f"{path}: expected {count} credentials, were {len(found)}")
    return found[:count]


def _print(result: Result) -> None:
    click.echo(f"{result.profile}: {result.about}\n{result.machine}; commit {result.commit}")
    for check in result.checks:
        value = "none" if check.value is None else f"{check.value:,.3f}".rstrip("0").rstrip(".")
        verdict = "met" if check.met else "MISSED"
        click.echo(f"  {check.name:<30} {value:>12} {check.unit:<4} ≤ {check.most:<8g} {verdict}")


if __name__ == "__main__":
    command(prog_name="optix load")
