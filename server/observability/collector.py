"""Prometheus metrics of a node, collected at a scrape from plain attributes.

Serving never touches a metric object: parts of the node count in attributes of their own, this
reads them. A part that the node does not have gives no metrics.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from server.observability.meters import Meters


class Observed(Protocol):
    """The parts that are looked at; `server.services.Services` has them."""

    @property
    def meters(self) -> Meters: ...  # noqa: D102
    @property
    def replica(self) -> Any: ...  # noqa: D102
    @property
    def submitter(self) -> Any: ...  # noqa: D102
    @property
    def hub(self) -> Any: ...  # noqa: D102
    @property
    def gateway(self) -> Any: ...  # noqa: D102
    @property
    def archiver(self) -> Any: ...  # noqa: D102
    @property
    def clock(self) -> Any: ...  # noqa: D102


# (metric without prefix, help, attribute)
Row = tuple[str, str, str]

REPLICA_COUNTERS: tuple[Row, ...] = (
    ("entries_applied", "Log entries applied.", "entries"),
    ("commands_applied", "Commands applied.", "commands"),
    ("apply_seconds", "Time spent applying.", "apply_seconds"),
)
SUBMITTER_COUNTERS: tuple[Row, ...] = (
    ("log_appends", "Batches acknowledged by the log.", "appends"),
    ("commands_submitted", "Commands in them.", "commands"),
    ("log_appends_unknown", "Appends whose outcome was unknown at first.", "unknown"),
    ("log_appends_resent", "Batches sent again after that.", "resent"),
    ("log_appends_refused", "Appends refused or failed before sending.", "refused"),
    ("log_truncations", "Times the log was found truncated or in a new epoch.", "truncations"),
    ("commands_expired", "Commands answered because their time was over.", "expired"),
)
HUB_COUNTERS: tuple[Row, ...] = (
    ("frames_encoded", "Frames encoded, once a codec.", "frames_encoded"),
    ("frames_delivered", "Frames written or offered to a subscriber.", "frames_delivered"),
    ("frames_replayed", "Frames sent from history to clients that resumed.", "frames_replayed"),
    ("stream_bytes", "Bytes written to sockets.", "bytes_delivered"),
    ("conflations", "Frames left out because a later snapshot replaces them.", "conflations"),
    ("slow_closes", "Sockets given up as slow.", "slow_closes"),
    ("stream_write_errors", "Writes to sockets that were gone.", "write_errors"),
)
ARCHIVER_COUNTERS: tuple[Row, ...] = (
    ("archive_rows", "Rows committed to PostgreSQL.", "rows"),
    ("archive_transactions", "Transactions committed to PostgreSQL.", "transactions"),
    ("archive_failures", "Attempts that failed.", "failures"),
    ("archive_conflicts", "Times that another node had archived first.", "conflicts"),
)
ARCHIVER_GAUGES: tuple[Row, ...] = (
    ("archive_lag_entries", "Entries applied and not archived.", "lag_entries"),
    ("archive_lag_bytes", "Their estimated memory.", "lag_bytes"),
    ("archive_lag_seconds", "Age of the oldest of them in log time.", "lag_s"),
)
TOTALS: tuple[Row, ...] = (
    ("ideas", "Ideas published.", "ideas"),
    ("messages", "Messages posted.", "messages"),
    ("trades", "Fills booked.", "trades"),
    ("copies_executed", "Copies executed.", "copies_executed"),
    ("copies_skipped", "Copies skipped.", "copies_skipped"),
)


class NodeCollector(Collector):
    """Collects the metrics of one node."""

    def __init__(self, observed: Observed) -> None:
        self._observed = observed

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        observed = self._observed
        yield from self._replica()
        yield from _requests(observed.meters)
        if observed.submitter is not None:
            yield from _counters(observed.submitter, SUBMITTER_COUNTERS)
            yield _gauge("commands_pending", "Commands unanswered.", observed.submitter.pending)
            yield _gauge(
                "log_accepting", "Whether commands are taken.", observed.submitter.accepting
            )
        if observed.hub is not None:
            yield from _counters(observed.hub, HUB_COUNTERS)
            yield _gauge("subscriptions", "Subscriptions held.", observed.hub.subscriptions)
        if observed.gateway is not None:
            yield from _gateway(observed.gateway)
        if observed.archiver is not None:
            yield from _counters(observed.archiver, ARCHIVER_COUNTERS)
            yield from _gauges(observed.archiver, ARCHIVER_GAUGES)

    def _replica(self) -> Iterator[Metric]:
        replica = self._observed.replica
        state = replica.state
        yield from _counters(replica, REPLICA_COUNTERS)
        yield _gauge("ready", "Whether the replica has caught up.", replica.ready)
        now_ms = self._observed.clock.now_us() / 1000
        lag_s = max(0.0, now_ms - state.entry_ms) / 1000 if state.entry_ms else 0.0
        yield _gauge("log_lag_seconds", "Age of the newest entry applied.", lag_s)
        yield _gauge(
            "history_events", "Events of lossless channels in memory.", len(replica.history)
        )
        yield _gauge("recovery_seconds", "Time the last recovery took.", replica.recovered.seconds)
        yield _gauge("traders", "Traders registered.", len(state.traders))
        yield _gauge("instruments", "Instruments registered.", len(state.instruments))
        yield _gauge("ideas_held", "Ideas in memory.", len(state.ideas))
        yield _gauge("open_positions", "Open positions.", state.totals.open_positions)
        yield _gauge("copies_active", "Running copies.", state.totals.copies_active)
        yield from _counters(state.totals, TOTALS)
        outcomes = CounterMetricFamily(
            "optix_command_outcomes", "Outcomes of applied commands.", labels=["code"]
        )
        for code, count in self._observed.meters.outcomes.items():
            outcomes.add_metric([code], count)
        yield outcomes
        yield _histogram(
            "log_acknowledgement_seconds",
            "Time from sending a batch to its acknowledgement by the log.",
            self._observed.meters,
        )


def _gateway(gateway: Any) -> Iterator[Metric]:
    sockets = gateway.registry.sockets()
    yield _gauge("sockets", "Open sockets.", len(sockets))
    waiting = sum(socket.outbox.bytes_waiting for socket in sockets)
    yield _gauge("outbox_bytes", "Bytes waiting for slow clients.", waiting)
    yield _counter("sockets_opened", "Sockets opened.", gateway.opened)
    yield _counter("sockets_refused", "Upgrades refused.", gateway.refused)
    yield _gauge("stream_commands_unanswered", "Of sockets.", gateway.commands_in_flight)
    closed = CounterMetricFamily("optix_sockets_closed", "Sockets closed.", labels=["code"])
    for code, count in gateway.closed_by_code.items():
        closed.add_metric([str(code)], count)
    yield closed


def _requests(meters: Meters) -> Iterator[Metric]:
    answered = CounterMetricFamily(
        "optix_requests", "Answers of REST.", labels=["method", "route", "status"]
    )
    for (method, route, status), count in meters.requests.items():
        answered.add_metric([method, route, str(status)], count)
    yield answered
    seconds = HistogramMetricFamily(
        "optix_request_seconds", "Time to answer.", labels=["method", "route"]
    )
    for (method, route), histogram in meters.request_seconds.items():
        seconds.add_metric([method, route], histogram.cumulated(), histogram.sum_s)
    yield seconds
    yield _counter("requests_rate_limited", "Requests refused by rate.", meters.rate_limited)
    checked = CounterMetricFamily(
        "optix_authentications", "Credentials checked.", labels=["kind", "result"]
    )
    for (kind, result), count in meters.authentications.items():
        checked.add_metric([kind, result], count)
    yield checked


def _histogram(name: str, text: str, meters: Meters) -> Metric:
    found = meters.acknowledgements
    return HistogramMetricFamily(
        f"optix_{name}", text, buckets=found.cumulated(), sum_value=found.sum_s
    )


def _counters(owner: Any, rows: tuple[Row, ...]) -> Iterator[Metric]:
    for name, text, attribute in rows:
        yield _counter(name, text, getattr(owner, attribute))


def _gauges(owner: Any, rows: tuple[Row, ...]) -> Iterator[Metric]:
    for name, text, attribute in rows:
        yield _gauge(name, text, getattr(owner, attribute))


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"optix_{name}", text, value=value)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"optix_{name}", text, value=value)
