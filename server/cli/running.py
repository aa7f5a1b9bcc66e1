"""Starting a node from the command line, and saying plainly why it did not start.

The node's parts are imported when one is started: `optix --help` needs none of them.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager

import rich_click as click
import structlog

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

    from server.observability.logs import configure_logs

    configure_logs(settings.log_level, settings.log_format)

    def listening(address: str) -> None:
        click.echo(f"OPTIX is ready at {address}  (stop with Ctrl-C)")
        if demo:
            click.echo("A recorded market day is playing; open the address in a browser.")

    with failures_told():
        uvloop.run(_run(settings, demo=demo, on_listening=listening))


async def _run(settings: Settings, *, demo: bool, on_listening: Callable[[str], None]) -> None:
    """Open the stores and, while they start, import the parts of the node; then run it.

    Raises:
        OptixError: the address, a store or the schema is not as it must be.
        BaseExceptionGroup: a store does not start, or a part of the node failed.
    """
    from server.listening import bound_sockets
    from server.stores import opened_stores

    async with AsyncExitStack() as stack:
        sockets = bound_sockets(settings.host, settings.port)
        for each in sockets:
            stack.callback(each.close)
        async with asyncio.TaskGroup() as group:
            stores = stack.enter_async_context(opened_stores(settings))
            opening = group.create_task(stores, name="open-stores")
            await asyncio.sleep(0)  # the starting goes on in a thread; importing holds up the loop
            from server.node import run_node
        structlog.get_logger("optix.node").info("stores_open", node=settings.node_name)
        await run_node(settings, opening.result(), sockets, demo=demo, on_listening=on_listening)


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
