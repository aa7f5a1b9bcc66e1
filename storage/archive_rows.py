"""Rows of the archive's tables, made from units.

The columns beside the payload (`trader`, `symbol`, …) are found by field name once for each class
of event: a new event is archived without a change here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import msgspec

from storage.archive_unit import ArchiveUnit
from streams.core.events import Event


ENTRY_COLUMNS = ("entry_ms", "entry_seq", "epoch", "payload", "chain")
EVENT_COLUMNS = (
    "entry_ms", "entry_seq", "event_index", "command_index", "at_us",
    "kind", "trader", "symbol", "counterparty", "code", "payload",
)  # fmt: skip
OUTCOME_COLUMNS = (
    "entry_ms", "entry_seq", "command_index", "principal", "name", "key", "code", "payload",
)  # fmt: skip
CHANNEL_COLUMNS = ("channel", "seq", "entry_ms", "entry_seq", "event_index")

Row = tuple[Any, ...]
Describe = Callable[[Event, int], Row]

_encode = msgspec.msgpack.Encoder().encode

_TRADER_FIELDS = ("trader", "follower")
_COUNTERPARTY_FIELDS = ("leader", "target")


def event_rows(units: Sequence[ArchiveUnit]) -> Iterator[Row]:
    """Yield one row of `events` for each event in order."""
    for unit in units:
        ms, seq = unit.entry_id
        at_us = unit.at_us
        recorded = zip(unit.events, unit.encoded, strict=True)
        for index, ((command_index, event), payload) in enumerate(recorded):
            describe = _describer(type(event))
            yield (ms, seq, index, command_index, *describe(event, at_us), payload)


def entry_rows(units: Sequence[ArchiveUnit]) -> Iterator[Row]:
    """Yield one row of `log_entries` for each unit."""
    for unit in units:
        yield (*unit.entry_id, unit.epoch, unit.payload, unit.chain)


def outcome_rows(units: Sequence[ArchiveUnit]) -> Iterator[Row]:
    """Yield one row of `command_outcomes` for each outcome."""
    for unit in units:
        ms, seq = unit.entry_id
        for one in unit.outcomes:
            yield (ms, seq, one.index, one.principal, one.name, one.key, one.code, _encode(one))


def channel_rows(units: Sequence[ArchiveUnit]) -> Iterator[Row]:
    """Yield one row of `channel_events` for each number."""
    for unit in units:
        ms, seq = unit.entry_id
        for channel, number, event_index in unit.channels:
            yield (channel, number, ms, seq, event_index)


@cache
def _describer(kind: type[Event]) -> Describe:
    """Return the function (event, at_us of the unit) → the row from `at_us` to `code`."""
    fields = set(kind.__struct_fields__)
    name = kind.__name__
    timed = "at_us" in fields
    trader = next((field for field in _TRADER_FIELDS if field in fields), None)
    symbol = "symbol" if "symbol" in fields else None
    counterparty = next((field for field in _COUNTERPARTY_FIELDS if field in fields), None)
    code = "code" if "code" in fields else None

    def describe(event: Event, at_us: int) -> Row:
        return (
            (event.at_us or at_us) if timed else at_us,  # type: ignore[attr-defined]
            name,
            getattr(event, trader) if trader else None,
            getattr(event, symbol) if symbol else None,
            getattr(event, counterparty) if counterparty else None,
            getattr(event, code) if code else None,
        )

    return describe
