"""Plays a recording: reads it, paces it, hands it on in portions.

Gaps between segments are skipped. A recording that is looped is shifted forward in time by whole
rounds, so that market time never goes back; its settlements are left out, because a settled
instrument cannot be played again.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from streams.replica.feeds.steps import places_of, with_steps


PORTION_MAX = 2_000
"""Records handed on at once at full speed."""

PORTION_SECONDS = 0.1
"""Real time that one portion covers when the speed is limited."""

NAMES = {"inst": ("inst",), "fill": ("trader", "inst")}
"""Fields by which records are put together while a file is read."""

DAY_NS = 86_400_000_000_000


class RecordingInvalid(ValueError):
    """A file is not a recording in the replay format; says where and what was expected."""


class Portion(NamedTuple):
    """Consecutive records of one round.

    Attributes:
        first: number of the first record, counted through all rounds.
        records: in order of time.
        wait_seconds: real time from handing them on to the next portion.
    """

    first: int
    records: list[dict[str, Any]]
    wait_seconds: float


def read_recording(path: Path) -> list[dict[str, Any]]:
    """Read a replay file, plain or gzip; add ticks and lots, keep `pos0` where it counts.

    Raises:
        RecordingInvalid: a line is not a record, or the file is damaged.
        OSError: the file cannot be read.
    """
    records = []
    open_text = gzip.open if path.suffix == ".gz" else open
    try:
        with open_text(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                records.append(_record(line, f"{path}:{number}"))
    except (EOFError, zlib.error, UnicodeDecodeError) as error:
        raise RecordingInvalid(f"{path}: expected whole UTF-8 or gzip, {error}") from None
    return _with_first_holdings(with_steps(records))


def _record(line: str, place: str) -> dict[str, Any]:
    """Return the record of a line that has what reading needs; the feed checks the rest."""
    try:
        record: dict[str, Any] = json.loads(line)
        if not (isinstance(record["t"], int) and isinstance(record["type"], str)):
            raise TypeError("`t` in nanoseconds and `type` as text")
        places_of((record,))
        for name in NAMES.get(record["type"], ()):
            if not isinstance(record[name], str):
                raise TypeError(f"`{name}` as text")
    except (ValueError, KeyError, TypeError, ArithmeticError) as error:
        raise RecordingInvalid(f"{place}: expected a record, was {error!r}") from None
    return record


def _with_first_holdings(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Take `pos0` out of all fills but the first of each holding of a segment.

    Only there it says what was held before the recording. A node that was started again in the
    middle of a segment has forgotten which fill was the first, and would take the next one for it.
    """
    held: set[tuple[str, str]] = set()
    for record in records:
        if record["type"] == "segment":
            held.clear()
        elif record["type"] == "fill":
            holding = (record["trader"], record["inst"])
            if holding in held:
                record.pop("pos0", None)
            held.add(holding)
    return records


def portions(
    records: list[dict[str, Any]], *, speed: float | None, loop: int = 0
) -> Iterator[Portion]:
    """Cut one round into portions.

    Args:
        records: a whole recording.
        speed: recorded seconds a real second; None = as fast as it is taken.
        loop: number of the round; from 1 on times are shifted and settlements left out.
    """
    if not records:
        return
    shift = loop * (span_ns(records) + DAY_NS)
    number = loop * len(records)
    first, gathered, begun = number, list[dict[str, Any]](), None
    limit_ns = None if speed is None else int(PORTION_SECONDS * speed * 1e9)
    for original in records:
        at = original["t"]
        record = {**original, "t": at + shift, "loop": loop} if loop else original
        starts_segment = record["type"] == "segment"
        full = len(gathered) >= PORTION_MAX
        late = limit_ns is not None and begun is not None and at - begun > limit_ns
        if gathered and (full or late or starts_segment):
            gap = 0 if starts_segment or begun is None else at - begun
            yield Portion(first, gathered, 0.0 if speed is None else gap / speed / 1e9)
            first, gathered, begun = number, [], None
        number += 1
        begun = at if begun is None else begun
        gathered.append(record)
    if gathered:
        yield Portion(first, gathered, 0.0)


def span_ns(records: list[dict[str, Any]]) -> int:
    """Return the time from the first to the last record in nanoseconds, rounded up to days."""
    span = int(records[-1]["t"]) - int(records[0]["t"])
    return -(-span // DAY_NS) * DAY_NS


async def play(
    records: list[dict[str, Any]],
    take: Callable[[int, list[dict[str, Any]]], Awaitable[None]],
    *,
    speed: float | None,
    loop: bool,
) -> AsyncIterator[int]:
    """Play a recording, once or for ever; yield how many records were taken so far.

    Args:
        records: a whole recording, see `read_recording`.
        take: given (number of the first record, records); returns when they are applied.
        speed: see `portions`.
        loop: play again when it ended, until cancelled.
    """
    running = asyncio.get_running_loop()
    taken, rounds, due = 0, 0, running.time()
    kept = [r for r in records if r["type"] != "settle"] if loop else records
    while kept:
        for portion in portions(kept, speed=speed, loop=rounds):
            await take(portion.first, portion.records)
            taken += len(portion.records)
            yield taken
            due = max(due + portion.wait_seconds, running.time() - 1.0)
            if due > running.time():
                await asyncio.sleep(due - running.time())
        rounds += 1
        if not loop:
            return
