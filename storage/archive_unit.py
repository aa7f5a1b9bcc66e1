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
from streams.ports import EntryId


UNIT_OVERHEAD_BYTES = 400
"""Memory of a unit besides its payload and events, roughly."""

EVENT_OVERHEAD_BYTES = 500
"""Memory of one event with its row and channel numbers, roughly."""


class OutcomeRow(NamedTuple):
    """Answer to one command. `result` is JSON text; `key` is None when none was given."""

    command_index: int
    principal: str
    name: str
    key: str | None
    code: str
    result: str


class ChannelRow(NamedTuple):
    """Number of one event in one lossless channel. `event_index` counts the entry's events."""

    channel: str
    seq: int
    event_index: int


class ArchiveUnit(NamedTuple):
    """One applied entry.

    Attributes:
        epoch: name of the log's life.
        previous: the entry applied before (`ENTRY_ZERO` for the first).
        entry_id: this entry.
        payload: the entry as read from the log.
        events: (command_index, event) in order; the place in this list is the `event_index`.
        outcomes: one for each command worth keeping, in order.
        channels: numbers given to these events.
        chain: digest chain of the state after this entry.
        at_us: market time after this entry, for events that carry none, microseconds.
    """

    epoch: str
    previous: EntryId
    entry_id: EntryId
    payload: bytes
    events: Sequence[tuple[int, Event]]
    outcomes: Sequence[OutcomeRow]
    channels: Sequence[ChannelRow]
    chain: bytes
    at_us: int

    @property
    def bytes_estimated(self) -> int:
        """Memory the unit holds, roughly; the archiver's bound counts this."""
        rows = len(self.events) + len(self.outcomes)
        return UNIT_OVERHEAD_BYTES + len(self.payload) + rows * EVENT_OVERHEAD_BYTES
