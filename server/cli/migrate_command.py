"""`optix migrate`: bring the schema up to date."""

from __future__ import annotations

import asyncio

import rich_click as click

from server.cli.reach import store_urls
from server.cli.running import failures_told, settings_or_exit
from server.settings import Settings
from storage.migrate import migrate


@click.command(name="migrate")
def command() -> None:
    """Apply the migrations that the database does not have yet."""
    settings = settings_or_exit()
    with failures_told():
        applied = asyncio.run(_migrate(settings))
    for name in applied:
        click.echo(f"applied {name}")
    click.echo(f"{len(applied)} applied, the schema is up to date")


async def _migrate(settings: Settings) -> list[str]:
    async with store_urls(settings) as urls:
        return [f"{m.version:04} {m.name}" for m in await migrate(urls.database_url)]
