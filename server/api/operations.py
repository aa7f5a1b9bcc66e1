"""Health, metrics, and the intake of recorded markets."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response
from litestar.params import JSONBody
from prometheus_client import generate_latest
from prometheus_client.registry import CollectorRegistry

from server.api.answers import answer
from server.api.endpoint import endpoint
from server.api.health import check_health
from server.api.problems import ApiError
from server.api.request import ApiRequest
from server.observability.collector import NodeCollector


TAG = "Operations"

FEED_BODY_BYTES_MAX = 4 * 1024 * 1024
"""Body of one delivery of the feed; beyond it 413."""

FEED_RECORDS_MAX = 10_000
"""Records of one delivery; beyond it 400."""

METRICS_MEDIA_TYPE = "text/plain; version=0.0.4"


class FeedDelivery(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Consecutive records of a recorded market.

    Attributes:
        run: name of the replay; a delivery that is repeated under it is booked once.
        first: number of the first record within the recording.
        records: as they stand in the recording.
    """

    run: str
    first: int
    records: list[dict[str, Any]]


@endpoint("GET", "/health", tag=TAG, summary="Alive", access="open", core=False, limited=False)
async def get_health(request: ApiRequest) -> Response[Any]:
    """Say that the process answers."""
    settings = request.services.settings
    return answer(request, {"status": "ok", "node": settings.node_name}, core=False)


@endpoint(
    "GET",
    "/health/ready",
    tag=TAG,
    summary="Ready to serve",
    access="open",
    core=False,
    limited=False,
)
async def get_ready(request: ApiRequest) -> Response[Any]:
    """Show each check; 503 while this node cannot serve.

    `degraded` (200) means that live data is served while history or identity is not.
    """
    health = await check_health(request.services)
    status = 503 if health["status"] == "unavailable" else 200
    headers = {"Retry-After": "1"} if status == 503 else {}
    return answer(request, health, status=status, core=False, headers=headers)


@endpoint(
    "GET",
    "/metrics",
    tag=TAG,
    summary="Prometheus metrics",
    access="open",
    core=False,
    limited=False,
)
async def get_metrics(request: ApiRequest) -> Response[bytes]:
    """Write all metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(NodeCollector(request.services))
    return Response(generate_latest(registry), media_type=METRICS_MEDIA_TYPE)


@endpoint(
    "POST",
    "/v1/admin/feed",
    tag=TAG,
    summary="Deliver records of a recorded market",
    access="service",
    codes=("STORE_UNAVAILABLE",),
    body_bytes_max=FEED_BODY_BYTES_MAX,
)
async def post_feed(request: ApiRequest, data: JSONBody[FeedDelivery]) -> Response[Any]:
    """Submit the records and answer with counts of what was made of them."""
    feed = request.services.recorded_feed
    if feed is None:
        raise ApiError("STORE_UNAVAILABLE", "this node takes no recorded feed")
    if len(data.records) > FEED_RECORDS_MAX:
        raise ApiError(
            "INVALID_ARGUMENT",
            f"records: expected at most {FEED_RECORDS_MAX}, were {len(data.records)}",
            field="records",
        )
    return answer(request, await feed.ingest(data.run, data.first, data.records))


ROUTES = [get_health, get_ready, get_metrics, post_feed]
