"""The last applied entries, raw, so that a log that lost them can be made whole again.

A replica adds every entry it applies. When the log turns out shorter than what was applied, it
hands `entries()` to `Log.repair`. Source: reliability.md, section 2, "repair".

Invariants:
    * Ids ascend. What is held has no gap: it is everything applied after `anchor`.
    * Bounded by bytes and by age in log time; the newest entry is always held. Bound the age well
      beyond the worst loss window of the server (2 s with `appendfsync everysec`).
"""

from __future__ import annotations

from collections import deque

from streams.ports import ENTRY_ZERO, EntryId, LogEntry


RECENT_BYTES_MAX = 64 * 1024 * 1024
RECENT_AGE_MS_MAX = 60_000
ENTRY_OVERHEAD_BYTES = 200
"""What one entry costs in memory besides its payload, roughly."""


class RecentEntries:
    """A bounded queue of applied entries. Owner: the replica that applies them."""

    def __init__(
        self,
        *,
        anchor: EntryId = ENTRY_ZERO,
        bytes_max: int = RECENT_BYTES_MAX,
        age_ms_max: int = RECENT_AGE_MS_MAX,
    ) -> None:
        """Start empty.

        Args:
            anchor: newest entry already applied (from a snapshot or the archive).
            bytes_max: bound of the payloads with their overhead.
            age_ms_max: bound of the distance in log time to the newest entry.
        """
        self.anchor = anchor
        self.bytes_held = 0
        self.bytes_max = bytes_max
        self.age_ms_max = age_ms_max
        self._entries: deque[LogEntry] = deque()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def newest(self) -> EntryId:
        """Id of the newest entry applied."""
        return self._entries[-1].entry_id if self._entries else self.anchor

    def add(self, entry: LogEntry) -> None:
        """Remember an entry that was just applied; forget what is too old or too much.

        Raises:
            ValueError: the entry is not newer than the newest one.
        """
        if entry.entry_id <= self.newest:
            raise ValueError(f"expected an entry after {self.newest}, was {entry.entry_id}")
        self._entries.append(entry)
        self.bytes_held += _bytes_of(entry)
        oldest_ms = entry.entry_id.ms - self.age_ms_max
        while len(self._entries) > 1 and (
            self.bytes_held > self.bytes_max or self._entries[0].entry_id.ms < oldest_ms
        ):
            forgotten = self._entries.popleft()
            self.bytes_held -= _bytes_of(forgotten)
            self.anchor = forgotten.entry_id

    def entries(self) -> list[LogEntry]:
        """Return what `Log.repair` takes: the anchor without payload, then all that is held."""
        return [LogEntry(self.anchor, b""), *self._entries]

    def restart(self, anchor: EntryId) -> None:
        """Forget everything: the state was rebuilt up to `anchor`."""
        self._entries.clear()
        self.bytes_held = 0
        self.anchor = anchor


def _bytes_of(entry: LogEntry) -> int:
    return len(entry.payload) + ENTRY_OVERHEAD_BYTES
