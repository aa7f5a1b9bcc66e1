"""What the log wants to know of the server's settings before it trusts it with entries."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from redis.exceptions import RedisError

from streams.log.redis_connection import RedisConnection
from streams.ports import LogMisconfigured, LogUnavailable


Durability = Literal["fsync", "everysec", "os", "none", "unknown"]

_DURABILITY: dict[str, Durability] = {"always": "fsync", "everysec": "everysec", "no": "os"}


class ServerSettings(msgspec.Struct, frozen=True):
    """Settings that decide whether entries survive.

    Attributes:
        version: the server's version; Valkey gives the Redis version it is compatible with.
        maxmemory_policy: must be `noeviction`.
        durability: `fsync` an acknowledged entry is on disk; `everysec` about the last 2 s may be
            lost; `os` the kernel decides; `none` no append-only file; `unknown` the server does
            not tell (managed services refuse CONFIG).
    """

    version: str
    maxmemory_policy: str
    durability: Durability

    def check(self) -> None:
        """Refuse settings under which a full memory forgets the log.

        Raises:
            LogMisconfigured: another policy than `noeviction`.
        """
        if self.maxmemory_policy != "noeviction":
            raise LogMisconfigured(
                "expected the server's maxmemory-policy to be noeviction, "
                f"was {self.maxmemory_policy or 'not told'}"
            )


async def read_settings(connection: RedisConnection, answer_ms_max: int) -> ServerSettings:
    """Ask the server.

    Raises:
        LogUnavailable: it cannot be reached, or refuses to tell.
    """
    info, *config = await connection.call(
        ("INFO",),
        ("CONFIG", "GET", "appendonly"),
        ("CONFIG", "GET", "appendfsync"),
        answer_ms_max=answer_ms_max,
    )
    if isinstance(info, RedisError):
        raise LogUnavailable(f"expected the server to answer INFO, was: {info}")
    facts = dict(
        line.split(":", 1) for line in info.decode("utf-8", "replace").splitlines() if ":" in line
    )
    return ServerSettings(
        version=facts.get("redis_version", ""),
        maxmemory_policy=facts.get("maxmemory_policy", ""),
        durability=_durability(*(_value(reply) for reply in config)),
    )


def _durability(append_only: str, fsync: str) -> Durability:
    if append_only == "no":
        return "none"
    return _DURABILITY.get(fsync, "unknown")


def _value(reply: Any) -> str:
    match reply:
        case [_, bytes(value)]:
            return value.decode("ascii", "replace")
        case _:
            return ""
