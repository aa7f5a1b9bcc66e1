"""Commands, envelopes and a tail for the tests of the log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from streams.log.codec import BatchCodec, Envelope
from streams.log.submitter import Submitter
from streams.ports import ENTRY_ZERO, CommandOutcome, EntryId, Log


class Say(msgspec.Struct, array_like=True, tag=True, frozen=True):
    text: str
    loud: bool = False


class Count(msgspec.Struct, array_like=True, tag=True, frozen=True):
    number: int


Sample = Say | Count


def sample_codec() -> BatchCodec[Sample]:
    return BatchCodec(Sample)


def say(id_: str, text: str = "hello") -> Envelope[Sample]:
    return Envelope(id_, f"key-{id_}", "t_1", 1, Say(text))


class Tail:
    """Applies what the log shows, as a replica does: remembers ids and answers callers.

    A batch whose id was seen before is dropped, like the core does.
    """

    def __init__(self, log: Log) -> None:
        self.seen: EntryId = ENTRY_ZERO
        self.applied: list[str] = []
        self.batch_sizes: list[int] = []
        self.repeated: list[str] = []
        self._log = log
        self._codec = sample_codec()
        self._batch_ids: set[str] = set()

    async def run(self, submitter: Callable[[], Submitter[Sample]]) -> None:
        while True:
            for entry in await self._log.read(self.seen, count_max=100, wait_ms=60_000):
                self.seen = entry.entry_id
                batch = self._codec.decode(entry.payload)
                submitter().batch_seen(batch.batch_id)
                if batch.batch_id in self._batch_ids:
                    self.repeated.append(batch.batch_id)
                    continue
                self._batch_ids.add(batch.batch_id)
                self.batch_sizes.append(len(batch.envelopes))
                for index, envelope in enumerate(batch.envelopes):
                    self.applied.append(envelope.id)
                    offset = f"{entry.entry_id}.{index}"
                    submitter().resolve(envelope.id, CommandOutcome("OK", offset, {}))


async def cancelled(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
