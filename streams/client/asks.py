"""Requests that wait for an answer: commands, refreshes, pings, the dead-man switch.

Each is repeatable: a command carries its idempotency key, the others mean the same twice. So an
answer that was lost with its socket, or that says "unknown", "not now" or "too fast", leads to
the same request again, within bounds.

Invariant: each request ends exactly once, as `Done` or `Failed`.

Source: wire-protocol.md, "Error codes of the stream"; reliability.md, promise 2.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import Any, Final

from streams.client.effects import Done, Failed
from streams.client.errors import (
    CommandFailed,
    CommandRefused,
    OutcomeUnknown,
    TooManyRequests,
)
from streams.client.settings import ClientSettings
from streams.protocol.codes import ErrorCode


# What may succeed if the same request is sent again.
REPEATABLE_CODES: Final = frozenset(
    (ErrorCode.OUTCOME_UNKNOWN, ErrorCode.NOT_READY, ErrorCode.RATE_LIMITED, "LOG_FULL")
)
# Wait before a repetition when the server names none; doubled each time.
_REPEAT_MS_MIN: Final = 100
_REPEAT_MS_MAX: Final = 5_000


class Ask:
    """One request.

    Attributes:
        ticket: its number in this client.
        message: what is sent, without `id`.
        deadline_s: monotonic second at which it fails.
        attempts: times it was sent.
        uncertain: it was sent and the outcome of that attempt is unknown.
        refusal: what the server answered last.
    """

    __slots__ = ("attempts", "deadline_s", "message", "refusal", "ticket", "uncertain")

    def __init__(self, ticket: int, message: dict[str, Any], deadline_s: float) -> None:
        self.ticket = ticket
        self.message = message
        self.deadline_s = deadline_s
        self.attempts = 0
        self.uncertain = False
        self.refusal: CommandRefused | None = None

    def failure(self, why: str) -> CommandFailed:
        """Return the error for a request whose bounds are reached."""
        if self.message["op"] == "command" and (self.uncertain or self.refusal is None):
            if self.attempts:
                return OutcomeUnknown(self.message.get("key"), why)
            return CommandRefused(ErrorCode.NOT_READY, f"{why}; it was never sent")
        return self.refusal or CommandRefused(ErrorCode.NOT_READY, why)


class Asks:
    """All unanswered requests of a client."""

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._tickets = 0
        self._open: dict[int, Ask] = {}
        self._ready: deque[int] = deque()
        self._delayed: list[tuple[float, int]] = []
        self._sent: dict[int, int] = {}

    def __len__(self) -> int:
        """Unanswered requests."""
        return len(self._open)

    @property
    def in_flight(self) -> int:
        """Requests that were sent on this socket and not answered yet."""
        return len(self._sent)

    def add(self, message: dict[str, Any], now_s: float) -> int:
        """Take a request; return its ticket.

        Raises:
            TooManyRequests: the bound is reached.
        """
        count_max = self._settings.requests_waiting_max
        if len(self._open) >= count_max:
            raise TooManyRequests(f"expected at most {count_max} unanswered requests, were more")
        self._tickets += 1
        deadline_s = now_s + self._settings.request_timeout_s
        self._open[self._tickets] = Ask(self._tickets, message, deadline_s)
        self._ready.append(self._tickets)
        return self._tickets

    def sendable(self, now_s: float, in_flight_max: int) -> bool:
        """Return whether a request may be sent now."""
        while self._delayed and self._delayed[0][0] <= now_s:
            self._ready.append(heapq.heappop(self._delayed)[1])
        while self._ready and self._ready[0] not in self._open:
            self._ready.popleft()
        return bool(self._ready) and len(self._sent) < in_flight_max

    def send(self, request_id: int) -> dict[str, Any]:
        """Return the next request's message; ask `sendable` first."""
        ask = self._open[self._ready.popleft()]
        ask.attempts += 1
        self._sent[request_id] = ask.ticket
        message = ask.message
        return {"op": message["op"], "id": request_id, **message}

    def answered(self, request_id: int, message: dict[str, Any]) -> list[Done | Failed]:
        """Take an `ok` or `pong`; nothing when the request has ended already."""
        ask = self._open.pop(self._sent.pop(request_id, 0), None)
        return [] if ask is None else [Done(ask.ticket, message)]

    def refused(
        self, request_id: int, refusal: CommandRefused, now_s: float
    ) -> list[Done | Failed]:
        """Take an `err`: end the request, or wait and repeat it."""
        ask = self._open.get(self._sent.pop(request_id, 0))
        if ask is None:
            return []
        if refusal.code == ErrorCode.OUTCOME_UNKNOWN:
            ask.uncertain = True
        refusal.after_unknown = ask.uncertain
        ask.refusal = refusal
        if refusal.code not in REPEATABLE_CODES:
            del self._open[ask.ticket]
            return [Failed(ask.ticket, refusal)]
        if ask.attempts >= self._settings.request_attempts_max:
            return [self._fail(ask, f"sent {ask.attempts} times, last answer {refusal}")]
        wait_ms = refusal.retry_ms
        if wait_ms is None:
            wait_ms = min(_REPEAT_MS_MAX, _REPEAT_MS_MIN << (ask.attempts - 1))
        heapq.heappush(self._delayed, (now_s + wait_ms / 1000, ask.ticket))
        return []

    def disconnected(self) -> list[Done | Failed]:
        """Note that the socket is gone: what was sent goes out again on the next one."""
        ended: list[Done | Failed] = []
        again: list[int] = []
        for ticket in self._sent.values():
            ask = self._open.get(ticket)
            if ask is None:
                continue
            ask.uncertain = True
            if ask.attempts >= self._settings.request_attempts_max:
                ended.append(self._fail(ask, f"sent {ask.attempts} times, connection lost"))
            else:
                again.append(ticket)
        self._sent.clear()
        # In the order in which they were sent the first time, before what was never sent.
        self._ready.extendleft(sorted(again, reverse=True))
        return ended

    def expire(self, now_s: float) -> list[Done | Failed]:
        """End the requests whose time is over."""
        late = [ask for ask in self._open.values() if ask.deadline_s <= now_s]
        seconds = self._settings.request_timeout_s
        for ask in late:
            # A late answer still counts as one on the wire, so `_sent` keeps the id.
            if ask.ticket in self._sent.values():
                ask.uncertain = True
        return [self._fail(ask, f"no final answer within {seconds:g} s") for ask in late]

    def cancel(self, ticket: int) -> None:
        """Forget a request that nobody waits for any more; it may have been applied."""
        self._open.pop(ticket, None)

    def deadline_s(self) -> float | None:
        """Return the monotonic second of the first deadline, None without requests."""
        # Requests stand in the order of their deadlines: all are given the same time.
        first = next(iter(self._open.values()), None)
        return None if first is None else first.deadline_s

    def repeat_at_s(self) -> float | None:
        """Return the monotonic second of the next repetition, None when there is none."""
        return self._delayed[0][0] if self._delayed else None

    def _fail(self, ask: Ask, why: str) -> Failed:
        del self._open[ask.ticket]
        return Failed(ask.ticket, ask.failure(why))
