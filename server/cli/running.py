"""Starting a node from the command line, and saying plainly why it did not start.

The node's parts are imported when one is started: `optix --help` needs none of them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

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

    with failures_told():
        uvloop.run(run_node(settings, demo=demo, on_listening=listening))


@contextmanager
def failures_told() -> Iterator[None]:
    """Tell what the user can do something about in one line each, and exit with 1.

    Anything else is a defect of ours and goes on with its traceback.
    """
    try:
        yield
    except (OptixError, OSError) as error:
        _tell([error])
        sys.exit(1)
    except BaseExceptionGroup as group:
        known, unknown = group.split((OptixError, OSError))
        if unknown is not None:
            raise
        _tell(leaves(known) if known is not None else [])
        sys.exit(1)


def _tell(errors: Sequence[BaseException]) -> None:
    for message in dict.fromkeys(str(error) for error in errors):
        click.echo(f"optix: {message}", err=True)


def leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    """Return the single errors of a nested group, in order."""
    found: list[BaseException] = []
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            found.extend(leaves(error))
        else:
            found.append(error)
    return found
