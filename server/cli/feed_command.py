"""`optix feed play`: a recorded market into a running node, over its HTTP port.

Records travel in portions. A portion whose answer was lost is sent again under the same run and
number, so nothing is applied twice; a node that restarts in between is waited for.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from collections import Counter
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import msgspec
import rich_click as click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from server.auth.state_files import service_key
from server.cli.running import settings_or_exit
from server.settings import Settings
from streams.replica.feeds.player import RecordingInvalid, play, read_recording


ANSWER_SECONDS_MAX = 30.0
RETRY_SECONDS = 0.5
BODY_BYTES_MAX = 2 * 1024 * 1024
"""A longer portion is sent in halves: the node takes no more than twice as much at once."""


class FeedFailed(click.ClickException):
    """The node refused a portion, or stayed away."""


@click.group(name="feed")
def command() -> None:
    """Play a recorded market into a running node."""


@command.command(name="play")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--speed", default="1", help="Recorded seconds a real second, or `max`.")
@click.option("--loop", is_flag=True, help="Play again when it ended, until stopped.")
@click.option("--wait", "wait_seconds", default=120, help="Seconds to wait for an absent node.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def play_command(file: Path, speed: str, loop: bool, wait_seconds: int, as_json: bool) -> None:
    """Play FILE (replay format, .jsonl or .jsonl.gz) into the node at OPTIX_HOST:OPTIX_PORT."""
    settings = settings_or_exit()
    pace = _pace(speed)
    try:
        records = read_recording(file)
    except (RecordingInvalid, OSError) as error:
        raise FeedFailed(str(error)) from None
    if not records:
        raise FeedFailed(f"{file}: expected records, was empty")
    with closing(FeedTarget(settings, wait_seconds)) as target:
        started = time.perf_counter()
        asyncio.run(_play(records, target, pace, loop=loop, total=None if loop else len(records)))
        _report(target, time.perf_counter() - started, as_json=as_json)


def _pace(speed: str) -> float | None:
    if speed == "max":
        return None
    try:
        pace = float(speed)
    except ValueError:
        pace = 0.0
    if not 0 < pace < 1e9:
        raise click.BadParameter(f"expected a number above 0 or `max`, was {speed}")
    return pace


async def _play(
    records: list[dict[str, Any]],
    target: FeedTarget,
    pace: float | None,
    *,
    loop: bool,
    total: int | None,
) -> None:
    console = Console(stderr=True)
    columns = (TextColumn("playing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("playing", total=total)
        printed = time.monotonic()
        async for taken in play(records, target.take, speed=pace, loop=loop):
            progress.update(task, completed=taken)
            if not console.is_terminal and time.monotonic() - printed > 5:
                printed = time.monotonic()
                click.echo(f"{taken} records", err=True)


def _report(target: FeedTarget, seconds: float, *, as_json: bool) -> None:
    records = sum(target.by_type.values())
    if as_json:
        click.echo(
            json.dumps(
                {
                    "run": target.run,
                    "records": records,
                    "seconds": round(seconds, 3),
                    "records_per_second": round(records / seconds),
                    "by_type": dict(target.by_type),
                    "refused": dict(target.refused),
                    "retries": target.retries,
                }
            )
        )
        return
    click.echo(f"{records} records in {seconds:.1f} s ({records / seconds:,.0f}/s), all applied")
    for name, count in target.by_type.items():
        click.echo(f"  {name:<10} {count:>9,}")
    for code, count in target.refused.items():
        click.echo(f"  refused {code}: {count}")


class FeedTarget:
    """The node that is fed.

    Attributes:
        run: id of this playing; part of every idempotency key.
        by_type: records taken by the node, by type.
        refused: commands its core refused, by code.
        retries: portions that were sent again.
    """

    def __init__(self, settings: Settings, wait_seconds: float) -> None:
        self.run = secrets.token_hex(6)
        self.by_type: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.retries = 0
        self._host, self._port = settings.host, settings.port
        self._key = service_key(settings)
        self._wait_seconds = wait_seconds
        self._connection: HTTPConnection | None = None

    async def take(self, first: int, records: list[dict[str, Any]]) -> None:
        """Send a portion and wait until the node has applied it; see `player.play`."""
        body = msgspec.msgpack.encode({"run": self.run, "first": first, "records": records})
        if len(body) > BODY_BYTES_MAX and len(records) > 1:
            half = len(records) // 2
            await self.take(first, records[:half])
            await self.take(first + half, records[half:])
            return
        answer = await asyncio.to_thread(self._until_taken, body)
        self.by_type.update(answer["by_type"])
        self.refused.update(answer["refused"])

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _until_taken(self, body: bytes) -> dict[str, Any]:
        give_up = time.monotonic() + self._wait_seconds
        while True:
            try:
                status, answer = self._post(body)
            except (OSError, HTTPException) as error:
                self._connection = None
                reason = f"no answer from {self._host}:{self._port}: {error}"
            else:
                if status in (200, 201):
                    return answer
                reason = f"{answer.get('code', status)}: {answer.get('detail', '')}"
                if status not in (429, 503, 504):
                    raise FeedFailed(reason)
            if time.monotonic() > give_up:
                raise FeedFailed(reason)
            self.retries += 1
            time.sleep(RETRY_SECONDS)

    def _post(self, body: bytes) -> tuple[int, dict[str, Any]]:
        if self._connection is None:
            self._connection = HTTPConnection(self._host, self._port, timeout=ANSWER_SECONDS_MAX)
        headers = {
            "Authorization": f"Key {self._key}",
            "Content-Type": "application/msgpack",
            "Accept": "application/json",
        }
        self._connection.request("POST", "/v1/admin/feed", body, headers)
        response = self._connection.getresponse()
        text = response.read()
        try:
            answer = json.loads(text)
        except json.JSONDecodeError:
            answer = {"detail": text[:200].decode("utf-8", "replace")}
        return response.status, answer


if __name__ == "__main__":
    sys.exit(command())
