"""Verification: replays the whole archive in a fresh core and compares it with what is stored.

Compared are the decisions (commands applied again give the recorded events and the recorded
chain), the state folded from the events alone, balances and positions of both, every stored
snapshot that the replay passes, and the order in which followers were served with the seeds and
reports of the days (`core.copying.fairness_audit`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from storage.archive_position import read_position
from storage.archive_records import ArchivedRecord, records
from storage.pool import Pool
from storage.postgres_recovery_store import PostgresRecoveryStore
from streams.core.commands import Command
from streams.core.copying.fairness_audit import FairnessAudit
from streams.core.invariants import check_invariants
from streams.core.kernel import Applied, Kernel
from streams.core.performance.equity import ledger_equity
from streams.core.snapshots import digest, restore
from streams.core.state import State
from streams.log.codec import BatchCodec
from streams.ports import DecodeError, EntryId


class Check(NamedTuple):
    """One line of the report: what was compared, whether it agrees, and the first difference."""

    name: str
    passed: bool
    detail: str


class Verification:
    """One run over an archive.

    Attributes:
        entries: entries replayed so far.
        events: events compared so far.
    """

    def __init__(self, pool: Pool, codec: BatchCodec[Command]) -> None:
        self._pool = pool
        self._codec = codec
        self._decided = Kernel(State())
        self._folded = Kernel(State())
        self._fairness = FairnessAudit()
        self._snapshots: dict[EntryId, list[str]] = {}
        self._snapshots_compared = 0
        self._differences: dict[str, str] = {}
        self.entries = 0
        self.events = 0

    @property
    def state(self) -> State:
        """The state that replaying the commands gave."""
        return self._decided.state

    async def run(self, on_progress: Callable[[int], None]) -> AsyncIterator[Check]:
        """Replay, then yield one check after the other.

        Args:
            on_progress: told the number of entries replayed, now and then.

        Raises:
            StorageError: PostgreSQL is away.
        """
        position = await read_position(self._pool)
        await self._load_snapshots()
        try:
            async for record in records(self._pool, until=position.entry_id):
                self._replay(record)
                if self.entries % 1_000 == 0:
                    on_progress(self.entries)
        except DecodeError as error:
            self._differ("commands", str(error))  # nothing after it can be judged
        end = EntryId(self.state.entry_ms, self.state.entry_seq)
        yield self._check("commands", f"{self.entries} entries decided again give the same record")
        yield self._check("chain", f"every chain digest agrees, {self.events} events")
        if position.entry_id != end:
            self._differ("position", f"expected {position.entry_id}, was {end}")
        yield self._check("position", f"the archive ends where it says, at {end}")
        self._compare_states()
        yield self._check("fold", "the state folded from events equals the state decided")
        yield self._check("balances", f"{len(self.state.traders)} accounts and their positions")
        yield self._check("snapshots", f"{self._snapshots_compared} stored snapshots agree")
        for problem in self._fairness.problems[:1]:
            self._differ("fairness", problem)
        audit = self._fairness
        yield self._check(
            "fairness",
            f"{audit.signals} signals in the order of {audit.seeds} seeds, "
            f"{audit.unsealed} without one",
        )
        for breach in check_invariants(self.state)[:1]:
            self._differ("invariants", breach)
        yield self._check("invariants", "books, indices and totals recomputed the slow way")

    def _check(self, name: str, good: str) -> Check:
        difference = self._differences.get(name)
        return Check(name, difference is None, good if difference is None else difference)

    def _differ(self, name: str, detail: str) -> None:
        self._differences.setdefault(name, detail)

    async def _load_snapshots(self) -> None:
        store = PostgresRecoveryStore(self._pool)
        for info in await store.snapshots():
            try:
                stored = digest(restore(await store.load(info)))
            except (DecodeError, ValueError) as error:
                self._differ("snapshots", f"snapshot at {info.entry_id}: {error}")
                continue
            self._snapshots.setdefault(info.entry_id, []).append(stored)

    def _replay(self, record: ArchivedRecord) -> None:
        """Decide an entry again, fold its events, compare.

        Raises:
            DecodeError: the entry, or what it does to the state, is damaged.
        """
        entry_id = record.entry.entry_id
        chain_before = self._decided.state.chain
        try:
            batch = self._codec.decode(record.entry.payload)
            applied = self._decided.apply(*entry_id, batch.batch_id, batch.envelopes)
        except Exception as error:  # a damaged command may break the core anywhere
            raise DecodeError(f"entry {entry_id}: {type(error).__name__}: {error}") from error
        self._compare(record, applied)
        self._fairness.follow((event for _, event in record.events), chain_before)
        self._fold(record, batch.batch_id)
        for stored in self._snapshots.pop(entry_id, ()):
            self._snapshots_compared += 1
            if stored != digest(self.state):
                self._differ("snapshots", f"snapshot at {entry_id} is not the state replayed")
        self.entries += 1
        self.events += len(record.events)

    def _fold(self, record: ArchivedRecord, batch_id: str) -> None:
        if "fold" in self._differences:
            return  # this state is broken already; the first difference is what counts
        entry_id = record.entry.entry_id
        try:
            self._folded.fold(*entry_id, batch_id, record.outcomes, record.events)
        except Exception as error:  # noqa: BLE001 - a damaged event may break the core anywhere
            self._differ("fold", f"entry {entry_id}: {type(error).__name__}: {error}")

    def _compare(self, record: ArchivedRecord, applied: Applied) -> None:
        entry_id = record.entry.entry_id
        if applied.events != record.events:
            pairs = zip(applied.events, record.events, strict=False)
            index = next(
                (i for i, (a, b) in enumerate(pairs) if a != b),
                min(len(applied.events), len(record.events)),
            )
            self._differ("commands", f"entry {entry_id}: event {index} differs from the record")
        if applied.chain != record.chain:
            self._differ(
                "chain",
                f"entry {entry_id}: expected {record.chain.hex()}, was {applied.chain.hex()}",
            )

    def _compare_states(self) -> None:
        decided, folded = self._decided.state, self._folded.state
        if digest(decided) != digest(folded):
            self._differ("fold", f"expected digest {digest(decided)}, was {digest(folded)}")
        for name, trader in decided.traders.items():
            other = folded.traders.get(name)
            if other is None or other.ledger != trader.ledger:
                mine = ledger_equity(decided, trader.ledger)
                self._differ("balances", f"{name}: equity {mine} micros differs from the record")
                return
