"""What all users share: an account, the market, requests with a class, sockets that come back.

A command that the core refuses (funds, limits, an order that is gone) was answered, so it is no
failure; its code is counted. A node that could not take it (rate, not ready, outcome unknown) is.
"""

from __future__ import annotations

import itertools
import random
import secrets
import time
from typing import Any, Final
from urllib.parse import urlsplit

from locust import FastHttpUser, events

from loadtests.population import Quote, credential_of, handle_of, quotes
from loadtests.target import at_address
from loadtests.users.plan import users_plan
from loadtests.users.stream import StreamFailed, UserSocket, faults


PLAN: Final = users_plan()
FAILURES: Final = (
    "RATE_LIMITED",
    "NOT_READY",
    "OUTCOME_UNKNOWN",
    "LOG_FULL",
    "UNAUTHENTICATED",
    "FORBIDDEN",
    "MALFORMED",
    "UNKNOWN_OP",
    "UNKNOWN_COMMAND",
    "INVALID_ARGUMENT",
    "INTERNAL",
)
"""Codes that say the node did not do its work, or that this user asked nonsense."""

_numbers = itertools.count()
_market: dict[str, list[Quote]] = {}


class Refused(Exception):
    """A command was answered with a code that counts as a failure."""


class ActingUser(FastHttpUser):
    """One user with an account."""

    abstract = True
    connection_timeout = 10.0
    network_timeout = 30.0

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.account = self.new_account()
        self.authorization = credential_of(self.account)
        if PLAN.credentials:
            self.authorization = PLAN.credentials[self.account % len(PLAN.credentials)]
        self.random = random.Random(self.account)
        self.stream: UserSocket | None = None
        self._key = secrets.token_hex(4)
        self._keys = itertools.count()

    def new_account(self) -> int:
        """Return the account of this user: the next one, round and round."""
        return next(_numbers) % PLAN.accounts

    def wait_time(self) -> float:
        """Return the pause before the next action, seconds."""
        return self.random.uniform(*PLAN.pause_seconds)

    @property
    def quote(self) -> Quote:
        """One instrument of those that can be traded, at random."""
        host = str(self.host)
        if host not in _market:
            _market[host] = quotes(at_address(host))
        return self.random.choice(_market[host])

    @property
    def other(self) -> str:
        """Handle of some account, with its mark."""
        return f"@{handle_of(self.random.randrange(PLAN.accounts))}"

    def next_key(self) -> str:
        """Return a new idempotency key."""
        return f"{self._key}-{next(self._keys)}"

    # REST

    def read(self, kind: str, name: str, **parts: str) -> None:
        """Send a GET.

        Args:
            kind: `cached` or `calculated`.
            name: path with `{parts}`, also the name of the request.
            parts: for the path.
        """
        self.client.get(
            name.format(**parts),
            name=name,
            headers={"Authorization": self.authorization},
            context={"class": kind},
        )

    def write(self, method: str, name: str, body: dict[str, Any] | None, **parts: str) -> Any:
        """Send a command over REST; return its decoded answer, None when it was not accepted."""
        headers = {"Authorization": self.authorization, "Idempotency-Key": self.next_key()}
        context = {"class": "command"}
        with self.client.request(
            method,
            name.format(**parts),
            name=name,
            headers=headers,
            json=body,
            context=context,
            catch_response=True,
        ) as response:
            answer = response.json() if response.content else {}
            if response.status_code < 400:
                response.success()
                return answer
            code = str(answer.get("code", response.status_code))
            if code in FAILURES or response.status_code >= 500 or not response.status_code:
                response.failure(f"{code}: {answer.get('detail', response.error)}")
            else:
                context["refused"] = code
                response.success()
        return None

    # The stream

    def open_stream(self, *channels: str) -> None:
        """Open this user's socket, in the place of one it has."""
        self.close_stream()
        place = urlsplit(str(self.host))
        made = UserSocket(
            place.hostname or "", place.port or 80, self.authorization, tuple(channels)
        )
        if self._timed("SOCKET", "open and subscribe", "socket", made.open):
            self.stream = made

    def keep_stream(self) -> None:
        """Report a socket that the node closed, and resume on a new connection."""
        stream = self.stream
        if stream is not None and stream.closed:
            self._fire("SOCKET", "stay open", "socket", 0.0, StreamFailed(stream.closed))
            self._timed("SOCKET", "resume", "socket", stream.open)

    def command(self, name: str, args: dict[str, Any]) -> dict[str, Any] | None:
        """Send a command over the socket; return its answer, None when it was not accepted."""
        self.keep_stream()
        stream = self.stream
        if stream is None:
            return None
        began = time.perf_counter()
        context: dict[str, Any] = {"class": "command"}
        answer: dict[str, Any] | None = None
        problem: BaseException | None = None
        try:
            answer = stream.ask(name, args, self.next_key())
        except (StreamFailed, ConnectionError) as error:
            problem = error
        if answer is not None and answer["t"] == "err":
            code = str(answer["code"])
            if code in FAILURES:
                problem = Refused(f"{code}: {answer.get('msg', '')}")
            context["refused"] = code
            answer = None
        seconds = time.perf_counter() - began
        self._fire("SOCKET", name, "command", seconds, problem, context)
        return answer

    def close_stream(self) -> None:
        """Close this user's socket if it has one."""
        stream, self.stream = self.stream, None
        if stream is not None and not stream.closed:
            stream.close()

    def on_stop(self) -> None:
        """Leave."""
        self.close_stream()

    def _timed(self, kind: str, name: str, group: str, act: Any) -> bool:
        began = time.perf_counter()
        problem = None
        try:
            act()
        except StreamFailed as error:
            problem = error
        self._fire(kind, name, group, time.perf_counter() - began, problem)
        return problem is None

    def _fire(
        self,
        kind: str,
        name: str,
        group: str,
        seconds: float,
        problem: BaseException | None,
        context: dict[str, Any] | None = None,
    ) -> None:
        self.environment.events.request.fire(
            request_type=kind,
            name=name,
            response_time=seconds * 1000,
            response_length=0,
            exception=problem,
            context=context or {"class": group},
        )


@events.test_stop.add_listener
def report_faults(environment: Any, **_: Any) -> None:
    """Make each fault of a frame a failed request, so that no run with one looks clean."""
    for kind, count, examples in faults():
        for place in range(min(count, 1_000)):
            environment.events.request.fire(
                request_type="SOCKET",
                name="frames",
                response_time=0,
                response_length=0,
                exception=StreamFailed(
                    f"{kind}: {examples[place]}" if place < len(examples) else kind
                ),
                context={"class": "socket"},
            )
