"""What ends a replica, and what its recovery tells."""

from __future__ import annotations

from typing import NamedTuple

from streams.ports import EntryId, OptixError


class PoisonedEntry(OptixError):
    """The core raised while applying an entry: the node cannot go on past it."""

    def __init__(self, entry_id: EntryId, error: BaseException) -> None:
        super().__init__(f"applying entry {entry_id} raised {error!r}")
        self.entry_id = entry_id


class Recovered(NamedTuple):
    """How the last recovery went."""

    snapshot: EntryId
    archived_entries: int
    seconds: float
