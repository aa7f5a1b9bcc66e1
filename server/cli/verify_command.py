"""`optix verify`: replays the archive and compares it with what is stored.

With `--fairness URL` it checks a day's public fairness report instead, as an outsider would.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from typing import NoReturn

import rich_click as click

from server.cli.fairness_check import recheck
from server.cli.reach import store_urls
from server.cli.running import failures_told, settings_or_exit
from server.settings import Settings
from storage.pool import open_pool
from storage.verify import Check, Verification
from streams.core.commands import AnyCommand
from streams.core.snapshots import digest
from streams.log.codec import BatchCodec


@click.command(name="verify")
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
@click.option(
    "--fairness",
    "address",
    metavar="URL",
    help="Check the public fairness report of a node at this address instead.",
)
@click.option("--day", help="UTC day of the report, such as 2026-02-01; the newest ended one.")
@click.option(
    "--commitment", help="What was published before that day, hexadecimal, if you kept it."
)
def command(as_json: bool, address: str | None, day: str | None, commitment: str | None) -> None:
    """Replay the archive in a fresh core; exit 1 at a difference."""
    if address is not None:
        _check_fairness(address, day, commitment, as_json)
    if day is not None or commitment is not None:
        raise click.UsageError("--day and --commitment belong to --fairness URL")
    settings = settings_or_exit()

    def progress(entries: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{entries:,} entries", err=True, nl=False)

    with failures_told():
        checks, final = asyncio.run(_verify(settings, progress))
    if sys.stderr.isatty():
        click.echo("\r", err=True, nl=False)
    if as_json:
        click.echo(json.dumps({"checks": [c._asdict() for c in checks], "digest": final}))
    else:
        for check in checks:
            click.echo(f"{'ok  ' if check.passed else 'FAIL'}  {check.name:<11} {check.detail}")
        click.echo(f"digest {final}")
    sys.exit(0 if all(check.passed for check in checks) else 1)


def _check_fairness(
    address: str, day: str | None, commitment: str | None, as_json: bool
) -> NoReturn:
    def progress(openings: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{openings:,} openings", err=True, nl=False)

    with failures_told():
        found, checked = recheck(address, day, commitment, progress)
    if sys.stderr.isatty():
        click.echo("\r", err=True, nl=False)
    counted = {"day": found, "signals": checked.signals, "openings": checked.openings}
    if as_json:
        click.echo(json.dumps({**counted, "problems": checked.problems}))
    else:
        for problem in checked.problems:
            click.echo(f"FAIL  fairness    {problem}")
        if not checked.problems:
            click.echo(
                f"ok    fairness    {found}: order, shares and sums of {checked.openings} openings"
                f" in {checked.signals} signals follow from the seed"
            )
    sys.exit(1 if checked.problems else 0)


async def _verify(settings: Settings, progress: Callable[[int], None]) -> tuple[list[Check], str]:
    async with store_urls(settings) as urls:
        pool = await open_pool(urls.database_url)
        try:
            verification = Verification(pool, BatchCodec(AnyCommand))
            checks = [check async for check in verification.run(progress)]
            return checks, digest(verification.state)
        finally:
            await pool.close()
