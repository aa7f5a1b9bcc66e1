"""The `optix` command line: one entry point, one module a command, loaded when it is named.

Exit codes: 0 done; 1 the command found a difference or failed; 2 it was called wrongly.
"""

from __future__ import annotations

import importlib

import rich_click as click


COMMANDS: dict[str, str] = {
    "up": "start a node on this machine, playing a recorded market day",
    "serve": "start a node",
    "migrate": "bring the database schema up to date",
    "feed": "play a recorded market into a running node",
    "verify": "replay the archive and compare it with what is stored",
    "doctor": "say what is running where, and check it",
    "sentiment": "score messages, bearish -1 to bullish 1",
    "performance": "print every metric of a CSV file",
    "bench": "measure against a floor taken in the same run",
}


class Commands(click.RichGroup):
    """Loads `server.cli.<name>_command` only when its command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of a first session."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"server.cli.{cmd_name}_command")
        command: click.Command = module.command
        return command


@click.group(cls=Commands)
@click.version_option(package_name="optix", prog_name="optix")
def cli() -> None:
    """OPTIX: a social-trading network as one real-time WebSocket server."""


def main() -> None:
    """Run the command line."""
    cli(prog_name="optix")


if __name__ == "__main__":
    main()
