"""`optix up`: a node with its own stores, playing the recorded day in a loop."""

from __future__ import annotations

import msgspec
import rich_click as click

from server.cli.running import settings_or_exit, start


@click.command(name="up")
@click.option("--port", type=int, help="Port to listen on (OPTIX_PORT, 8000).")
@click.option("--demo/--no-demo", default=True, help="Play the recorded day in a loop.")
def command(port: int | None, demo: bool) -> None:
    """Start a node on this machine, playing a recorded market day."""
    settings = settings_or_exit()
    if port is not None:
        settings = msgspec.structs.replace(settings, port=port)
    start(settings, demo=demo)
