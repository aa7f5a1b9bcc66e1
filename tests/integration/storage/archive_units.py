"""A small log as the replica would hand it to the archiver: equal units in every process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import msgspec

from storage.archive_position import ArchivePosition
from storage.archive_unit import ArchiveUnit
from storage.archiver import Reread
from storage.pool import Pool
from streams.core.events import CopyDecided, Event, FillBooked, PositionResult, Ticked
from streams.core.kernel import Outcome
from streams.ports import ENTRY_ZERO, EntryId


START_MS = 1_767_225_600_000
STEP_MS = 1_000
LEADER = "t_leader"
FOLLOWERS = ("t_a", "t_b", "t_c")
SYMBOLS = ("hl:BTC", "hl:ETH")
RESULT = PositionResult(5, 500, 0, 0, 0, 0)


def fill(number: int, at_us: int, trader: str = LEADER) -> FillBooked:
    return FillBooked(
        fill=f"f_{number}",
        trader=trader,
        symbol=SYMBOLS[number % 2],
        lots=5,
        price_ticks=64_250,
        fee_micros=12,
        notional_micros=1_000_000,
        source="paper",
        order="",
        execution="",
        signal_seq=number,
        result=RESULT,
        at_us=at_us,
    )


def decision(number: int, follower: str, at_us: int) -> CopyDecided:
    skipped = (number + FOLLOWERS.index(follower)) % 3 == 0
    return CopyDecided(
        follower=follower,
        leader=LEADER,
        signal_seq=number,
        leg="open",
        symbol=SYMBOLS[number % 2],
        code="SLIPPAGE_PRE" if skipped else "EXECUTED",
        clamps=(),
        version=1,
        leader_equity_micros=1,
        follower_equity_micros=1,
        leader_lots=5,
        leader_price_ticks=64_250,
        wanted_lots=3,
        lots=0 if skipped else 3,
        price_ticks=64_250,
        fee_micros=0,
        slippage_bps=0,
        result=None,
        carry_ppb=0,
        at_us=at_us,
    )


def outcome(number: int) -> Outcome:
    return Outcome(1, f"c{number}", LEADER, f"key-{number}", "PlaceOrder", "OK", f"o_{number}")


def make_units(count: int, *, epoch: str = "e1", first: int = 1) -> list[ArchiveUnit]:
    """Units `first`, `first` + 1, …: a tick, a fill and a decision for each follower."""
    return [_unit(number, epoch) for number in range(first, first + count)]


def _entry_id(number: int) -> EntryId:
    return EntryId(START_MS + number * STEP_MS, number % 3) if number else ENTRY_ZERO


def _unit(number: int, epoch: str) -> ArchiveUnit:
    entry_id = _entry_id(number)
    at_us = entry_id.ms * 1000
    events: list[tuple[int, Event]] = [
        (0, Ticked(number=number, second=True, at_us=at_us)),
        (1, fill(number, at_us)),
    ]
    events += [(1, decision(number, follower, at_us)) for follower in FOLLOWERS]
    channels = [(f"signals:{LEADER}", number, 1)]
    channels += [(f"copies:{f}", number, 2 + i) for i, f in enumerate(FOLLOWERS)]
    outcomes = [outcome(number), Outcome(2, f"x{number}", "t_a", None, "OpenOrder", "NO_QUOTE")]
    return ArchiveUnit(
        epoch=epoch,
        previous=_entry_id(number - 1),
        entry_id=entry_id,
        payload=f"payload {number}".encode(),
        events=events,
        encoded=[msgspec.msgpack.encode(event) for _, event in events],
        outcomes=outcomes,
        channels=channels,
        chain=number.to_bytes(16, "big"),
        at_us=at_us,
    )


def reread_from(units: Sequence[ArchiveUnit]) -> Reread:
    """The private replay, from a list in memory."""

    async def reread(after: EntryId, until: EntryId) -> AsyncIterator[ArchiveUnit]:
        for unit in units:
            if after < unit.entry_id <= until:
                yield unit

    return reread


async def assert_archived_once(pool: Pool, units: Sequence[ArchiveUnit]) -> None:
    """The archive holds exactly these units, each row once, and the position of the last."""
    entries = await pool.fetch(
        "SELECT epoch, entry_ms, entry_seq, payload, chain FROM log_entries"
        " ORDER BY entry_ms, entry_seq"
    )
    assert [(u.epoch, *u.entry_id, u.payload, u.chain) for u in units] == [
        tuple(e) for e in entries
    ]
    events = await pool.fetch(
        "SELECT entry_ms, entry_seq, event_index, command_index, kind, payload FROM events"
        " ORDER BY entry_ms, entry_seq, event_index"
    )
    expected = [
        (*unit.entry_id, index, command, type(event).__name__, msgspec.msgpack.encode(event))
        for unit in units
        for index, (command, event) in enumerate(unit.events)
    ]
    assert expected == [tuple(event) for event in events]
    outcomes = await pool.fetchval("SELECT count(*) FROM command_outcomes")
    assert sum(len(unit.outcomes) for unit in units) == outcomes
    numbers = await pool.fetchval("SELECT count(*) FROM channel_events")
    assert sum(len(unit.channels) for unit in units) == numbers
    last = units[-1]
    position = await pool.fetchrow("SELECT epoch, entry_ms, entry_seq, chain FROM archive_position")
    assert (last.epoch, *last.entry_id, last.chain) == tuple(position)


def position_of(unit: ArchiveUnit) -> ArchivePosition:
    return ArchivePosition(unit.epoch, unit.entry_id, unit.chain)
