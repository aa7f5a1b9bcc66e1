"""The core alone on the real mix of a recorded day: commands a second of CPU time.

Floor: decoding the same entries and counting their commands, which is the least a replica does.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from server.bench.figures import Figure, Report, at_least
from server.bench.offline import recorded_entries
from server.demo import RECORDED_DAY
from streams.core.commands import AnyCommand, Command
from streams.core.kernel import Kernel
from streams.core.state import State
from streams.log.codec import BatchCodec
from streams.ports import LogEntry
from streams.replica.feeds.player import read_recording


ROUNDS = 5
COMMANDS_PER_SECOND_MIN = 30_000


def run(recording: Path = RECORDED_DAY, rounds: int = ROUNDS) -> Report:
    """Measure; the best of several rounds stands, since others share the machine."""
    records = read_recording(recording)
    entries = asyncio.run(recorded_entries(records))
    codec: BatchCodec[Command] = BatchCodec(AnyCommand)
    commands, applying = 0, []
    decoding = []
    for _ in range(rounds):
        decoding.append(_decode(codec, entries))
        seconds, commands = _apply(codec, entries)
        applying.append(seconds)
    best, floor = min(applying), min(decoding)
    return Report(
        "core alone, real mix of the recorded day",
        [
            at_least("commands", commands / best, "commands/s", COMMANDS_PER_SECOND_MIN),
            Figure("records", len(records) / best, "records/s"),
            Figure("time of a command", best / commands * 1e6, "µs"),
            Figure("ratio to decoding alone", best / floor, "times"),
        ],
        f"{recording.name}: {len(records)} records, {commands} commands in {len(entries)} entries; "
        f"process CPU time, best of {rounds}",
    )


def _decode(codec: BatchCodec[Command], entries: list[LogEntry]) -> float:
    started = time.process_time()
    for entry in entries:
        codec.decode(entry.payload)
    return time.process_time() - started


def _apply(codec: BatchCodec[Command], entries: list[LogEntry]) -> tuple[float, int]:
    kernel = Kernel(State())
    count = 0
    started = time.process_time()
    for entry in entries:
        batch = codec.decode(entry.payload)
        applied = kernel.apply(*entry.entry_id, batch.batch_id, batch.envelopes)
        count += len(applied.outcomes)
    return time.process_time() - started, count
