"""`optix serve`: a node and nothing else."""

from __future__ import annotations

import msgspec
import rich_click as click

from server.cli.running import settings_or_exit, start


@click.command(name="serve")
@click.option("--port", type=int, help="Port to listen on (OPTIX_PORT, 8000).")
def command(port: int | None) -> None:
    """Start a node with the stores that the environment names."""
    settings = settings_or_exit()
    if port is not None:
        settings = msgspec.structs.replace(settings, port=port)
    start(settings, demo=False)
