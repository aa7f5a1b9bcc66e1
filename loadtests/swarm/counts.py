"""What a run of the swarm found, each kind of fault in its own class."""

from __future__ import annotations

from collections import Counter

import msgspec


FAULTS = (
    "gaps",
    "duplicates",
    "order_errors",
    "content_errors",
    "checksum_errors",
    "malformed",
)
"""Kinds that a correct server never shows, whatever the load."""

EXAMPLES_MAX = 10


class Counts(msgspec.Struct, kw_only=True):
    """Sums over all sockets.

    Attributes:
        frames: numbered frames received.
        received_bytes: of everything received.
        gaps: numbers that a socket should have got and never did.
        duplicates: numbers that came to a socket again.
        order_errors: numbers that came later than a higher one.
        content_errors: frames that differ from what another socket got under the same number.
        checksum_errors: frames after which the rebuilt book or board is not the server's.
        malformed: messages that are none of the protocol, or unasked for.
        conflations: newer snapshots in the place of deltas: a socket that was slow, no fault.
        unverified: frames whose book or board could not be rebuilt, for want of a snapshot.
        checksums: books and boards proved equal to the server's.
        originals: different frames, each decoded and checked once.
        originals_by_kind: the same, by kind of channel.
        refused: subscriptions refused, by code.
        not_resumed: resume points not honoured, by the server's reason.
        closed: sockets that the server closed, by close code; 1006 without one.
        not_opened: upgrades that failed, by reason.
        epochs: lives of the log seen after the first.
        examples: the first faults of each kind in words, `EXAMPLES_MAX` each.
    """

    frames: int = 0
    received_bytes: int = 0
    gaps: int = 0
    duplicates: int = 0
    order_errors: int = 0
    content_errors: int = 0
    checksum_errors: int = 0
    malformed: int = 0
    conflations: int = 0
    unverified: int = 0
    checksums: int = 0
    originals: int = 0
    originals_by_kind: Counter[str] = msgspec.field(default_factory=Counter)
    refused: Counter[str] = msgspec.field(default_factory=Counter)
    not_resumed: Counter[str] = msgspec.field(default_factory=Counter)
    closed: Counter[str] = msgspec.field(default_factory=Counter)
    not_opened: Counter[str] = msgspec.field(default_factory=Counter)
    epochs: int = 0
    examples: dict[str, list[str]] = msgspec.field(default_factory=dict)

    def fault(self, kind: str, what: str) -> None:
        """Count one fault.

        Args:
            kind: one of `FAULTS`.
            what: channel, number and what was wrong.
        """
        setattr(self, kind, getattr(self, kind) + 1)
        kept = self.examples.setdefault(kind, [])
        if len(kept) < EXAMPLES_MAX:
            kept.append(what)

    @property
    def faults(self) -> int:
        """Sum of all kinds that a correct server never shows."""
        total: int = sum(getattr(self, name) for name in FAULTS)
        return total
