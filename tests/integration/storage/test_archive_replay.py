"""Units derived from the log again are those that the replica made, wherever they come from."""

from __future__ import annotations

import pytest

from storage import snapshots
from storage.archive_position import ArchivePosition
from storage.archive_replay import ENTRIES_PER_READ_MAX, ArchiveReplay
from storage.archive_unit import ArchiveUnit, make_unit
from storage.archive_writer import ArchiveWriter
from storage.pool import Pool
from storage.postgres_recovery_store import PostgresRecoveryStore
from streams.core.commands import AnyCommand, Command, MarkRow, PublishMarks, RegisterInstrument
from streams.core.kernel import PRIVILEGED, Kernel
from streams.core.money import Step
from streams.core.snapshots import SNAPSHOT_SCHEMA, restore, snapshot
from streams.core.state import State
from streams.log.codec import BATCH_SCHEMA, Batch, BatchCodec, Envelope
from streams.log.memory_log import MemoryLog, MemoryLogServer
from streams.ports import ENTRY_ZERO, DecodeError, EntryId, LogEntry, LogHole, LogTruncated
from tests.manual_clock import ManualClock


CODEC: BatchCodec[Command] = BatchCodec(AnyCommand)
COUNT = 12


class History:
    """A log of marks, the units a replica made of it, and its state after each entry."""

    def __init__(self) -> None:
        self.server = MemoryLogServer()
        self.clock = ManualClock()
        self.log = MemoryLog(self.server, self.clock)
        self.kernel = Kernel(State())
        self.units: list[ArchiveUnit] = []
        self.states: list[State] = [State()]

    async def go_on(self, count: int = COUNT, *, price: int = 100) -> None:
        epoch = await self.log.open()
        for _ in range(count):
            self.clock.advance(1)
            number = len(self.units)
            command: Command = PublishMarks([MarkRow("X", price + number, price + number, 1)])
            if number == 0:
                command = RegisterInstrument("X", "X", "v", "c", Step(1, 1), Step(1, 1))
            envelope = Envelope(f"e{number}", f"k{number}", "feed", PRIVILEGED, command)
            batch = Batch(BATCH_SCHEMA, "n", f"b{price}.{number}", [envelope])
            before = self.seen
            payload = CODEC.encode(batch)
            entry = LogEntry((await self.log.append(payload, seen=before)).entry_id, payload)
            applied = self.kernel.apply(*entry.entry_id, batch.batch_id, batch.envelopes)
            self.units.append(make_unit(epoch, entry, before, applied, self.kernel.state))
            self.states.append(restore(snapshot(self.kernel.state)))

    @property
    def seen(self) -> EntryId:
        return self.units[-1].entry_id if self.units else ENTRY_ZERO

    def at(self, number: int) -> EntryId:
        """Return the id of an entry, counted from 1."""
        return self.units[number - 1].entry_id if number else ENTRY_ZERO

    async def archive(self, pool: Pool, count: int) -> None:
        if count:
            await ArchiveWriter(pool).write(
                self.units[:count], ArchivePosition("", ENTRY_ZERO, b"")
            )

    async def save(self, pool: Pool, number: int, *, epoch: str | None = None) -> None:
        await snapshots.save(
            pool,
            epoch=epoch or self.server.epoch,
            entry_id=self.at(number),
            schema=SNAPSHOT_SCHEMA,
            digest=self.states[number].chain,
            data=snapshot(self.states[number]),
        )

    async def derived(self, pool: Pool, after: EntryId, until: EntryId) -> list[ArchiveUnit]:
        store = PostgresRecoveryStore(pool)
        replay = ArchiveReplay(store, self.log, CODEC, self.server.epoch)
        return [unit async for unit in replay.units(after, until)]


@pytest.fixture
async def history() -> History:
    made = History()
    await made.go_on()
    return made


@pytest.mark.parametrize(
    ("archived", "snapshot_at", "trimmed"),
    [
        pytest.param(0, (), 0, id="from the log alone"),
        pytest.param(5, (), 5, id="archive, then the log"),
        pytest.param(12, (), 12, id="from the archive alone"),
        pytest.param(5, (3,), 5, id="snapshot, archive, then the log"),
        pytest.param(5, (5,), 5, id="snapshot at the archive's end"),
        pytest.param(5, (2, 4, 9), 5, id="a snapshot beyond what is asked for"),
        pytest.param(0, (4,), 4, id="a snapshot before the archive begins"),
    ],
)
async def test_units_are_those_of_the_replica(
    pool: Pool, history: History, archived: int, snapshot_at: tuple[int, ...], trimmed: int
) -> None:
    await history.archive(pool, archived)
    for number in snapshot_at:
        await history.save(pool, number)
    await history.log.trim(history.at(trimmed))

    derived = await history.derived(pool, history.at(5), history.at(10))

    assert history.units[5:10] == derived


async def test_nothing_is_derived_for_nothing(pool: Pool, history: History) -> None:
    assert await history.derived(pool, history.at(5), history.at(5)) == []


async def test_a_damaged_snapshot_gives_way_to_the_next_older_one(
    pool: Pool, history: History
) -> None:
    await history.archive(pool, 5)
    for number in (2, 3, 4):
        await history.save(pool, number)
    await pool.execute(
        "DELETE FROM snapshot_chunks WHERE snapshot_id = (SELECT max(snapshot_id) FROM snapshots)"
    )
    await snapshots.save(
        pool,
        epoch="e1",
        entry_id=history.at(5),
        schema=SNAPSHOT_SCHEMA,
        digest=b"",
        data=b"no state",
    )

    assert history.units[5:] == await history.derived(pool, history.at(5), history.at(COUNT))


async def test_a_snapshot_of_a_history_that_was_lost_is_not_believed(pool: Pool) -> None:
    """Its entries stand neither in the archive nor in the log that went on without them."""
    history = History()
    await history.go_on(4)
    await history.archive(pool, 4)
    lost = History()
    await lost.go_on(4)
    await lost.go_on(3, price=900)
    await lost.save(pool, 6, epoch="a life before")
    await history.log.begin_epoch(history.seen)
    await history.go_on(6)

    derived = await history.derived(pool, history.at(8), history.at(10))

    assert history.units[8:10] == derived


async def test_what_the_log_has_trimmed_unarchived_is_an_error(
    pool: Pool, history: History
) -> None:
    await history.archive(pool, 3)
    await history.log.trim(history.at(8))

    with pytest.raises(LogHole):
        await history.derived(pool, history.at(3), history.at(10))


async def test_more_entries_than_one_read(pool: Pool) -> None:
    history = History()
    await history.go_on(ENTRIES_PER_READ_MAX + 3)
    await history.archive(pool, ENTRIES_PER_READ_MAX + 1)
    await history.log.trim(history.at(ENTRIES_PER_READ_MAX))

    assert history.units == await history.derived(pool, ENTRY_ZERO, history.seen)


@pytest.mark.parametrize("lost", [0, 2])
async def test_entries_that_are_not_there_are_an_error(
    pool: Pool, history: History, lost: int
) -> None:
    history.server.faults.truncate(lost)
    beyond = EntryId(history.seen.ms + 1, 0)

    with pytest.raises((DecodeError, LogTruncated)):
        await history.derived(pool, history.at(5), beyond)
