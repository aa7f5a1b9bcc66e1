"""Starting a node from the command line, and saying plainly why it did not start.

The node's parts are imported when one is started: `optix --help` needs none of them.
"""

from __future__ import annotations

import sys

import rich_click as click

from server.settings import Settings, SettingsInvalid, load_settings
from streams.ports import OptixError


def settings_or_exit() -> Settings:
    """Read the settings; exit with 2 and every problem when they are not valid."""
    try:
        return load_settings()
    except SettingsInvalid as error:
        for problem in error.problems:
            click.echo(f"optix: {problem}", err=True)
        sys.exit(2)


def start(settings: Settings, *, demo: bool) -> None:
    """Run a node until it is told to stop; exit with 1 when it fails."""
    import uvloop

    from server.node import run_node
    from server.observability.logs import configure_logs

    configure_logs(settings.log_level, settings.log_format)

    def listening(address: str) -> None:
        click.echo(f"OPTIX is ready at {address}  (stop with Ctrl-C)")
        if demo:
            click.echo("A recorded market day is playing; open the address in a browser.")

    try:
        uvloop.run(run_node(settings, demo=demo, on_listening=listening))
    except* OptixError as group:
        for error in leaves(group):
            click.echo(f"optix: {error}", err=True)
        sys.exit(1)
    except* OSError as group:
        for failure in leaves(group):
            click.echo(f"optix: {failure}", err=True)
        sys.exit(1)


def leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    """Return the single errors of a nested group, in order."""
    found: list[BaseException] = []
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            found.extend(leaves(error))
        else:
            found.append(error)
    return found
