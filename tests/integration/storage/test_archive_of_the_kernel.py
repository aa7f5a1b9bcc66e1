"""From commands through the real kernel into PostgreSQL and back: the record rebuilds the state."""

from __future__ import annotations

import pytest

from storage.archive_position import ArchivePosition
from storage.archive_records import records
from storage.archive_unit import ArchiveUnit, make_unit
from storage.archive_writer import ArchiveWriter
from storage.history import ArchiveHistory
from storage.pool import Pool
from streams.core.commands import (
    AnyCommand,
    Command,
    FollowTrader,
    MarkRow,
    PlaceOrder,
    PublishMarks,
    RegisterInstrument,
    RegisterTrader,
    SetCopy,
    Tick,
)
from streams.core.kernel import PRIVILEGED, Kernel
from streams.core.money import MICROS, Step
from streams.core.snapshots import digest
from streams.core.state import State
from streams.log.codec import BATCH_SCHEMA, Batch, BatchCodec, Envelope
from streams.ports import ENTRY_ZERO, EntryId, LogEntry
from tests.integration.storage.archive_units import START_MS


CODEC: BatchCodec[Command] = BatchCodec(AnyCommand)
SERVICE = "service"

COMMANDS: list[tuple[str, Command]] = [
    (SERVICE, RegisterInstrument("BTC", "BTC", "x", "spot", Step(1, 2), Step(1, 3))),
    (SERVICE, PublishMarks([MarkRow("BTC", 10_000, 10_000, 10_000)])),
    *((SERVICE, RegisterTrader(t, t, t, "account", 1_000 * MICROS)) for t in ("lea", "ann", "bob")),
    ("ann", FollowTrader("lea")),
    ("ann", SetCopy("lea", allocation_micros=500 * MICROS)),
    ("bob", SetCopy("lea", allocation_micros=500 * MICROS, symbols_deny=["BTC"])),
    ("lea", PlaceOrder("BTC", "buy", 1_000)),
    ("bob", PlaceOrder("NONE", "buy", 1)),
    (SERVICE, Tick(12)),
    ("lea", PlaceOrder("BTC", "sell", 400)),
]


@pytest.fixture
def kernel() -> Kernel:
    return Kernel(State())


def applied(kernel: Kernel) -> list[ArchiveUnit]:
    units, previous = [], ENTRY_ZERO
    for number, (principal, command) in enumerate(COMMANDS):
        roles = PRIVILEGED if principal == SERVICE else 0
        envelope = Envelope(f"e{number}", f"key-{number}", principal, roles, command)
        payload = CODEC.encode(Batch(BATCH_SCHEMA, "n1", f"b{number}", [envelope]))
        entry = LogEntry(EntryId(START_MS + number, 0), payload)
        outcome = kernel.apply(*entry.entry_id, f"b{number}", [envelope])
        units.append(make_unit("e1", entry, previous, outcome, kernel.state))
        previous = entry.entry_id
    return units


async def test_record_in_postgresql_rebuilds_the_state(pool: Pool, kernel: Kernel) -> None:
    units = applied(kernel)
    await ArchiveWriter(pool).write(units, ArchivePosition("", ENTRY_ZERO, b""))
    replayed, folded = Kernel(State()), Kernel(State())

    async for record in records(pool):
        batch = CODEC.decode(record.entry.payload)
        again = replayed.apply(*record.entry.entry_id, batch.batch_id, batch.envelopes)
        told = folded.fold(*record.entry.entry_id, batch.batch_id, record.outcomes, record.events)
        assert record.chain == again.chain == told.chain

    assert digest(kernel.state) == digest(replayed.state) == digest(folded.state)


async def test_history_shows_what_the_kernel_decided(pool: Pool, kernel: Kernel) -> None:
    await ArchiveWriter(pool).write(applied(kernel), ArchivePosition("", ENTRY_ZERO, b""))
    history = ArchiveHistory(pool)

    trades = await history.trades(trader="lea", symbol="BTC")
    copied = await history.decisions(follower="ann", leader="lea")
    denied = await history.decisions(follower="bob", leader="lea", code="SYMBOL_DENIED")
    refused = await history.outcome("bob", "key-9")
    frames = await history.channel_after("copies:ann", 0, limit=200)

    assert [one.event.lots for one in trades.items] == [-400, 1_000]
    assert {"EXECUTED"} == {one.event.code for one in copied.items}
    assert len(denied.items) >= 1
    assert refused is not None
    assert refused.outcome.code == "UNKNOWN_INSTRUMENT"
    assert list(range(1, len(frames) + 1)) == [one.seq for one in frames]
    assert kernel.state.channel_seqs["copies:ann"] == len(frames)
