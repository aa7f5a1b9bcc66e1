"""One request and its answer: what the log line, the metrics and the common headers need."""

from __future__ import annotations

import re
import secrets
import time

from streams.ports import Principal


REQUEST_ID = re.compile(rb"[A-Za-z0-9._:\-]{1,64}")
"""What is echoed as `X-Request-Id`; anything else is replaced."""


class Exchange:
    """Begun when the request's head arrives, ended when the answer has been sent.

    Attributes:
        request_id: given by the caller if it is sane, else made.
        started: monotonic seconds.
        route: template of the route, empty until one is found.
        address: of the client, once admitted.
        principal: who asks, once admitted.
        headers: headers that every answer to this request carries.
        status: status of the answer, 0 before it is sent.
    """

    __slots__ = ("address", "headers", "principal", "request_id", "route", "started", "status")

    def __init__(self, given_id: bytes | None) -> None:
        sane = given_id is not None and REQUEST_ID.fullmatch(given_id) is not None
        self.request_id = given_id.decode() if sane and given_id else secrets.token_hex(8)
        self.started = time.perf_counter()
        self.route = ""
        self.address = ""
        self.principal: Principal | None = None
        self.headers: dict[str, str] = {"X-Request-Id": self.request_id}
        self.status = 0

    @property
    def seconds(self) -> float:
        """Return the time since the start."""
        return time.perf_counter() - self.started
