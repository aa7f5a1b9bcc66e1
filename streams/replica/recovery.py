"""What a node takes from the store: the state to begin with, and entries the log has lost.

Invariant: a snapshot serves only when the archive holds the entry it ends with, or, where the
archive does not reach so far, when its epoch goes on (then the log tells whether it holds it). Any
other may contain commands that the log lost, and no other node has them.
"""

from __future__ import annotations

from typing import Any

from streams.core.commands import Command
from streams.core.snapshots import restore
from streams.core.state import State
from streams.log.codec import BatchCodec
from streams.log.recent import RecentEntries
from streams.ports import ENTRY_ZERO, DecodeError, EntryId, LogEntry, RecoveryStore
from streams.replica.history import History


ENTRIES_PER_READ_MAX = 256
ARCHIVED_PER_READ_MAX = 1_000
"""Entries read from the archive at once: a start waits for each read."""

RECENT_EVENTS_MAX = 20_000
"""Archived events taken into memory at a start, so that clients can resume from before it."""

_SEQ_MAX = 2**31 - 1
"""Largest second part of an id that the archive can hold."""


async def newest_state(
    store: RecoveryStore | None,
    epoch: str,
    codec: BatchCodec[Command],
    journal: Any,
    *,
    until: EntryId | None = None,
) -> tuple[State, EntryId]:
    """Return the newest state that can be had and its entry; an empty one when there is none.

    Args:
        store: snapshots and archived entries.
        epoch: the log's present epoch.
        codec: decodes archived entries.
        journal: where skipped and damaged snapshots are written down.
        until: newest entry that the state may hold; None = any.
    """
    if store is None:
        return State(), ENTRY_ZERO
    for info in await store.snapshots():
        if until is not None and info.entry_id > until:
            continue
        try:
            state = restore(await store.load(info))
        except (DecodeError, ValueError) as error:
            journal.error("snapshot_damaged", snapshot=str(info.entry_id), error=str(error))
            continue
        standing = await _archived(store, info.entry_id, state, codec)
        if standing or (standing is None and info.epoch == epoch):
            return state, info.entry_id
        journal.warning("snapshot_skipped", snapshot=str(info.entry_id), epoch=info.epoch)
    return State(), ENTRY_ZERO


async def _archived(
    store: RecoveryStore, entry_id: EntryId, state: State, codec: BatchCodec[Command]
) -> bool | None:
    """Return whether the archive holds the entry a state ends with; None when it ends before.

    The id alone does not tell: after a loss another entry may have got it.
    """
    found = await store.entries(_before(entry_id), count_max=1)
    if not found:
        return None
    if found[0].entry_id != entry_id:
        return False
    return codec.decode(found[0].payload).batch_id in state.batch_ids


def _before(entry_id: EntryId) -> EntryId:
    """Return an id just below, so that what is read after it begins with the entry itself."""
    ms, seq = entry_id
    return EntryId(ms, seq - 1) if seq else EntryId(ms - 1, _SEQ_MAX)


async def remember_recent(
    store: RecoveryStore | None, history: History, seen: EntryId, state: State
) -> None:
    """Take what reached the channels lately into memory: clients resume over a start.

    A snapshot may be newer than the archive: a channel whose newest events are missing there is
    left out, or whoever resumes it would skip them; and nothing that merges channels may count on
    what is older than the snapshot.

    Args:
        store: the archive.
        history: empty so far.
        seen: the entry that the state ends with.
        state: as restored.
    """
    history.whole_after = (seen.ms * 1000, seen.seq, _SEQ_MAX)
    if store is None:
        return
    found = await store.recent_events(seen, count_max=RECENT_EVENTS_MAX)
    newest = {recent.key: recent.seq for recent in found}
    seqs = state.channel_seqs
    for recent in found:
        if newest[recent.key] == seqs.get(recent.key):
            history.add_event(*recent)
    entries = await store.entries(_before(seen), count_max=1)
    if found and entries and entries[0].entry_id == seen:
        oldest = found[0]
        history.whole_after = (oldest.ts_us, oldest.entry_seq, oldest.event_index)


async def lost_entries(
    recent: RecentEntries, store: RecoveryStore | None, head: EntryId
) -> list[LogEntry]:
    """Return what `Log.repair` needs: from memory, or from the archive when it reaches further.

    Args:
        recent: what this node has applied of late.
        store: the archive.
        head: the newest entry that log and node have in common.
    """
    if recent.anchor <= head or store is None:
        return recent.entries()
    found = [LogEntry(head, b"")]
    while entries := await store.entries(found[-1].entry_id, count_max=ARCHIVED_PER_READ_MAX):
        found.extend(entries)
    newest = found[-1].entry_id
    return found + [entry for entry in recent.entries() if entry.entry_id > newest]
