"""What every `Log` promises, whatever keeps it: order, reading, waiting, trimming."""

from __future__ import annotations

import asyncio
import os

import pytest

from streams.ports import ENTRY_ZERO, EntryId, Log, LogEntry, LogHole
from tests.contract.log_places import Place
from tests.support import MS


async def fill(log: Log, count: int, label: str = "entry") -> list[LogEntry]:
    entries = []
    for number in range(count):
        payload = f"{label} {number}".encode()
        entries.append(LogEntry((await log.append(payload, seen=ENTRY_ZERO)).entry_id, payload))
    return entries


async def test_new_log_is_empty_and_has_an_epoch(place: Place) -> None:
    log = await place.open()

    assert await log.length() == 0
    assert await log.head() == ENTRY_ZERO
    assert await log.open() == await (await place.open("n2")).open() != ""


async def test_entries_are_read_in_the_order_of_appending(place: Place) -> None:
    log = await place.open()

    appended = await fill(log, 5)

    assert await log.read(ENTRY_ZERO, count_max=10, wait_ms=0) == appended
    assert await log.length() == 5


async def test_ids_increase(place: Place) -> None:
    log = await place.open()

    ids = [entry.entry_id for entry in await fill(log, 50)]

    assert ids == sorted(set(ids))
    assert await log.head() == ids[-1]


async def test_read_starts_after_the_given_entry_and_stops_at_the_count(place: Place) -> None:
    log = await place.open()
    appended = await fill(log, 6)

    assert await log.read(appended[1].entry_id, count_max=2, wait_ms=0) == appended[2:4]
    assert await log.read(appended[5].entry_id, count_max=2, wait_ms=0) == []


async def test_successive_reads_give_every_entry_once(place: Place) -> None:
    log = await place.open()
    appended = await fill(log, 10)

    after, found = ENTRY_ZERO, []
    while part := await log.read(after, count_max=3, wait_ms=0):
        found += part
        after = part[-1].entry_id

    assert found == appended


async def test_all_nodes_read_the_same(place: Place) -> None:
    one, two = await place.open("n1"), await place.open("n2")
    await fill(one, 3, "one")
    await fill(two, 3, "two")

    seen_by_one = await one.read(ENTRY_ZERO, count_max=10, wait_ms=0)

    assert len(seen_by_one) == 6
    assert await two.read(ENTRY_ZERO, count_max=10, wait_ms=0) == seen_by_one


async def test_waiting_read_is_woken_by_an_append(place: Place) -> None:
    reader, writer = await place.open("n1"), await place.open("n2")

    async with asyncio.timeout(5_000 * MS):
        reading = asyncio.create_task(reader.read(ENTRY_ZERO, count_max=10, wait_ms=60_000))
        entry_id = (await writer.append(b"wake", seen=ENTRY_ZERO)).entry_id
        found = await reading

    assert found == [LogEntry(entry_id, b"wake")]


async def test_waiting_read_returns_nothing_when_nothing_comes(place: Place) -> None:
    log = await place.open()
    [entry] = await fill(log, 1)

    assert await log.read(ENTRY_ZERO, count_max=1, wait_ms=20) == [entry]
    assert await log.read(entry.entry_id, count_max=1, wait_ms=20) == []


async def test_cancelled_read_leaves_the_handle_usable(place: Place) -> None:
    log, writer = await place.open("n1"), await place.open("n2")
    reading = asyncio.create_task(log.read(ENTRY_ZERO, count_max=1, wait_ms=60_000))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    [entry] = await fill(writer, 1)

    assert await log.read(ENTRY_ZERO, count_max=1, wait_ms=1_000) == [entry]


async def test_append_does_not_wait_for_a_waiting_read_of_the_same_handle(place: Place) -> None:
    log = await place.open()

    async with asyncio.timeout(5_000 * MS):
        reading = asyncio.create_task(log.read(ENTRY_ZERO, count_max=10, wait_ms=60_000))
        await asyncio.sleep(0)
        entry_id = (await log.append(b"own", seen=ENTRY_ZERO)).entry_id
        assert await reading == [LogEntry(entry_id, b"own")]


async def test_second_waiting_read_of_a_handle_is_refused(place: Place) -> None:
    log = await place.open()
    reading = asyncio.create_task(log.read(ENTRY_ZERO, count_max=1, wait_ms=60_000))
    await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="one waiting read"):
        await log.read(ENTRY_ZERO, count_max=1, wait_ms=1)

    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


async def test_read_that_does_not_wait_may_pass_one_that_does(place: Place) -> None:
    log = await place.open()
    appended = await fill(log, 3)
    newest = appended[-1].entry_id
    tailing = asyncio.create_task(log.read(newest, count_max=1, wait_ms=60_000))
    await asyncio.sleep(0)

    async with asyncio.timeout(5_000 * MS):
        assert await log.read(ENTRY_ZERO, count_max=9, wait_ms=0) == appended
        entry_id = (await log.append(b"next", seen=newest)).entry_id
        assert await tailing == [LogEntry(entry_id, b"next")]


async def test_concurrent_appenders_are_put_in_one_order(place: Place) -> None:
    one, two = await place.open("n1"), await place.open("n2")

    entries_one, entries_two = await asyncio.gather(fill(one, 40, "one"), fill(two, 40, "two"))

    expected = sorted(entries_one + entries_two)
    assert await one.read(ENTRY_ZERO, count_max=100, wait_ms=0) == expected


async def test_concurrent_appends_of_one_handle_are_all_kept(place: Place) -> None:
    log = await place.open()

    ids = await asyncio.gather(
        *(log.append(b"%d" % number, seen=ENTRY_ZERO) for number in range(30))
    )

    assert len(set(ids)) == 30
    assert await log.length() == 30


async def test_big_and_binary_payloads_come_back_unchanged(place: Place) -> None:
    log = await place.open()
    payloads = [os.urandom(4 * 1024 * 1024), bytes(range(256)), b"\0", b"\r\n$-1\r\n"]

    for payload in payloads:
        await log.append(payload, seen=await log.head())

    found = await log.read(ENTRY_ZERO, count_max=10, wait_ms=0)
    assert [entry.payload for entry in found] == payloads


async def test_empty_payload_is_refused(place: Place) -> None:
    log = await place.open()

    with pytest.raises(ValueError, match="expected a payload"):
        await log.append(b"", seen=ENTRY_ZERO)


async def test_use_before_opening_is_refused(place: Place) -> None:
    log = await place.open()
    await log.close()

    with pytest.raises(RuntimeError, match="opened first"):
        await log.append(b"x", seen=ENTRY_ZERO)
    with pytest.raises(RuntimeError, match="opened first"):
        await log.read(ENTRY_ZERO, count_max=1, wait_ms=0)


async def test_trim_forgets_entries_below(place: Place) -> None:
    log = await place.open()
    entries = await fill(log, 6)

    assert await log.trim(entries[4].entry_id) == 4

    assert await log.length() == 2
    assert await log.read(entries[3].entry_id, count_max=10, wait_ms=0) == entries[4:]
    assert await log.trim(entries[4].entry_id) == 0


async def test_trim_never_forgets_the_newest_entry(place: Place) -> None:
    log = await place.open()
    entries = await fill(log, 3)

    assert await log.trim(EntryId(entries[2].entry_id.ms + 1_000, 0)) == 2

    assert await log.head() == entries[2].entry_id
    assert await log.read(entries[1].entry_id, count_max=10, wait_ms=0) == entries[2:]


async def test_trim_of_an_empty_log_is_harmless(place: Place) -> None:
    log = await place.open()

    assert await log.trim(EntryId(5, 0)) == 0


@pytest.mark.parametrize("known", [0, 1, 2])
async def test_reader_behind_the_trim_point_is_told_of_the_hole(place: Place, known: int) -> None:
    log = await place.open()
    entries = await fill(log, 6)
    await log.trim(entries[4].entry_id)
    after = entries[known].entry_id

    with pytest.raises(LogHole) as caught:
        await log.read(after, count_max=10, wait_ms=0)

    assert caught.value.after == after
    assert caught.value.first == entries[4].entry_id


async def test_reader_from_the_beginning_is_told_of_the_hole(place: Place) -> None:
    log = await place.open()
    entries = await fill(log, 3)
    await log.trim(entries[1].entry_id)

    with pytest.raises(LogHole):
        await log.read(ENTRY_ZERO, count_max=10, wait_ms=0)


async def test_reader_overtaken_by_a_trim_is_told_of_the_hole(place: Place) -> None:
    log = await place.open()
    entries = await fill(log, 6)
    [first] = await log.read(ENTRY_ZERO, count_max=1, wait_ms=0)
    await log.trim(entries[3].entry_id)

    with pytest.raises(LogHole):
        await log.read(first.entry_id, count_max=1, wait_ms=0)


async def test_append_tells_whether_it_follows_what_the_caller_has_seen(place: Place) -> None:
    log = await place.open()
    first, follows = await log.append(b"one", seen=ENTRY_ZERO)
    assert follows
    second, follows = await log.append(b"two", seen=first)
    assert follows
    third, follows = await log.append(b"three", seen=first)
    assert not follows
    assert await log.read(first, count_max=9, wait_ms=0) == [
        LogEntry(second, b"two"),
        LogEntry(third, b"three"),
    ]
