"""What the submitter keeps of a command and of a batch while they are under way."""

from __future__ import annotations

import asyncio

import msgspec

from streams.log.codec import BATCH_OVERHEAD_BYTES_MAX
from streams.ports import CommandError, CommandOutcome


class SubmitterLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of the submitter.

    Attributes:
        batch_commands_max: commands in one log entry.
        batch_bytes_max: bytes of one log entry.
        pending_commands_max: commands accepted and not yet answered; beyond it `LOG_FULL`.
        outcome_ms_max: time within which every command is answered.
        seen_ms_max: how long the own tail may take to show a batch of unknown outcome before the
            batch is sent again.
        retry_ms: pause after a first failed append; it doubles with each further one.
        retry_ms_max: longest pause.
        caller_retry_ms: `retry_ms` of refusals.
    """

    batch_commands_max: int = 512
    batch_bytes_max: int = 1024 * 1024
    pending_commands_max: int = 20_000
    outcome_ms_max: int = 5_000
    seen_ms_max: int = 1_000
    retry_ms: int = 10
    retry_ms_max: int = 500
    caller_retry_ms: int = 500

    @property
    def command_bytes_max(self) -> int:
        """Bytes of envelopes that fit into one batch."""
        return self.batch_bytes_max - BATCH_OVERHEAD_BYTES_MAX

    def pause_s(self, failures: int) -> float:
        """Return the seconds to wait after so many failures in a row."""
        return min(self.retry_ms << min(failures - 1, 10), self.retry_ms_max) / 1000


class SubmittedCommand:
    """One accepted command.

    Attributes:
        id: the envelope's id.
        encoded: the encoded envelope.
        future: the caller's.
        deadline: time of the loop at which it is answered whatever happens.
        flight: the batch it left with; None while it is queued.
        outcome: set while the answer is held until the append is acknowledged.
        brief: the caller needs no result.
    """

    __slots__ = ("brief", "deadline", "encoded", "flight", "future", "id", "outcome")

    def __init__(
        self,
        id_: str,
        encoded: bytes,
        future: asyncio.Future[CommandOutcome],
        deadline: float,
        brief: bool = False,
    ) -> None:
        self.id = id_
        self.encoded = encoded
        self.future = future
        self.deadline = deadline
        self.flight: Flight | None = None
        self.outcome: CommandOutcome | None = None
        self.brief = brief


class Flight:
    """One batch on its way into the log.

    Attributes:
        batch_id: see `Batch.batch_id`.
        payload: the encoded batch.
        commands: in order; emptied when they go back into the queue.
        maybe_sent: an append of it had an unknown outcome.
        acknowledged: an append of it succeeded.
        seen: set when the own tail shows it.
    """

    __slots__ = ("acknowledged", "batch_id", "commands", "maybe_sent", "payload", "seen")

    def __init__(self, batch_id: str, payload: bytes, commands: list[SubmittedCommand]) -> None:
        self.batch_id = batch_id
        self.payload = payload
        self.commands = commands
        self.maybe_sent = False
        self.acknowledged = False
        self.seen = asyncio.Event()
        for command in commands:
            command.flight = self

    @property
    def answered(self) -> bool:
        """Whether nobody waits for any of its commands any more."""
        return all(command.future.done() for command in self.commands)


def unknown(reason: str) -> CommandError:
    """Return the answer of a command that was applied once or never."""
    return CommandError("OUTCOME_UNKNOWN", f"{reason}; retry with the same key")


def late(command: SubmittedCommand, limits: SubmitterLimits) -> CommandError:
    """Return the answer of a command whose time is over."""
    limit_ms = limits.outcome_ms_max
    if command.flight is not None:
        return unknown(f"expected the outcome within {limit_ms} ms")
    text = f"expected the log to answer within {limit_ms} ms"
    return CommandError("NOT_READY", text, retry_ms=limits.caller_retry_ms)


def copy_of(error: CommandError) -> CommandError:
    """Return an equal error: each future needs its own, for the traceback."""
    return CommandError(error.code, error.message, field=error.field, retry_ms=error.retry_ms)
