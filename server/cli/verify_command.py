"""`optix verify`: replays the archive and compares it with what is stored."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable

import rich_click as click

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
def command(as_json: bool) -> None:
    """Replay the archive in a fresh core; exit 1 at a difference."""
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


async def _verify(settings: Settings, progress: Callable[[int], None]) -> tuple[list[Check], str]:
    async with store_urls(settings) as urls:
        pool = await open_pool(urls.database_url)
        try:
            verification = Verification(pool, BatchCodec(AnyCommand))
            checks = [check async for check in verification.run(progress)]
            return checks, digest(verification.state)
        finally:
            await pool.close()
