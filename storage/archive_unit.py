"""What the replica hands to the archiver: one applied log entry with all it led to.

Invariants:
    * One unit for every entry of the log, in order, also when it changed nothing: a unit names the
      entry before it, so that a missing one shows.
    * A unit is a function of the log: two nodes make equal units for the same entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from streams.core.events import Event
from streams.core.kernel import Applied, Numbered, Outcome
from streams.core.state import State
from streams.ports import EntryId, LogEntry


UNIT_OVERHEAD_BYTES = 400
"""Memory of a unit besides its payload, events and outcomes, roughly."""

EVENT_OVERHEAD_BYTES = 600
"""Memory of one event or outcome with its encoding and channel numbers, roughly."""


class ArchiveUnit(NamedTuple):
    """One applied entry.

    Attributes:
        epoch: name of the log's life.
        previous: the entry applied before (`ENTRY_ZERO` for the first).
        entry_id: this entry.
        payload: the entry as read from the log.
        events: (command index, event) in order; the place in this list is the `event_index`.
        encoded: msgpack of each event, in order.
        outcomes: those on record, in order.
        channels: numbers given to these events in lossless channels.
        chain: digest chain of the state after this entry.
        at_us: market time after this entry, for events that carry none, microseconds.
    """

    epoch: str
    previous: EntryId
    entry_id: EntryId
    payload: bytes
    events: Sequence[tuple[int, Event]]
    encoded: Sequence[bytes]
    outcomes: Sequence[Outcome]
    channels: Sequence[Numbered]
    chain: bytes
    at_us: int

    @property
    def bytes_estimated(self) -> int:
        """Memory the unit holds, roughly; the archiver's bound counts this."""
        rows = len(self.events) + len(self.outcomes)
        return UNIT_OVERHEAD_BYTES + len(self.payload) + rows * EVENT_OVERHEAD_BYTES


def make_unit(
    epoch: str, entry: LogEntry, previous: EntryId, applied: Applied, state: State
) -> ArchiveUnit:
    """Make the unit of an entry just applied, without copying anything.

    Args:
        epoch: name of the log's life.
        entry: as read from the log.
        previous: the entry applied before.
        applied: what applying it produced.
        state: the state after it; only its market time is read.
    """
    return ArchiveUnit(
        epoch=epoch,
        previous=previous,
        entry_id=entry.entry_id,
        payload=entry.payload,
        events=applied.events,
        encoded=applied.encoded,
        outcomes=applied.recorded,
        channels=applied.numbered,
        chain=applied.chain,
        at_us=state.market_at_us if state.recorded_market else entry.entry_id.ms * 1000,
    )
