"""Checks fairness from the record alone: seeds, the order of service, and the day's sums.

Follow the events of a log from its beginning; `problems` then says in one sentence each what does
not hold. It shares the formulas with the core and none of its state, so that a replica that served
in another order, or a report that was changed, is found.
"""

from __future__ import annotations

from collections.abc import Iterable

from streams.core.copying.fairness import sums_of
from streams.core.copying.seeds import alias_of, commitment_of, day_key, dispatch_key
from streams.core.events import (
    CopyDecided,
    DayClosed,
    Event,
    SeedCommitted,
    SeedOpened,
    SeedRevealed,
    SignalDispatched,
)


PROBLEMS_MAX = 20
"""Sentences kept; more would say the same."""


class FairnessAudit:
    """Follows the events of a log, entry by entry.

    Attributes:
        signals: signals whose order was checked against an open seed.
        unsealed: signals that no seed ordered.
        seeds: seeds that were opened and fit their commitment.
        problems: what does not hold.
    """

    def __init__(self) -> None:
        self.signals = 0
        self.unsealed = 0
        self.seeds = 0
        self.problems: list[str] = []
        self._committed: dict[int, SeedCommitted] = {}
        self._opened: dict[int, bytes] = {}
        self._next = self._now = 0
        self._salt = b""
        self._key = self._veil = b""
        self._served: list[CopyDecided] = []

    def follow(self, events: Iterable[Event], chain_before: bytes) -> None:
        """Take the events of one entry.

        Args:
            events: in order.
            chain_before: the chain digest before the entry.
        """
        for event in events:
            if type(event) is CopyDecided:
                if event.leg == "open" and event.signal_seq:
                    self._served.append(event)
            elif type(event) is SignalDispatched:
                self._check_signal(event)
            elif type(event) is DayClosed:
                self._now, self._next = self._next, 0
                self._salt, self._key = chain_before, b""
            else:
                self._check_seed(event)

    def _check_seed(self, event: Event) -> None:
        if type(event) is SeedCommitted:
            self._committed[event.number] = event
            self._next = event.number
        elif type(event) is SeedOpened:
            self._check_commitment(event)
            if event.number != self._now:
                self._problem(f"expected seed {self._now} to be opened, was {event.number}")
            self.seeds += 1
            self._opened[event.number] = event.seed
            self._key, self._veil = day_key(event.seed, self._salt), event.veil
        elif type(event) is SeedRevealed and self._opened.get(event.number) != event.seed:
            self._problem(f"seed {event.number} was revealed as another")

    def _check_commitment(self, event: SeedOpened) -> None:
        committed = self._committed.get(event.number)
        if committed is None or committed.commitment != commitment_of(event.seed):
            self._problem(f"seed {event.number} is not what was committed to")
        elif committed.veil_commitment != (commitment_of(event.veil) if event.veil else b""):
            self._problem(f"the veil of seed {event.number} is not what was committed to")

    def _check_signal(self, event: SignalDispatched) -> None:
        served, self._served = self._served, []
        name = f"signal {event.signal_seq} of {event.leader}"
        executed = [decision.slippage_bps for decision in served if decision.lots]
        told = (
            event.executed,
            event.place,
            event.place_squares,
            event.slippage,
            event.slippage_squares,
            event.products,
        )
        if len(served) != event.asked or sums_of(executed) != told:
            self._problem(f"{name}: the report does not follow from the decisions")
        if event.seed_number == 0:
            self.unsealed += 1
            if self._key:
                self._problem(f"{name}: no seed ordered it although one was open")
            return
        self.signals += 1
        keys = [
            dispatch_key(
                self._key,
                event.leader,
                event.signal_seq,
                alias_of(self._veil, event.leader, decision.follower),
            )
            for decision in served
        ]
        if keys != sorted(keys):
            self._problem(f"{name}: followers were served in another order than the seed's")

    def _problem(self, sentence: str) -> None:
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(sentence)
