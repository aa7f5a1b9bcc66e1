"""The edge: where REST and sockets hand in commands, and where they get their answers.

A command is validated and appended through the submitter; the caller waits until this node has
met it in its own tail and applied it, so a caller reads its own writes. An answer that does not
come in time is "unknown, retry with the same key", never a guess.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from streams.core.commands import Command
from streams.core.kernel import PRIVILEGED
from streams.core.state import State
from streams.log.codec import Envelope
from streams.log.submitter import Submitter
from streams.ports import CommandError, CommandOutcome, Principal
from streams.replica.building import REQUESTS, build_command
from streams.replica.replica import Replica
from streams.replica.requests import Request


KEY_LENGTH_MAX = 128


class Edge:
    """The `CommandPort` of a node."""

    def __init__(
        self, replica: Replica, submitter: Submitter[Command], *, prefix: str = ""
    ) -> None:
        """Hand commands of one run of a node to its submitter.

        Args:
            replica: says whether the node is ready, and holds the state.
            submitter: appends.
            prefix: begins the ids of the envelopes; no other run of a node may ever have used it.
                Random when empty.
        """
        self._replica = replica
        self._submitter = submitter
        self._prefix = prefix or secrets.token_hex(6)
        self._count = 0

    @property
    def state(self) -> State:
        """This node's state, for whoever builds commands; read only."""
        return self._replica.state

    def execute(
        self, principal: Principal, name: str, args: dict[str, Any] | Request, key: str | None
    ) -> asyncio.Future[CommandOutcome]:
        """Validate and queue; the future ends when this node has applied the command.

        Args:
            principal: who asks; its scopes must allow the command.
            name: a key of `building.REQUESTS`.
            args: decoded arguments, or the request struct.
            key: idempotency key, at most 128 printable ASCII characters; required for commands
                that trade or copy, so that a lost answer can be asked for again.

        Returns:
            A future that ends with the outcome, or with a `CommandError` (`OUTCOME_UNKNOWN`).

        Raises:
            CommandError: not accepted.
        """
        kind = REQUESTS.get(name)
        if kind is not None and kind.scope not in principal.scopes:
            raise CommandError("FORBIDDEN", f"expected a credential with scope {kind.scope}")
        if key is None and kind is not None and kind.keyed:
            raise CommandError(
                "INVALID_ARGUMENT", f"expected an idempotency key for {name}", field="key"
            )
        if key is not None and not _is_key(key):
            raise CommandError(
                "INVALID_ARGUMENT",
                f"expected 1 to {KEY_LENGTH_MAX} printable ASCII characters",
                field="key",
            )
        command = build_command(self.state, name, args)
        if key is not None:
            # used again for another kind of command it is another key: the first answer would not
            # be an answer to this one
            key = f"{name}:{key}"
        return self.enqueue(command, principal.trader, key=key)

    async def submit(
        self, command: Command, principal: str, *, key: str | None = None, privileged: bool = False
    ) -> CommandOutcome:
        """Append a command that is already built, and wait for its outcome.

        Args:
            command: any command.
            principal: trader id, or the name of a service.
            key: idempotency key.
            privileged: the principal is a service of this node.

        Raises:
            CommandError: `NOT_READY`, `LOG_FULL` or `OUTCOME_UNKNOWN`.
        """
        return await self.enqueue(command, principal, key=key, privileged=privileged)

    def enqueue(
        self,
        command: Command,
        principal: str,
        *,
        key: str | None = None,
        privileged: bool = False,
        brief: bool = False,
    ) -> asyncio.Future[CommandOutcome]:
        """Queue a command for the next group; commands are appended in the order of the calls.

        Args:
            command: any command.
            principal: trader id, or the name of a service.
            key: idempotency key.
            privileged: the principal is a service of this node.
            brief: the caller needs the code only; the outcome then carries no result.

        Returns:
            A future that ends with the outcome, or with a `CommandError` as `submit` raises.

        Raises:
            CommandError: `NOT_READY` or `LOG_FULL`: it was not queued.
        """
        if not self._replica.ready:
            raise CommandError("NOT_READY", "this node is catching up", retry_ms=1000)
        self._count += 1
        envelope = Envelope(
            id=f"{self._prefix}{self._count:x}",
            key=key,
            principal=principal,
            roles=PRIVILEGED if privileged else 0,
            command=command,
        )
        return self._submitter.submit(envelope, brief=brief)


def _is_key(text: str) -> bool:
    return 0 < len(text) <= KEY_LENGTH_MAX and text.isascii() and text.isprintable()
