"""What a swarm is told: one JSON object on its standard input."""

from __future__ import annotations

from typing import Literal

import msgspec


Codec = Literal["json", "msgpack"]


class SwarmSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A swarm, ready to start.

    Attributes:
        host: of the node.
        port: of the node.
        sockets: how many to hold.
        per_second: sockets begun each second while the swarm grows.
        opening_max: sockets that may be on their way at once, in storms too.
        codec: of all sockets.
        subscriptions: lists of channels; socket n takes list n modulo their number.
        credentials: values of `Authorization`; socket n takes value n modulo their number. Empty:
            no credentials.
        seconds: time to hold all sockets open.
        storms: seconds into that time at which all sockets are cut at once.
        sample_seconds: time between two reports.
    """

    host: str
    port: int
    sockets: int
    per_second: float
    opening_max: int
    codec: Codec
    subscriptions: list[tuple[str, ...]]
    credentials: list[str]
    seconds: float
    storms: list[float]
    sample_seconds: float = 1.0
