"""`optix migrate`: bring the schema up to date."""

from __future__ import annotations

import asyncio

import rich_click as click

from server.cli.running import settings_or_exit
from server.settings import Settings
from server.stores import opened_stores
from storage.migrate import migrate


@click.command(name="migrate")
def command() -> None:
    """Apply the migrations that the database does not have yet."""
    applied = asyncio.run(_migrate(settings_or_exit()))
    for name in applied:
        click.echo(f"applied {name}")
    click.echo(f"{len(applied)} applied, the schema is up to date")


async def _migrate(settings: Settings) -> list[str]:
    async with opened_stores(settings) as urls:
        return [f"{m.version:04} {m.name}" for m in await migrate(urls.database_url)]
