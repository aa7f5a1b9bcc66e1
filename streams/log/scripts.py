"""The Lua scripts of the log, kept as files in `lua/` and called by their digest."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import Any

from redis.exceptions import NoScriptError

from streams.log.redis_connection import Argument, RedisConnection


class Script:
    """One script that the server keeps under the SHA-1 of its text."""

    def __init__(self, name: str) -> None:
        """Read `lua/{name}.lua`."""
        text = files("streams.log").joinpath("lua", f"{name}.lua").read_bytes()
        self._text = text
        self._digest = hashlib.sha1(text, usedforsecurity=False).hexdigest()

    async def call(
        self,
        connection: RedisConnection,
        keys: tuple[str, ...],
        *arguments: Argument,
        answer_ms_max: int,
    ) -> Any:
        """Run the script; send its text when the server has forgotten it (restart, failover).

        Returns:
            The reply, or a `RedisError` when the server refused.

        Raises:
            LogUnavailable, AnswerLost: see `RedisConnection.call`.
        """
        rest = (len(keys), *keys, *arguments)
        [reply] = await connection.call(
            ("EVALSHA", self._digest, *rest), answer_ms_max=answer_ms_max
        )
        if isinstance(reply, NoScriptError):  # nothing ran
            [reply] = await connection.call(
                ("EVAL", self._text, *rest), answer_ms_max=answer_ms_max
            )
        return reply
