"""Group commit: hands commands to the log in batches and their outcomes back to the callers.

While one append is in flight the next batch fills; there is no timer, so a lone command leaves at
once and a crowd shares one round trip. A command's future is resolved by the replica when this
node has applied it, so a caller reads its own writes.

Invariants:
    * One append is in flight at a time, so a node's commands stand in the log in submit order.
    * A batch whose append may have succeeded keeps its id and its commands for ever; it is sent
      again only after a while in which the own tail did not show it, and the core drops a
      batch id it has seen. A batch that was surely not appended goes back into the queue.
    * Every future is answered within `outcome_ms_max`: by its outcome, by `OUTCOME_UNKNOWN` when
      the command may have reached the log, by another code when it has not and never will.
    * Everything runs on one event loop; `run` is the only task.

Source: reliability.md, section 2, "unknown outcome of an append"; architecture.md, "The log".
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from streams.core.eldest import Eldest
from streams.log.codec import BatchCodec, Envelope
from streams.log.flight import Flight, SubmittedCommand, SubmitterLimits, copy_of, late, unknown
from streams.ports import (
    AppendUnknown,
    CommandError,
    CommandOutcome,
    EntryId,
    EpochChanged,
    Log,
    LogEntry,
    LogFull,
    LogTruncated,
    LogUnavailable,
    ReplicasMissing,
)


C = TypeVar("C")
Recover = Callable[[LogTruncated | EpochChanged], Awaitable[None]]
Acknowledged = Callable[[float, int], None]
OnAppended = Callable[[LogEntry, EntryId | None], None]


class Submitter(Generic[C]):
    """The only writer of one node to the log.

    Attributes:
        accepting: whether `submit` takes commands: running, not draining, the log not damaged.
        in_flight: commands in the append that is under way.
        appends: batches acknowledged.
        commands: commands in them.
        unknown: appends whose outcome was unknown at first.
        resent: batches sent again after that.
        refused: appends refused or failed before sending.
        truncations: times the log was found truncated or in a new epoch.
        expired: commands answered because their time was over.
        abandoned: batches given up, all their callers answered `OUTCOME_UNKNOWN`.
    """

    def __init__(
        self,
        log: Log,
        codec: BatchCodec[C],
        *,
        node: str,
        incarnation: str,
        seen: Callable[[], EntryId],
        on_truncated: Recover,
        on_acknowledged: Acknowledged | None = None,
        on_appended: OnAppended | None = None,
        hold_until_appended: bool = False,
        limits: SubmitterLimits | None = None,
    ) -> None:
        """Prepare; `run` starts.

        Args:
            log: an open log.
            codec: encodes envelopes and batches.
            node: this node's name.
            incarnation: text that no earlier run of this node has used; part of batch ids.
            seen: returns the newest entry this node has applied.
            on_truncated: repairs the log or rebuilds the node; submitting goes on after it.
            on_acknowledged: called with the seconds an append took and its number of commands.
            on_appended: called with an acknowledged entry, see `Replica.take_appended`.
            hold_until_appended: answer only when the append was acknowledged too, not as soon as
                the own tail shows it; for logs that wait for replicas.
            limits: bounds.
        """
        self.accepting = False
        self.in_flight = 0
        self.appends = 0
        self.commands = 0
        self.unknown = 0
        self.resent = 0
        self.refused = 0
        self.truncations = 0
        self.expired = 0
        self.abandoned = 0
        self._log = log
        self._codec = codec
        self._node = node
        self._batch_prefix = f"{node}.{incarnation}."
        self._batch_number = 0
        self._seen = seen
        self._on_truncated = on_truncated
        self._on_acknowledged = on_acknowledged
        self._on_appended = on_appended
        self._hold = hold_until_appended
        self._limits = limits if limits is not None else SubmitterLimits()
        self._outcome_s = self._limits.outcome_ms_max / 1000
        self._loop: asyncio.AbstractEventLoop | None = None
        self._draining = False
        self._work = asyncio.Event()
        self._drained = asyncio.Event()
        self._pending: dict[str, SubmittedCommand] = {}
        self._eldest = Eldest(self._pending)
        self._queue: deque[SubmittedCommand] = deque()
        self._flight: Flight | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def pending(self) -> int:
        """Commands accepted and not yet answered."""
        return len(self._pending)

    def submit(self, envelope: Envelope[C], brief: bool = False) -> asyncio.Future[CommandOutcome]:
        """Queue one command; the future has its outcome, or a `CommandError`.

        Cancelling the future takes a command back that has not left yet. `brief`: see `is_brief`.

        Raises:
            CommandError: `NOT_READY`, `LOG_FULL` (both with `retry_ms`) or `INVALID_ARGUMENT`
                when the command is larger than a batch may be. It was not queued.
            ValueError: a pending command has the same id.
        """
        loop = self._loop
        if loop is None or not self.accepting:
            raise self._error("NOT_READY", "expected a node in contact with the log")
        if len(self._pending) >= self._limits.pending_commands_max:
            raise self._error(
                "LOG_FULL", f"expected fewer than {self._limits.pending_commands_max} waiting"
            )
        if envelope.id in self._pending:
            raise ValueError(f"expected a new command id, was {envelope.id} again")
        encoded = self._codec.encode_envelope(envelope)
        if len(encoded) > (most := self._limits.command_bytes_max):
            text = f"expected a command of at most {most} bytes, was {len(encoded)}"
            raise CommandError("INVALID_ARGUMENT", text)
        deadline = loop.time() + self._outcome_s
        command = SubmittedCommand(envelope.id, encoded, loop.create_future(), deadline, brief)
        self._eldest.put(envelope.id, command)
        self._queue.append(command)
        self._work.set()
        if self._timer is None:
            self._timer = loop.call_at(deadline, self._expire)
        return command.future

    def waits_for(self, envelope_id: str) -> bool:
        """Whether somebody still waits for a command of this node."""
        return envelope_id in self._pending

    def is_brief(self, envelope_id: str) -> bool:
        """Whether the caller of a pending command needs its code only, no result."""
        return self._pending[envelope_id].brief

    def resolve(self, envelope_id: str, outcome: CommandOutcome) -> bool:
        """Answer a command that this node has applied; return whether its caller still waits."""
        command = self._pending.get(envelope_id)
        if command is None:
            return False
        if self._hold and command.flight is not None and not command.flight.acknowledged:
            command.outcome = outcome
            return True
        self._forget(command)
        if command.future.done():
            return False
        command.future.set_result(outcome)
        return True

    def batch_seen(self, batch_id: str) -> None:
        """Note that this node's tail shows one of its batches."""
        if self._flight is not None and self._flight.batch_id == batch_id:
            self._flight.seen.set()

    def fail_all(self, error: CommandError) -> None:
        """Answer every pending command with an error; nothing that is queued will be sent."""
        self._queue.clear()
        for command in list(self._pending.values()):
            self._answer(command, copy_of(error))

    async def drain(self) -> None:
        """Take no more commands and wait until all are answered, at most `outcome_ms_max`."""
        self._draining = True
        self.accepting = False
        if self._pending:
            self._drained.clear()
            await self._drained.wait()

    async def run(self) -> None:
        """Append batches until cancelled; then answer what is still pending.

        Raises:
            RuntimeError: it runs already.
            Exception: whatever `on_truncated` raises, or an error of the log that is not one of
                its port's: the node cannot go on.
        """
        if self._loop is not None:
            raise RuntimeError("expected one run of the submitter, was another")
        self._loop = asyncio.get_running_loop()
        self.accepting = not self._draining
        failures = 0
        try:
            while True:
                if not self._queue:
                    self._work.clear()
                    await self._work.wait()
                flight = self._take()
                if flight is None:
                    continue
                settled = await self._send(flight)
                failures = 0 if settled else failures + 1
                await self._pause(failures)
        finally:
            self._stop()

    def _take(self) -> Flight | None:
        """Form the next batch from the head of the queue."""
        queue, limits = self._queue, self._limits
        commands: list[SubmittedCommand] = []
        size_bytes = 0
        while queue and len(commands) < limits.batch_commands_max:
            command = queue[0]
            if command.future.done():  # its caller has gone, or was answered meanwhile
                self._forget(queue.popleft())
                continue
            size_bytes += len(command.encoded)
            if commands and size_bytes > limits.command_bytes_max:
                break
            commands.append(queue.popleft())
        if not commands:
            return None
        self._batch_number += 1
        batch_id = f"{self._batch_prefix}{self._batch_number}"
        encoded = [command.encoded for command in commands]
        payload = self._codec.encode_encoded(self._node, batch_id, encoded)
        return Flight(batch_id, payload, commands)

    async def _send(self, flight: Flight) -> bool:
        """Bring one batch into the log, or its commands back into the queue; return which."""
        self._flight = flight
        self.in_flight = len(flight.commands)
        failures = 0
        try:
            while not await self._attempt(flight):
                if not flight.maybe_sent:
                    self._requeue(flight)
                    return False
                if flight.seen.is_set():
                    self._settle_unconfirmed(flight)
                    return True
                if flight.answered:
                    self.abandoned += 1
                    return True
                failures += 1
                await self._pause(failures)
                self.resent += 1
            return True
        finally:
            self._flight = None
            self.in_flight = 0

    async def _attempt(self, flight: Flight) -> bool:
        """Append once; return whether the batch is settled."""
        started = asyncio.get_running_loop().time()
        seen = self._seen()
        try:
            appended = await self._log.append(flight.payload, seen=seen)
        except LogUnavailable as error:
            self.refused += 1
            if isinstance(error, LogFull) and not flight.maybe_sent:
                self._refuse(flight, error)
                return True
            return False
        except ReplicasMissing as error:
            self.unknown += 1
            self._answer_unknown(flight, str(error))
            return True
        except AppendUnknown:
            self.unknown += 1
            flight.maybe_sent = True
            await self._until_seen(flight)
            return False
        except (LogTruncated, EpochChanged) as error:
            await self._recover(flight, error)
            return False
        self._acknowledge(flight, asyncio.get_running_loop().time() - started)
        if self._on_appended is not None:
            entry = LogEntry(appended.entry_id, flight.payload)
            self._on_appended(entry, seen if appended.follows_seen else None)
        return True

    def _acknowledge(self, flight: Flight, seconds: float) -> None:
        self.appends += 1
        self.commands += len(flight.commands)
        flight.acknowledged = True
        if self._hold:
            for command in flight.commands:
                if command.outcome is not None:
                    self.resolve(command.id, command.outcome)
        if self._on_acknowledged is not None:
            self._on_acknowledged(seconds, len(flight.commands))

    def _settle_unconfirmed(self, flight: Flight) -> None:
        """The own tail shows the batch although its append was never acknowledged."""
        self.appends += 1
        self.commands += len(flight.commands)
        if self._hold:
            self._answer_unknown(flight, "expected the replicas' confirmation, it was lost")

    async def _until_seen(self, flight: Flight) -> None:
        try:
            async with asyncio.timeout(self._limits.seen_ms_max / 1000):
                await flight.seen.wait()
        except TimeoutError:
            return  # the caller decides by `flight.seen`

    async def _recover(self, flight: Flight, error: LogTruncated | EpochChanged) -> None:
        self.truncations += 1
        self.accepting = False
        if not flight.maybe_sent:
            self._requeue(flight)
        try:
            await self._on_truncated(error)
        finally:
            self.accepting = not self._draining

    def _requeue(self, flight: Flight) -> None:
        """Put the commands of a batch that was surely not appended back, in order."""
        for command in reversed(flight.commands):
            command.flight = None
            self._queue.appendleft(command)
        flight.commands.clear()
        self._work.set()

    def _refuse(self, flight: Flight, error: LogFull) -> None:
        for command in flight.commands:
            self._answer(command, self._error(error.code, str(error)))

    def _answer_unknown(self, flight: Flight, reason: str) -> None:
        for command in flight.commands:
            self._answer(command, unknown(reason))

    def _answer(self, command: SubmittedCommand, error: CommandError) -> None:
        self._forget(command)
        if not command.future.done():
            command.future.set_exception(error)

    def _forget(self, command: SubmittedCommand) -> None:
        self._pending.pop(command.id, None)
        if self._draining and not self._pending:
            self._drained.set()

    def _expire(self) -> None:
        """Answer the commands whose time is over. They are first: all have the same time."""
        self._timer = None
        loop = asyncio.get_running_loop()
        while self._pending:
            command = self._eldest.first()
            if command.deadline > loop.time():
                self._timer = loop.call_at(command.deadline, self._expire)
                return
            self.expired += 1
            self._answer(command, late(command, self._limits))

    async def _pause(self, failures: int) -> None:
        """Wait before the next attempt, longer after each failure in a row."""
        if failures:
            await asyncio.sleep(self._limits.pause_s(failures))

    def _error(self, code: str, message: str) -> CommandError:
        return CommandError(code, message, retry_ms=self._limits.caller_retry_ms)

    def _stop(self) -> None:
        self.accepting = False
        self._loop = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._queue.clear()
        for command in list(self._pending.values()):
            if command.flight is None:
                self._answer(command, self._error("NOT_READY", "expected a running node"))
            else:
                self._answer(command, unknown("expected the outcome, the node stopped"))
