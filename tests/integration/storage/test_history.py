from __future__ import annotations

from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from storage.archive_position import ArchivePosition
from storage.archive_records import records
from storage.archive_unit import ArchiveUnit
from storage.archive_writer import ArchiveWriter
from storage.errors import InvalidCursor, StorageUnavailable
from storage.history import ArchivedEvent, ArchiveHistory
from storage.paging import INTEGER_MAX, Page, encode_cursor
from storage.pool import Pool, open_pool
from storage.postgres_recovery_store import RECENT_MS, PostgresRecoveryStore
from streams.core.events import CopyDecided, FillBooked
from streams.ports import ENTRY_ZERO, DecodeError, LogEntry, Offset, RecentEvent
from tests.integration.storage.archive_units import (
    LEADER,
    SYMBOLS,
    make_units,
    outcome,
)


COUNT = 230


@pytest.fixture
async def units(pool: Pool) -> list[ArchiveUnit]:
    units = make_units(COUNT)
    await ArchiveWriter(pool).write(units, ArchivePosition("", ENTRY_ZERO, b""))
    return units


async def every_page(
    ask: Callable[[str | None], Awaitable[Page[ArchivedEvent]]],
) -> list[ArchivedEvent]:
    items, cursor = [], None
    while True:
        page = await ask(cursor)
        items += page.items
        cursor = page.next_cursor
        if cursor is None:
            return items
        assert page.items


def archived(units: list[ArchiveUnit], kind: type) -> list[ArchivedEvent]:
    """What the pages should hold in all, newest first."""
    return [
        ArchivedEvent(unit.entry_id, command, index, event.at_us, event)
        for unit in reversed(units)
        for index, (command, event) in reversed(list(enumerate(unit.events)))
        if isinstance(event, kind)
    ]


@pytest.mark.parametrize("limit", [1, 7, 200])
async def test_pages_have_neither_gap_nor_duplicate(
    pool: Pool, units: list[ArchiveUnit], limit: int
) -> None:
    history = ArchiveHistory(pool)
    expected = archived(units, FillBooked)

    found = await every_page(lambda cursor: history.trades(cursor=cursor, limit=limit))

    assert expected == found
    assert found[0].offset == Offset(*units[-1].entry_id, 1)


async def test_entries_archived_between_pages_shift_nothing(
    pool: Pool, units: list[ArchiveUnit]
) -> None:
    history = ArchiveHistory(pool)
    writer = ArchiveWriter(pool)
    position = ArchivePosition("e1", units[-1].entry_id, units[-1].chain)
    later = iter(make_units(100, first=COUNT + 1))

    async def ask(cursor: str | None) -> Page[ArchivedEvent]:
        nonlocal position
        page = await history.trades(cursor=cursor, limit=30)
        position = await writer.write([next(later)], position)
        return page

    assert archived(units, FillBooked) == await every_page(ask)


async def test_filters_of_trades(pool: Pool, units: list[ArchiveUnit]) -> None:
    history = ArchiveHistory(pool)
    everything = archived(units, FillBooked)
    from_us, to_us = everything[-50].at_us, everything[50].at_us

    in_time = await every_page(
        lambda cursor: history.trades(from_us=from_us, to_us=to_us, cursor=cursor)
    )
    in_symbol = await every_page(
        lambda cursor: history.trades(trader=LEADER, symbol=SYMBOLS[1], cursor=cursor)
    )

    assert [one for one in everything if from_us <= one.at_us < to_us] == in_time
    assert [one for one in everything if one.event.symbol == SYMBOLS[1]] == in_symbol
    assert (await history.trades(trader="t_nobody")).items == []
    assert len((await history.trades(symbol=SYMBOLS[0], limit=200)).items) == COUNT // 2
    assert len((await history.trades(trader=LEADER, limit=200)).items) == 200


@pytest.mark.parametrize("code", [None, "EXECUTED", "SLIPPAGE_PRE", "NO_QUOTE"])
async def test_decisions_of_a_copy(pool: Pool, units: list[ArchiveUnit], code: str | None) -> None:
    history = ArchiveHistory(pool)
    expected = [
        one
        for one in archived(units, CopyDecided)
        if one.event.follower == "t_b" and code in (None, one.event.code)
    ]

    found = await every_page(
        lambda cursor: history.decisions(
            follower="t_b", leader=LEADER, code=code, cursor=cursor, limit=11
        )
    )

    assert expected == found


async def test_channel_by_numbers(pool: Pool, units: list[ArchiveUnit]) -> None:
    history = ArchiveHistory(pool)
    seqs, after = [], 5
    while events := await history.channel_after("copies:t_b", after, limit=100):
        seqs += [one.seq for one in events]
        after = seqs[-1]
        assert all(one.archived.event.follower == "t_b" for one in events)

    assert list(range(6, COUNT + 1)) == seqs
    newest = await history.channel_page("copies:t_b", limit=200)
    oldest = await history.channel_page("copies:t_b", cursor=newest.next_cursor, limit=200)
    assert oldest.next_cursor is None
    assert list(range(COUNT, 0, -1)) == [one.seq for one in newest.items + oldest.items]


async def test_outcome_of_a_key(pool: Pool, units: list[ArchiveUnit]) -> None:
    history = ArchiveHistory(pool)

    found = await history.outcome(LEADER, "key-17")

    assert found is not None
    assert outcome(17) == found.outcome
    assert Offset(*units[16].entry_id, 1) == found.offset
    assert await history.outcome("t_a", "key-17") is None


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "%%%",
        "AAAA",
        "ä",
        "x" * 300,
        encode_cursor("decisions", 1, 2, 3, 4),
        encode_cursor("trades", 1, 2, 3),
        encode_cursor("trades", 1, -2, 3, 4),
        encode_cursor("trades", INTEGER_MAX + 1, 0, 0, 0),
    ],
)
async def test_foreign_cursors_are_refused(pool: Pool, cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        await ArchiveHistory(pool).trades(cursor=cursor)


async def test_forged_cursor_only_names_a_place(pool: Pool, units: list[ArchiveUnit]) -> None:
    cursor = encode_cursor("trades", *[INTEGER_MAX] * 4)

    page = await ArchiveHistory(pool).trades(cursor=cursor, to_us=units[2].at_us)

    assert [one.at_us for one in page.items] == [units[1].at_us, units[0].at_us]


@pytest.mark.parametrize("limit", [0, -1, 201])
async def test_limit_out_of_bounds_is_refused(pool: Pool, limit: int) -> None:
    with pytest.raises(ValueError, match="limit"):
        await ArchiveHistory(pool).trades(limit=limit)


async def test_reads_fall_back_to_the_primary(
    pool: Pool, units: list[ArchiveUnit], migrated_url: str
) -> None:
    replica = await open_pool(migrated_url, size_max=1)
    history = ArchiveHistory(pool, replica)
    assert len((await history.trades()).items) == 50
    await replica.close()

    assert len((await history.trades()).items) == 50
    assert history.fallbacks == 1

    pool.terminate()
    with pytest.raises(StorageUnavailable):
        await history.trades()


async def test_records_stream_everything_in_order(pool: Pool, units: list[ArchiveUnit]) -> None:
    found = [record async for record in records(pool)]

    assert [(u.epoch, LogEntry(u.entry_id, u.payload), u.chain) for u in units] == [
        (record.epoch, record.entry, record.chain) for record in found
    ]
    assert [u.events for u in units] == [record.events for record in found]
    assert [u.outcomes for u in units] == [record.outcomes for record in found]
    some = [r async for r in records(pool, units[9].entry_id, units[12].entry_id)]
    assert [u.entry_id for u in units[10:13]] == [record.entry.entry_id for record in some]


async def test_damaged_row_is_named(
    pool: Pool, units: list[ArchiveUnit], migrated_url: str
) -> None:
    connection = await asyncpg.connect(migrated_url)
    await connection.execute("UPDATE events SET payload = '\\x91' WHERE event_index = 1")
    await connection.close()

    with pytest.raises(DecodeError, match="archived event"):
        await ArchiveHistory(pool).trades()


async def test_recovery_reads_entries_in_pages(pool: Pool, units: list[ArchiveUnit]) -> None:
    store = PostgresRecoveryStore(pool)
    entries, after = [], ENTRY_ZERO
    while page := await store.entries(after, count_max=100):
        entries += page
        after = page[-1].entry_id

    assert [LogEntry(unit.entry_id, unit.payload) for unit in units] == entries


async def test_recovery_reads_what_reached_the_channels_lately(
    pool: Pool, units: list[ArchiveUnit]
) -> None:
    until = units[len(units) // 2]
    expected = [
        RecentEvent(
            key,
            seq,
            unit.entry_id.ms * 1000,
            unit.events[index][1],
            unit.entry_id.seq,
            index,
        )
        for unit in units
        if unit.entry_id <= until.entry_id
        for key, seq, index in sorted(unit.channels, key=lambda n: (n[2], n[0]))
    ]
    store = PostgresRecoveryStore(pool)
    actual = await store.recent_events(until.entry_id, count_max=10_000)
    recent_ms = until.entry_id.ms - RECENT_MS
    assert [e for e in expected if e.ts_us >= recent_ms * 1000] == sorted(
        actual, key=lambda e: (e.ts_us, expected.index(e))
    )
    newest = await store.recent_events(until.entry_id, count_max=3)
    assert actual[-3:] == newest


async def test_queries_use_their_indices(pool: Pool, units: list[ArchiveUnit]) -> None:
    """Planned for real sizes: a sequential scan is made expensive, a sort must not be needed."""
    from storage.queries import load

    sql = load("history")
    arguments = {
        "trades": (0, INTEGER_MAX, 0, 0, 0, 51),
        "trades_of_trader": (0, INTEGER_MAX, 0, 0, 0, 51, LEADER),
        "trades_in_symbol": (0, INTEGER_MAX, 0, 0, 0, 51, SYMBOLS[0]),
        "decisions": ("t_b", LEADER, INTEGER_MAX, 0, 0, 51),
        "decisions_skipped": ("t_b", LEADER, INTEGER_MAX, 0, 0, 51, "SLIPPAGE_PRE"),
        "channel_after": ("copies:t_b", 5, 50),
    }
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off")
        await connection.execute("SET LOCAL enable_sort = off")
        await connection.execute("SET LOCAL enable_bitmapscan = off")
        for name, values in arguments.items():
            plan = await connection.fetch(f"EXPLAIN (COSTS OFF) {sql[name]}", *values)
            text = "\n".join(row[0] for row in plan)
            assert "Index" in text, name
            assert "Seq Scan on events" not in text, name
            if name != "channel_after":
                assert "Sort Key" not in text.replace("Merge Append\n        Sort Key", ""), text
