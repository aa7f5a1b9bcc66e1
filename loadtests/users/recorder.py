"""Every request of every user, by class and name; a report each second and one at the end.

Classes: `cached` reads come from memory, `calculated` ones are computed or read from the archive,
`command` is whatever changes something, `socket` is opening one and subscribing.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from typing import Any, TextIO

import gevent

from loadtests.histogram import Histogram


SAMPLE_SECONDS = 1.0


class Requests:
    """Requests of one kind."""

    def __init__(self) -> None:
        self.times = Histogram()
        self.failures = 0

    def summary(self) -> dict[str, Any]:
        """Return `requests`, `failures` and the times."""
        return {"requests": len(self.times), "failures": self.failures, **self.times.summary()}


class Recorder:
    """Listens to locust's requests.

    Args:
        environment: of the locust run.
        descriptor: where reports go, one JSON object a line; None for nowhere.
    """

    def __init__(self, environment: Any, descriptor: int | None) -> None:
        self._environment = environment
        self._report: TextIO | None = None if descriptor is None else os.fdopen(descriptor, "w")
        self._by_name: dict[str, Requests] = {}
        self._by_class: dict[str, Requests] = {}
        self._window: dict[str, Histogram] = {}
        self._errors: Counter[tuple[str, str]] = Counter()
        self._refused: Counter[str] = Counter()
        self._since = time.monotonic()
        environment.events.request.add_listener(self.take)
        environment.events.quitting.add_listener(self.done)
        if self._report is not None:
            gevent.spawn(self._run)

    def take(
        self,
        request_type: str,
        name: str,
        response_time: float,
        exception: BaseException | None = None,
        context: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Take one request.

        Args:
            request_type: method, or `SOCKET`.
            name: of the request.
            response_time: milliseconds.
            exception: why it failed, None when it did not.
            context: `class`, and `refused` with the code of a command that the core refused.
        """
        context = context or {}
        kind = str(context.get("class", "other"))
        for rows, key in ((self._by_name, f"{request_type} {name}"), (self._by_class, kind)):
            row = rows.setdefault(key, Requests())
            row.times.add(int(response_time * 1000))
            row.failures += exception is not None
        self._window.setdefault(kind, Histogram()).add(int(response_time * 1000))
        if exception is not None:
            self._errors[f"{request_type} {name}", str(exception)] += 1
        elif context.get("refused"):
            self._refused[context["refused"]] += 1

    def _run(self) -> None:
        while True:
            gevent.sleep(SAMPLE_SECONDS)
            self._sample()

    def _sample(self) -> None:
        now = time.monotonic()
        window, self._window = self._window, {}
        seconds, self._since = now - self._since, now
        runner = self._environment.runner
        self._write(
            {
                "event": "sample",
                "users": 0 if runner is None else runner.user_count,
                "requests_per_second": round(sum(map(len, window.values())) / seconds, 1),
                "p95_ms": {kind: times.percentile_ms(0.95) for kind, times in window.items()},
                "failures": sum(self._errors.values()),
                "cpu_seconds": round(time.process_time(), 3),
            }
        )

    def done(self, **_: Any) -> None:
        """Write the last report."""
        whole = Requests()
        for row in self._by_class.values():
            whole.times.merge([row.times])
            whole.failures += row.failures
        self._write(
            {
                "event": "done",
                "all": whole.summary(),
                "by_class": _summaries(self._by_class),
                "by_name": _summaries(self._by_name),
                "failures": [
                    {"name": name, "error": error, "count": count}
                    for (name, error), count in self._errors.most_common()
                ],
                "refused": dict(self._refused.most_common()),
            }
        )

    def _write(self, report: dict[str, Any]) -> None:
        if self._report is not None:
            self._report.write(json.dumps(report) + "\n")
            self._report.flush()


def _summaries(rows: dict[str, Requests]) -> dict[str, Any]:
    return {name: rows[name].summary() for name in sorted(rows)}
