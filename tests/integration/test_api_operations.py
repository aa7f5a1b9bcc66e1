from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from server.app import create_app
from server.gateway.gateway import Gateway
from server.gateway.settings import GatewaySettings
from server.observability.collector import NodeCollector
from storage.archiver import Archiver
from storage.migrate import migrate
from storage.pool import Pool, open_pool
from streams.fanout.hub import Hub
from streams.replica.feeds.recorded_feed import RecordedFeed
from tests.integration.api_node import api_node


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    await migrate(database_url)
    pool = await open_pool(database_url)
    yield pool
    pool.terminate()


async def test_a_ready_node_shows_each_check(tmp_path: Path, pool: Pool) -> None:
    async with api_node(tmp_path, pool=pool) as node:
        health = await node.get("/health/ready")
        assert health["status"] == "ready"
        assert list(health["checks"]) == ["replica", "log", "database", "archive"]
        assert all(check["ok"] for check in health["checks"].values())


async def test_a_node_without_postgresql_serves_on_degraded(tmp_path: Path, pool: Pool) -> None:
    async with api_node(tmp_path, pool=pool) as node:
        await node.open_market()
        pool.terminate()
        health = await node.get("/health/ready")
        assert (health["status"], health["checks"]["database"]["ok"]) == ("degraded", False)
        order = {"symbol": "BTC", "side": "buy", "quantity": "1", "type": "market"}
        assert (await node.send("POST", "/v1/orders", "alice", json=order)).status_code == 201
        away = await node.send("GET", "/v1/trades")
        assert (away.status_code, away.json()["code"]) == (503, "STORE_UNAVAILABLE")
        assert "asyncpg" not in away.text


async def test_a_node_without_the_log_is_unavailable(tmp_path: Path) -> None:
    async with api_node(tmp_path) as node:
        log: Any = node.services.log
        log._server.faults.down = True
        response = await node.send("GET", "/health/ready")
        log._server.faults.down = False
    assert (response.status_code, response.json()["status"]) == (503, "unavailable")
    assert response.json()["checks"]["log"]["ok"] is False


async def test_metrics_count_what_happens(tmp_path: Path, pool: Pool) -> None:
    async def nothing(*_: Any) -> AsyncIterator[Any]:
        return
        yield

    async with api_node(tmp_path, pool=pool) as node:
        services = node.services
        hub = Hub(services.source)
        gateway = Gateway(
            services.source,
            services.edge,
            services.authenticator,
            hub,
            GatewaySettings(),
            services.clock,
        )
        await node.open_market()
        await node.get("/v1/stats")
        scrape = await node.send("GET", "/metrics")
        assert scrape.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        families = _families(scrape.text)
        assert _value(families, "optix_entries_applied_total") >= 3
        assert _value(families, "optix_ready") == 1
        assert (
            _value(families, "optix_requests_total", method="GET", route="/v1/stats", status="200")
            == 1
        )
        assert _value(families, "optix_log_acknowledgement_seconds_count") >= 3

        whole = msgspec.structs.replace(
            services, hub=hub, gateway=gateway, archiver=Archiver(pool, nothing)
        )
        names = {family.name for family in NodeCollector(whole).collect()}
        assert names >= {
            "optix_sockets",
            "optix_outbox_bytes",
            "optix_conflations",
            "optix_slow_closes",
            "optix_stream_bytes",
            "optix_frames_encoded",
            "optix_log_lag_seconds",
            "optix_archive_lag_seconds",
            "optix_command_outcomes",
        }
        await gateway.close()


def _families(text: str) -> dict[str, list[Any]]:
    samples: dict[str, list[Any]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            samples.setdefault(sample.name, []).append(sample)
    return samples


def _value(families: dict[str, list[Any]], name: str, **labels: str) -> float:
    return next(
        float(sample.value) for sample in families[name] if labels.items() <= sample.labels.items()
    )


async def test_the_feed_is_delivered_by_the_service_key(tmp_path: Path) -> None:
    async with api_node(tmp_path) as plain:
        services = plain.services
        fed = msgspec.structs.replace(services, recorded_feed=RecordedFeed(services.edge))
        transport = httpx.ASGITransport(app=create_app(fed))
        key = (tmp_path / "service.key").read_text()
        headers = {"Authorization": f"Key {key}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            body: dict[str, Any] = {"run": "day-1", "first": 0, "records": []}
            empty = await client.post("/v1/admin/feed", json=body, headers=headers)
            assert (empty.status_code, type(empty.json())) == (200, dict)
            for wrong in ({**body, "extra": 1}, {**body, "records": [1]}):
                refused = await client.post("/v1/admin/feed", json=wrong, headers=headers)
                assert (refused.status_code, refused.json()["code"]) == (400, "INVALID_ARGUMENT")
            large = {**body, "run": "x" * (2 * 1024 * 1024)}
            assert (
                await client.post("/v1/admin/feed", json=large, headers=headers)
            ).status_code == 200
            larger = {**body, "run": "x" * (5 * 1024 * 1024)}
            over = await client.post("/v1/admin/feed", json=larger, headers=headers)
            assert (over.status_code, over.json()["code"]) == (413, "TOO_LARGE")


async def test_the_documentation_needs_no_network(tmp_path: Path) -> None:
    async with api_node(tmp_path) as node:
        page = await node.send("GET", "/docs")
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        parts = [page.text]
        for name in ("docs.js", "docs.css"):
            assert f"/docs/{name}" in page.text
            parts.append((await node.send("GET", f"/docs/{name}")).text)
        assert not any("http://" in part or "https://" in part for part in parts)
        assert "script-src" not in page.headers["Content-Security-Policy"]
        assert "<script>" not in page.text


async def test_every_route_documents_its_problems(tmp_path: Path) -> None:
    async with api_node(tmp_path) as node:
        document = await node.get("/openapi.json")
        served = {
            (method.lower(), route.path_format)
            for route in create_app(node.services).routes
            for method in getattr(route, "route_handler_map", {})
            if method != "OPTIONS" and not route.path.startswith("/schema")
        }

    described = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            described.add((method, path))
            problems = {
                status: response
                for status, response in operation["responses"].items()
                if int(status) >= 400
            }
            assert problems, f"{method} {path}"
            for status, response in problems.items():
                content = response["content"]
                assert list(content) == ["application/problem+json"], f"{method} {path} {status}"
                assert response["description"].startswith("`")
            assert operation["summary"]
            body = operation.get("requestBody", {"content": {}})["content"]
            assert not body or set(body) == {"application/json", "application/msgpack"}
            assert operation["tags"]
            secured = "security" in operation
            assert secured == ("401" in problems) or path.startswith("/v1/auth"), path
    assert described == served
    codes = [error["code"] for error in document["x-error-codes"]]
    assert len(codes) == len(set(codes))
    assert {"NO_QUOTE", "NOT_FOUND", "OUTCOME_UNKNOWN"} <= set(codes)


async def test_cross_origin_calls_only_from_named_sites(tmp_path: Path) -> None:
    settings = {"cors_origins": ("https://terminal.example",)}
    async with api_node(tmp_path, settings=settings) as node:
        allowed = await node.send(
            "GET", "/v1/stats", headers={"Origin": "https://terminal.example"}
        )
        other = await node.send("GET", "/v1/stats", headers={"Origin": "https://evil.example"})
    header = "Access-Control-Allow-Origin"
    assert allowed.headers[header] == "https://terminal.example"
    assert header not in other.headers
