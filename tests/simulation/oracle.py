"""What must be true of a cluster at a quiet point, worked out from the log alone.

The oracle reads the archive and the log, applies every entry in a fresh kernel, and compares:
the nodes with it, the record (events alone) with it, snapshots with it, and the clients' answers
with the outcomes that stand there.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import NamedTuple

import msgspec

from streams.core.commands import AnyCommand, Command
from streams.core.events import AnyEvent
from streams.core.invariants import check_invariants
from streams.core.kernel import Applied, Kernel, Outcome
from streams.core.snapshots import digest, restore, snapshot
from streams.core.state import State
from streams.log.codec import BatchCodec
from streams.ports import EntryId, LogEntry
from tests.simulation.cluster import Cluster, Lost
from tests.simulation.workload import Operation


_codec: BatchCodec[Command] = BatchCodec(AnyCommand)
_events = msgspec.msgpack.Decoder(AnyEvent)


class Replayed(NamedTuple):
    """The history that stands, applied from its beginning."""

    entries: list[LogEntry]
    state: State
    applied: list[tuple[str, Applied]]

    @property
    def outcomes(self) -> list[tuple[str, Outcome]]:
        """(entry, outcome) of every command that was executed or found answered."""
        return [
            (f"{applied.ms}-{applied.seq}", outcome)
            for _, applied in self.applied
            for outcome in applied.outcomes
        ]


def standing_entries(cluster: Cluster) -> list[LogEntry]:
    """Return the archived entries, then those of the log above them."""
    position = cluster.archive.position
    held = [stored.entry for stored in cluster.server._stored]
    return cluster.archive.entries + [entry for entry in held if entry.entry_id > position]


def apply_entries(state: State, entries: list[LogEntry]) -> list[tuple[str, Applied]]:
    """Apply entries to a state; return (batch id, what it produced) of each."""
    kernel = Kernel(state)
    applied = []
    for entry in entries:
        batch = _codec.decode(entry.payload)
        produced = kernel.apply(*entry.entry_id, batch.batch_id, batch.envelopes)
        applied.append((batch.batch_id, produced))
    return applied


def replay(cluster: Cluster) -> Replayed:
    """Apply the history that stands in a fresh kernel."""
    state, entries = State(), standing_entries(cluster)
    return Replayed(entries, state, apply_entries(state, entries))


def check_nodes(cluster: Cluster, replayed: Replayed) -> list[str]:
    """Compare every node with the history, and their frames with each other."""
    breaches = cluster.failures()
    expected = digest(replayed.state)
    for node in cluster.nodes.values():
        state = node.replica.state
        if state.chain != replayed.state.chain:
            breaches.append(f"{node.run}: its chain differs from the log's at {node.replica.seen}")
        if digest(state) != expected:
            breaches.append(f"{node.run}: its digest differs from the log's at {node.replica.seen}")
        if node.replica.epoch != cluster.server.epoch:
            breaches.append(f"{node.run}: expected epoch {cluster.server.epoch}")
    for node in [*cluster.nodes.values(), *cluster.ended]:
        breaches += node.sink.gaps
    breaches += cluster.shared.breaches(cluster.server.epoch)
    return breaches + check_invariants(replayed.state)


def check_record(replayed: Replayed) -> list[str]:
    """Rebuild the state from encoded events and recorded outcomes alone, byte for byte."""
    kernel = Kernel(State())
    for batch_id, applied in replayed.applied:
        indices = [index for index, _ in applied.events]
        events = [_events.decode(encoded) for encoded in applied.encoded]
        folded = kernel.fold(
            applied.ms, applied.seq, batch_id, applied.recorded, zip(indices, events, strict=True)
        )
        if folded.chain != applied.chain:
            return [f"fold: the chain differs from entry {applied.ms}-{applied.seq} on"]
        if folded.numbered != applied.numbered:
            return [f"fold: channel numbers differ at entry {applied.ms}-{applied.seq}"]
    if snapshot(kernel.state) != snapshot(replayed.state):
        return ["fold: the state folded from events is another than the one applied"]
    return []


def check_snapshots(cluster: Cluster, replayed: Replayed, random: Random) -> list[str]:
    """Restore one stored snapshot of the history that stands, apply what follows, compare."""
    chains = {EntryId(each.ms, each.seq): each.chain for _, each in replayed.applied}
    restored = [(info, restore(cluster.archive.data(info))) for info in cluster.archive.saved()]
    standing = [each for each in restored if chains.get(each[0].entry_id) == each[1].chain]
    if not standing:
        return []
    info, state = random.choice(standing)
    apply_entries(state, [each for each in replayed.entries if each.entry_id > info.entry_id])
    if digest(state) != digest(replayed.state):
        return [f"snapshot at {info.entry_id} and the tail give another state"]
    return []


def check_history(operations: list[Operation], replayed: Replayed, lost: list[Lost]) -> list[str]:
    """Every answered command stands exactly once, unless the log lost its entry; none twice."""
    standing = replayed.outcomes
    first = Counter(
        (outcome.principal, outcome.key)
        for _, outcome in standing
        if outcome.key is not None and not outcome.first
    )
    breaches = [f"key {key}: applied {count} times" for key, count in first.items() if count > 1]
    sent = Counter(outcome.envelope for _, outcome in standing)
    breaches += [f"envelope {name}: applied {n} times" for name, n in sent.items() if n > 1]
    by_place = {
        f"{entry}.{outcome.index}": outcome for entry, outcome in standing if not outcome.first
    }
    lost_ids = {str(each.entry.entry_id) for each in lost}
    for operation in operations:
        breaches += _check_answers(operation, by_place, lost_ids)
    return breaches


def _check_answers(
    operation: Operation, by_place: dict[str, Outcome], lost_ids: set[str]
) -> list[str]:
    breaches = []
    offsets = dict.fromkeys(answer.offset for answer in operation.answers)
    for answer in operation.answers:
        outcome = by_place.get(answer.offset)
        mine = (
            outcome is not None
            and outcome.principal == operation.principal
            and outcome.key in operation.keys
        )
        if mine and outcome is not None and outcome.code == answer.code:
            continue
        if answer.offset.rpartition(".")[0] in lost_ids:
            offsets.pop(answer.offset, None)
            continue
        breaches.append(f"{operation.name} {operation.key}: answer {answer} stands nowhere")
    if len(offsets) > 1:
        breaches.append(f"{operation.name} {operation.key}: answered at {list(offsets)}")
    return breaches


def check_losses(cluster: Cluster, replayed: Replayed) -> list[str]:
    """What a living node had seen is either repaired or ended by a new epoch."""
    standing = {entry.entry_id: entry for entry in replayed.entries}
    living = {node.run for node in cluster.nodes.values()}
    return [
        f"entry {each.entry.entry_id} was lost without a new epoch, seen by {each.witnesses}"
        for each in cluster.lost
        if living.intersection(each.witnesses)
        and standing.get(each.entry.entry_id) != each.entry
        and each.epoch == cluster.server.epoch
    ]
