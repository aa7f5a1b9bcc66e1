"""What a subscription hands out, and the greeting of a socket.

Invariants:
    * Between two items of a channel without a `Reset` between them no number is missing: events
      and deltas follow by 1, and a `Snap` holds everything up to its number.
    * `channel` is the name the program asked for, in canonical form.

Source: wire-protocol.md, "Server -> client".
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec


class ResumePoint(msgspec.Struct, frozen=True):
    """The last frame somebody has of a channel; enough to go on from it on any node.

    Attributes:
        epoch: life of the log in which the number counts.
        seq: the frame's number.
    """

    epoch: str
    seq: int


class Numbered(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What every numbered frame carries.

    Attributes:
        channel: name as asked.
        epoch: life of the log.
        seq: number in the channel, from 1 by 1.
        ts_us: log time in microseconds since 1970 UTC.
        data: see "Channels" in the protocol's reference.
    """

    channel: str
    epoch: str
    seq: int
    ts_us: int
    data: Any

    @property
    def resume_point(self) -> ResumePoint:
        """Where to resume so that the next item is the one after this."""
        return ResumePoint(self.epoch, self.seq)


class Snap(Numbered, frozen=True, kw_only=True, tag="snap", gc=False):
    """The whole state of a conflatable channel; replaces what was before.

    Attributes:
        crc: checksum of the state, on kinds that have one.
    """

    crc: int | None = None


class Delta(Numbered, frozen=True, kw_only=True, tag="delta", gc=False):
    """A change of a conflatable channel.

    Attributes:
        crc: checksum of the state after the change, in every tenth delta of kinds that have one.
    """

    crc: int | None = None


class Event(Numbered, frozen=True, kw_only=True, tag="ev", gc=False):
    """One event of a lossless channel; `data["type"]` names it."""


class Reset(msgspec.Struct, frozen=True, kw_only=True, tag="reset"):
    """The run of numbers is broken here: what follows does not join what came before.

    On a conflatable channel a `Snap` follows and nothing needs to be done. On a lossless one the
    events after `after` up to `seq` were not delivered; `history` is the REST path that has them.

    Attributes:
        channel: name as asked.
        why: `TOO_OLD`, `EPOCH` or `AHEAD` as the server said, `CHECKSUM` when this client asked
            for a fresh start, `UNEXPLAINED` when the server gave no reason.
        epoch: life of the log from here on.
        seq: newest number of the channel; what follows has higher ones (or is a `Snap`).
        after: the last frame this client had, None when it had none.
        history: path and query below the server's address, None for conflatable channels.
    """

    channel: str
    why: str
    epoch: str
    seq: int
    after: ResumePoint | None = None
    history: str | None = None


class Gone(msgspec.Struct, frozen=True, kw_only=True, tag="gone"):
    """The server took the channel back; nothing more of it follows.

    Attributes:
        channel: name as asked.
        code: why, for instance `FORBIDDEN`.
        after: the last frame this client had, None when it had none.
    """

    channel: str
    code: str
    after: ResumePoint | None = None


Item: TypeAlias = Snap | Delta | Event | Reset | Gone


class Hello(msgspec.Struct, frozen=True):
    """The first frame of every socket.

    Attributes:
        v: version of the protocol.
        node: name of the node.
        epoch: life of the log.
        offset: newest place in the log this node has applied.
        ts: time of the node in microseconds since 1970 UTC.
        limits: bounds of the server by name.
    """

    v: int
    node: str
    epoch: str
    offset: str
    ts: int
    limits: dict[str, int | float]


class Answer(msgspec.Struct, frozen=True):
    """Answer to a command that was applied.

    Attributes:
        offset: place of the command in the log.
        result: fields of the answer, for instance `{"order": {...}}`.
        replayed: the key was known: this is the answer that its first use got.
        key: the idempotency key that was used.
    """

    offset: str
    result: dict[str, Any]
    replayed: bool = False
    key: str | None = None


class WireFrame(msgspec.Struct, frozen=True):
    """A `snap`, `delta` or `ev` as it stands on the wire."""

    t: str
    ch: str
    seq: int
    ts: int
    data: Any
    crc: int | None = None


class WireEntry(msgspec.Struct, frozen=True):
    """One channel in the answer to `subscribe`, as it stands on the wire."""

    ch: str
    mode: str
    epoch: str = ""
    seq: int = 0
    why: str | None = None
    history: str | None = None
    code: str | None = None
