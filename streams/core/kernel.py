"""The kernel: applies one entry of the log after the other to the state.

A batch of commands goes in; outcomes, events and channel numbers come out. Each command is
decided against the state that all earlier ones left; `emit` applies an event at once. The record
of an entry (its events and outcomes) rebuilds the state without the rules: `fold` is `apply`
without `decide`, and both run the same `emit`.

Invariants:
    * Entries are applied once, in order; a batch id or idempotency key seen before changes nothing.
    * A refused command emits nothing.
    * Two clocks: log time (the entry's id) orders and expires; market time (of marks and fills)
      closes days and ages stances. They are equal unless a recorded market is played.
    * `chain` hashes every event and recorded outcome: equal chains mean equal records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol

import msgspec

from streams.core import channels
from streams.core.commands import Command
from streams.core.context import Context, Decision, Refusal
from streams.core.derived import Derived
from streams.core.dispatch import DECIDERS, EVOLVERS
from streams.core.eldest import Eldest
from streams.core.events import Event, Ticked
from streams.core.limits import BATCH_IDS_MAX, IDEMPOTENCY_AGE_US_MAX, IDEMPOTENCY_KEYS_MAX
from streams.core.network.standing import closed_trader
from streams.core.state import KeyOutcome, State
from streams.core.valuation import Valuation
from streams.core.view import ROUTES


PRIVILEGED = 1
"""Bit of `Envelope.roles`: the principal is a service of the node."""

_encode = msgspec.msgpack.Encoder().encode


class Envelope(Protocol):
    """A command on its way: who asks, and under which key the answer is remembered.

    Attributes:
        id: unique id, by which the submitter finds its waiting caller.
        key: idempotency key, or None.
        principal: trader id or name of a service.
        roles: bit set, see `PRIVILEGED`.
        command: one of `commands.AnyCommand`.
    """

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def key(self) -> str | None: ...  # noqa: D102
    @property
    def principal(self) -> str: ...  # noqa: D102
    @property
    def roles(self) -> int: ...  # noqa: D102
    @property
    def command(self) -> Any: ...  # noqa: D102


class Outcome(msgspec.Struct, array_like=True, gc=False):
    """What became of one command.

    Attributes:
        index: the command's index in its entry.
        envelope: the envelope's id.
        principal: who asked.
        key: idempotency key, or None.
        name: the command's class name.
        code: `OK` or a reason.
        result: id of what was made or touched, or empty.
        message: what was expected, for a refusal.
        field: the argument at fault, or empty.
        first: offset text of the first answer, when the key was answered before; else empty.
    """

    index: int
    envelope: str
    principal: str
    key: str | None
    name: str
    code: str
    result: str = ""
    message: str = ""
    field: str = ""
    first: str = ""

    @property
    def on_record(self) -> bool:
        """Whether the archive keeps it: a first answer that was refused or has a key."""
        return not self.first and (self.key is not None or self.code != "OK")


Numbered = tuple[str, int, int]
"""An event's number in one lossless channel: (channel key, number, the event's index in the entry).

A plain tuple, since several are made for every fill and every copied or skipped trade.
"""


class Applied(NamedTuple):
    """What applying one entry produced.

    Attributes:
        ms: log time of the entry in milliseconds.
        seq: second part of the entry's id.
        outcomes: one for each command, in order (empty when the batch was a repeat).
        recorded: those that belong to the record: first answers that were refused or have a key.
        events: (command index, event) in order.
        encoded: msgpack of each event, in order.
        numbered: numbers of events in lossless channels, in order.
        chain: the chain digest after the entry.
    """

    ms: int
    seq: int
    outcomes: list[Outcome]
    recorded: list[Outcome]
    events: list[tuple[int, Event]]
    encoded: list[bytes]
    numbered: list[Numbered]
    chain: bytes


OnCut = Callable[[State, Derived, int], None]
"""Called just before a cut with (state, derived, interval); it only reads."""


class Kernel(Context):
    """Sole owner and writer of one state."""

    __slots__ = (
        "_command_index",
        "_eldest_batch",
        "_eldest_key",
        "_encoded",
        "_events",
        "_numbered",
        "derived",
        "on_cut",
    )

    def __init__(self, state: State, on_cut: OnCut | None = None) -> None:
        super().__init__(state)
        self.derived = Derived(state)
        self.on_cut = on_cut
        self._eldest_key = Eldest(state.keys)
        self._eldest_batch = Eldest(state.batch_ids)
        self._events: list[tuple[int, Event]] = []
        self._encoded: list[bytes] = []
        self._numbered: list[Numbered] = []
        self._command_index = 0

    @property
    def valuation(self) -> Valuation:
        """Everybody's equity in arrays; read-only for `decide_*`."""
        return self.derived.valuation

    def apply(self, ms: int, seq: int, batch_id: str, envelopes: Sequence[Envelope]) -> Applied:
        """Apply one entry of the log.

        Args:
            ms: first part of the entry's id, milliseconds since 1970 UTC.
            seq: second part of the entry's id.
            batch_id: id of the batch; a repeat is numbered as an entry but changes nothing else.
            envelopes: the commands in order.

        Raises:
            ValueError: the entry is not after the newest one applied.
        """
        self._begin(ms, seq)
        outcomes: list[Outcome] = []
        if batch_id not in self.state.batch_ids:
            for index, envelope in enumerate(envelopes):
                outcomes.append(self._execute(index, envelope))
        return self._end(batch_id, outcomes)

    def fold(
        self,
        ms: int,
        seq: int,
        batch_id: str,
        outcomes: list[Outcome],
        events: Iterable[tuple[int, Event]],
    ) -> Applied:
        """Apply the record of an entry: its events and recorded outcomes, deciding nothing."""
        self._begin(ms, seq)
        for index, event in events:
            self._command_index = index
            self.emit(event)
        for outcome in outcomes:
            self._evolve_outcome(outcome)
        return self._end(batch_id, outcomes)

    def _begin(self, ms: int, seq: int) -> None:
        state = self.state
        if (ms, seq) <= (state.entry_ms, state.entry_seq):
            newest = f"{state.entry_ms}-{state.entry_seq}"
            raise ValueError(f"expected an entry after {newest}, was {ms}-{seq}")
        state.entry_ms, state.entry_seq = ms, seq
        self.at_us = ms * 1000
        self._events, self._encoded, self._numbered = [], [], []

    def _execute(self, index: int, envelope: Envelope) -> Outcome:
        command: Command = envelope.command
        name = type(command).__name__
        principal, key = envelope.principal, envelope.key
        outcome = Outcome(index, envelope.id, principal, key, name, "OK")
        if key is not None:
            known = self._known(principal, key)
            if known is not None:
                outcome.code, outcome.result = known.code, known.result
                outcome.first = f"{known.ms}-{known.seq}.{known.index}"
                return outcome
        self._command_index = index
        self.principal = principal
        self.privileged = bool(envelope.roles & PRIVILEGED)
        self.offset = f"{self.state.entry_ms}-{self.state.entry_seq}.{index}"
        self.made = 0
        if principal in self.state.closed_traders:
            decision: Decision = closed_trader(principal, "")
        else:
            decision = DECIDERS[type(command)](self, command)
        if isinstance(decision, Refusal):
            outcome.code = decision.reason.value
            outcome.message, outcome.field = decision.message, decision.field
        else:
            outcome.result = decision
        self._evolve_outcome(outcome)
        return outcome

    def _known(self, principal: str, key: str) -> KeyOutcome | None:
        known = self.state.keys.get(f"{principal}:{key}")
        if known is None or self.at_us - known.at_us > IDEMPOTENCY_AGE_US_MAX:
            return None
        return known

    def emit(self, event: Event) -> None:
        """Apply an event at once and put it on record; also the whole of folding one."""
        state, kind = self.state, type(event)
        EVOLVERS[kind](state, event)
        step = self.derived.steps.get(kind)
        if step is not None:
            step(state, event)
        events = self._events
        index = len(events)
        events.append((self._command_index, event))
        self._encoded.append(_encode(event))
        route = ROUTES.get(kind)
        if route is not None:
            numbers = state.channel_seqs
            for key in route(state, event):
                numbers[key] = number = numbers.get(key, 0) + 1
                self._numbered.append((key, number, index))
        if type(event) is Ticked:
            self._cut(channels.TENTHS)
            if event.second:
                self._cut(channels.SECONDS)

    def _cut(self, interval: int) -> None:
        state = self.state
        if not channels.pending(state, interval):
            return
        if self.on_cut is not None:
            self.on_cut(state, self.derived, interval)
        channels.cut(state, interval)

    def _evolve_outcome(self, outcome: Outcome) -> None:
        state = self.state
        if outcome.key is None:
            return
        name = f"{outcome.principal}:{outcome.key}"
        if name not in state.keys and len(state.keys) >= IDEMPOTENCY_KEYS_MAX:
            self._eldest_key.drop()
        known = KeyOutcome(
            self.at_us, outcome.code, state.entry_ms, state.entry_seq, outcome.index, outcome.result
        )
        self._eldest_key.put(name, known)

    def _end(self, batch_id: str, outcomes: list[Outcome]) -> Applied:
        state = self.state
        self._cut(channels.RAW)
        if batch_id not in state.batch_ids:
            if len(state.batch_ids) >= BATCH_IDS_MAX:
                self._eldest_batch.drop()
            self._eldest_batch.put(batch_id, None)
        recorded = [outcome for outcome in outcomes if outcome.on_record]
        digest = blake2b(state.chain, digest_size=16)
        for encoded in self._encoded:
            digest.update(encoded)
        for kept in recorded:
            digest.update(_encode((kept.index, kept.principal, kept.key, kept.code, kept.result)))
        state.chain = digest.digest()
        state.chain_entry = f"{state.entry_ms}-{state.entry_seq}"
        return Applied(
            state.entry_ms,
            state.entry_seq,
            outcomes,
            recorded,
            self._events,
            self._encoded,
            self._numbered,
            state.chain,
        )
