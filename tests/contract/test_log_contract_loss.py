"""What every `Log` promises when entries were lost: truncation, repair, epochs."""

from __future__ import annotations

import asyncio

import pytest

from streams.log.recent import RecentEntries
from streams.ports import (
    ENTRY_ZERO,
    EntryId,
    EpochChanged,
    Log,
    LogEntry,
    LogTruncated,
    LogUnavailable,
)
from tests.contract.log_places import Place, follows
from tests.support import MS


async def applied(log: Log, count: int) -> RecentEntries:
    """Append entries and apply them, as a replica does."""
    recent = RecentEntries()
    for number in range(count):
        await log.append(f"entry {number}".encode(), seen=recent.newest)
        for entry in await log.read(recent.newest, count_max=10, wait_ms=1_000):
            recent.add(entry)
    return recent


async def everything(log: Log) -> list[LogEntry]:
    return await log.read(ENTRY_ZERO, count_max=1_000, wait_ms=0)


async def test_append_is_refused_when_the_log_is_behind_the_caller(place: Place) -> None:
    log = await place.open()
    entry_id = (await log.append(b"one", seen=ENTRY_ZERO)).entry_id
    ahead = follows(entry_id)

    with pytest.raises(LogTruncated) as caught:
        await log.append(b"two", seen=ahead)

    assert (caught.value.head, caught.value.seen) == (entry_id, ahead)
    assert await log.length() == 1


async def test_append_is_refused_after_a_loss(place: Place) -> None:
    log = await place.open()
    recent = await applied(log, 4)
    await place.lose(2)

    with pytest.raises(LogTruncated):
        await log.append(b"next", seen=recent.newest)

    assert await log.length() == 2


async def test_append_of_a_node_that_knows_less_is_accepted(place: Place) -> None:
    log = await place.open()
    recent = await applied(log, 4)
    known = recent.entries()[2].entry_id
    await place.lose(2)

    entry_id, _ = await (await place.open("n2")).append(b"next", seen=known)

    assert await log.head() == entry_id > known


async def test_reader_is_told_of_the_loss_when_its_wait_ends(place: Place) -> None:
    log = await place.open()
    recent = await applied(log, 3)
    await place.lose(1)

    with pytest.raises(LogTruncated) as caught:
        await log.read(recent.newest, count_max=10, wait_ms=10)

    assert caught.value.head == recent.entries()[2].entry_id
    assert not caught.value.foreign


async def test_reader_is_told_of_the_loss_although_foreign_entries_stand_above(
    place: Place,
) -> None:
    log = await place.open()
    recent = await applied(log, 4)
    known = recent.entries()[2].entry_id
    await place.lose(2)
    await (await place.open("n2")).append(b"foreign", seen=known)
    for number in range(10):  # ids of the new life pass those of the old one
        await log.append(b"foreign %d" % number, seen=ENTRY_ZERO)

    with pytest.raises(LogTruncated) as caught:
        await log.read(recent.newest, count_max=100, wait_ms=10)

    assert caught.value.foreign


async def test_repair_makes_the_log_whole(place: Place) -> None:
    log = await place.open()
    recent = await applied(log, 6)
    before = await everything(log)
    await place.lose(3)

    head = await log.repair(recent.entries())

    assert head == recent.newest == await log.head()
    assert await everything(log) == before
    assert await log.read(recent.newest, count_max=1, wait_ms=0) == []


async def test_repair_may_be_repeated_and_joined_by_others(place: Place) -> None:
    logs = [await place.open(name) for name in ("n1", "n2", "n3")]
    recent = await applied(logs[0], 6)
    before = await everything(logs[0])
    await place.lose(4)

    heads = await asyncio.gather(*(log.repair(recent.entries()) for log in logs))
    again = await logs[0].repair(recent.entries())

    assert [*heads, again] == [recent.newest] * 4
    assert await everything(logs[1]) == before


async def test_repair_by_a_node_that_knows_more_goes_on(place: Place) -> None:
    log, other = await place.open("n1"), await place.open("n2")
    recent = await applied(log, 6)
    before = await everything(log)
    await place.lose(4)
    behind = recent.entries()[:-2]

    assert await other.repair(behind) == behind[-1].entry_id
    assert await log.repair(recent.entries()) == recent.newest
    assert await other.repair(behind) == recent.newest
    assert await everything(log) == before


async def test_repair_from_the_very_beginning(place: Place) -> None:
    log = await place.open()
    recent = await applied(log, 3)
    await place.lose(3)

    assert await log.repair(recent.entries()) == recent.newest

    assert len(await everything(log)) == 3


async def test_repair_joins_on_at_an_anchor_whose_payload_is_forgotten(place: Place) -> None:
    log = await place.open()
    entries = (await applied(log, 4)).entries()
    recent = RecentEntries(anchor=entries[2].entry_id)
    for entry in entries[3:]:
        recent.add(entry)
    await place.lose(2)

    assert await log.repair(recent.entries()) == entries[-1].entry_id

    assert await log.length() == 4


async def test_repair_with_nothing_missing_changes_nothing(place: Place) -> None:
    log = await place.open()
    recent = await applied(log, 3)
    behind = recent.entries()
    newest = (await log.append(b"later", seen=recent.newest)).entry_id

    assert await log.repair(behind) == newest
    assert await log.repair([]) == newest
    assert await log.length() == 4


async def test_repair_is_refused_when_a_foreign_entry_stands_above(place: Place) -> None:
    log = await place.open()
    recent = await applied(log, 4)
    known = recent.entries()[2].entry_id
    await place.lose(2)
    foreign, _ = await (await place.open("n2")).append(b"foreign", seen=known)

    with pytest.raises(LogTruncated) as caught:
        await log.repair(recent.entries())

    assert caught.value.seen == recent.newest
    assert await log.head() == foreign
    assert await log.length() == 3


async def test_repair_is_refused_when_the_entries_do_not_join_on(place: Place) -> None:
    log = await place.open()
    recent = await applied(log, 5)
    await place.lose(4)

    with pytest.raises(LogTruncated):
        await log.repair(recent.entries()[3:])

    assert await log.length() == 1


async def test_repair_is_refused_when_the_common_entry_is_another(place: Place) -> None:
    log = await place.open()
    recent = await applied(log, 3)
    await place.lose(1)
    anchor, first, second, third = recent.entries()
    changed = [anchor, first, LogEntry(second.entry_id, b"another"), third]

    with pytest.raises(LogTruncated):
        await log.repair(changed)

    assert await log.length() == 2


async def test_after_a_repair_appending_and_reading_go_on(place: Place) -> None:
    log = await place.open()
    recent = await applied(log, 4)
    await place.lose(2)
    await log.repair(recent.entries())

    entry_id = await append_when_open(log, b"next", recent.newest)

    assert entry_id > recent.newest
    assert await log.read(recent.newest, count_max=9, wait_ms=0) == [LogEntry(entry_id, b"next")]


async def append_when_open(log: Log, payload: bytes, seen: EntryId) -> EntryId:
    """Append as soon as the grace after a repair is over."""
    async with asyncio.timeout(5_000 * MS):
        while True:
            try:
                return (await log.append(payload, seen=seen)).entry_id
            except LogUnavailable:
                await asyncio.sleep(5 * MS)


async def test_new_epoch_is_seen_by_appenders_and_readers(place: Place) -> None:
    log, other = await place.open("n1"), await place.open("n2")
    old = await log.open()
    recent = await applied(log, 2)

    new = await other.begin_epoch(recent.newest)

    assert new != old
    with pytest.raises(EpochChanged) as caught:
        await log.append(b"late", seen=recent.newest)
    assert (caught.value.expected, caught.value.actual) == (old, new)
    with pytest.raises(EpochChanged):
        await log.read(recent.newest, count_max=1, wait_ms=0)
    with pytest.raises(EpochChanged):
        await log.repair(recent.entries())
    assert await log.open() == new


async def test_new_epoch_is_seen_by_a_waiting_reader(place: Place) -> None:
    log, other = await place.open("n1"), await place.open("n2")
    reading = asyncio.create_task(log.read(ENTRY_ZERO, count_max=1, wait_ms=200))
    await asyncio.sleep(0)

    await other.begin_epoch(ENTRY_ZERO)

    with pytest.raises(EpochChanged):
        await reading


async def test_only_one_of_two_nodes_begins_the_next_epoch(place: Place) -> None:
    log, other = await place.open("n1"), await place.open("n2")
    new = await log.begin_epoch(ENTRY_ZERO)

    with pytest.raises(EpochChanged) as caught:
        await other.begin_epoch(ENTRY_ZERO)

    assert caught.value.actual == new


async def test_ids_of_a_new_epoch_follow_the_given_one(place: Place) -> None:
    log = await place.open()
    recent = await applied(log, 2)
    far = EntryId(recent.newest.ms + 10_000_000, 7)

    await log.begin_epoch(far)

    assert await log.head() == far
    assert (await log.append(b"first", seen=far)).entry_id > far


async def test_new_epoch_of_an_empty_log(place: Place) -> None:
    log = await place.open()
    far = EntryId(9_000_000_000_000, 0)

    await log.begin_epoch(far)
    entry_id = (await log.append(b"first", seen=far)).entry_id

    assert entry_id == EntryId(9_000_000_000_000, 1)
    assert await log.read(ENTRY_ZERO, count_max=9, wait_ms=0) == [LogEntry(entry_id, b"first")]
    assert await log.read(far, count_max=9, wait_ms=0) == [LogEntry(entry_id, b"first")]


async def test_new_epoch_never_takes_ids_back(place: Place) -> None:
    log = await place.open()
    recent = await applied(log, 3)

    await log.begin_epoch(ENTRY_ZERO)

    assert await log.head() == recent.newest
    assert (await log.append(b"next", seen=recent.newest)).entry_id > recent.newest


async def test_readers_between_the_old_end_and_the_new_epoch_read_on(place: Place) -> None:
    log = await place.open()
    recent = await applied(log, 3)
    middle, far = follows(recent.newest), follows(follows(recent.newest))
    far = EntryId(far.ms + 10_000_000, 0)
    await log.begin_epoch(far)
    entry_id = (await log.append(b"first", seen=far)).entry_id

    for after in (recent.newest, middle, far):
        assert await log.read(after, count_max=9, wait_ms=0) == [LogEntry(entry_id, b"first")]
