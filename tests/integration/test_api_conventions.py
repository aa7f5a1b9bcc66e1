from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from server.api.codes import KINDS
from streams.core.commands import Tick
from streams.ports import EntryId
from tests.integration.api_node import ApiNode, api_node


ORDER = {"symbol": "BTC", "side": "buy", "quantity": "0.5", "type": "market"}
IDEA = {
    "title": "Long Bitcoin",
    "thesis": "The crowd is wrong about this one.",
    "symbol": "BTC",
    "trade_type": "buy",
    "publish": True,
}

# method, path, trader (- = nobody), body (- = none), status, code
REFUSALS = """
GET     /v1/nothing                           -      -                     404 NOT_FOUND
GET     /docs/secret.key                      -      -                     404 NOT_FOUND
DELETE  /v1/stats                             -      -                     405 METHOD_NOT_ALLOWED
GET     /v1/stats?since=1                     -      -                     400 UNKNOWN_PARAMETER
GET     /v1/ideas?limit=0                     -      -                     400 INVALID_ARGUMENT
GET     /v1/ideas?limit=201                   -      -                     400 INVALID_ARGUMENT
GET     /v1/ideas?limit=ten                   -      -                     400 INVALID_ARGUMENT
GET     /v1/ideas?sort=best                   -      -                     400 INVALID_ARGUMENT
GET     /v1/ideas?cursor=x                    -      -                     400 INVALID_CURSOR
GET     /v1/ideas?symbol=XX                   -      -                     404 UNKNOWN_INSTRUMENT
GET     /v1/ideas?trader=@nobody              -      -                     404 UNKNOWN_TRADER
GET     /v1/ideas/i_1                         -      -                     404 UNKNOWN_IDEA
GET     /v1/traders/t_1                       -      -                     404 UNKNOWN_TRADER
GET     /v1/instruments/XX                    -      -                     404 UNKNOWN_INSTRUMENT
GET     /v1/leaderboards/luck                 -      -                     404 UNKNOWN_BOARD
GET     /v1/leaderboards/sharpe?period=2d     -      -                     400 INVALID_ARGUMENT
GET     /v1/channels/nothing/history          -      -                     404 UNKNOWN_CHANNEL
GET     /v1/channels/account/history          -      -                     401 UNAUTHENTICATED
GET     /v1/channels/book:BTC/history         -      -                     400 INVALID_ARGUMENT
GET     /v1/compare?traders=,                 -      -                     400 INVALID_ARGUMENT
GET     /v1/account                           -      -                     401 UNAUTHENTICATED
GET     /v1/account                           no     -                     401 UNAUTHENTICATED
GET     /v1/copies/@bob                       alice  -                     404 UNKNOWN_COPY
GET     /v1/copies/@bob/decisions?code=LUCK   alice  -                     400 INVALID_ARGUMENT
POST    /v1/orders                            alice  {                     400 MALFORMED
POST    /v1/orders                            alice  []                    400 INVALID_ARGUMENT
POST    /v1/orders                            alice  {"symbol":1}          400 INVALID_ARGUMENT
DELETE  /v1/orders/o_1                        alice  -                     404 UNKNOWN_ORDER
POST    /v1/ideas/i_1/publish                 alice  -                     404 UNKNOWN_IDEA
PUT     /v1/ideas/i_1/like                    alice  -                     404 UNKNOWN_IDEA
PUT     /v1/traders/@alice/follow             alice  -                     422 SELF_FOLLOW
DELETE  /v1/traders/@bob/follow               alice  -                     409 NOT_FOLLOWING
PUT     /v1/copies/@alice                     alice  {"allocation":"10"}   422 SELF_COPY
PUT     /v1/copies/@bob                       alice  {"allocation":"ten"}  400 INVALID_ARGUMENT
PUT     /v1/copies/@bob                       alice  {}                    422 INVALID_SETTINGS
POST    /v1/copies/@bob/pause                 alice  -                     404 UNKNOWN_COPY
DELETE  /v1/copies/@bob?on_stop=never         alice  -                     400 INVALID_ARGUMENT
PATCH   /v1/me                                alice  {"verified":true}     400 INVALID_ARGUMENT
POST    /v1/admin/feed                        alice  {}                    403 FORBIDDEN
GET     /v1/auth/sessions                     alice  -                     503 STORE_UNAVAILABLE
"""


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[ApiNode]:
    async with api_node(tmp_path) as node:
        yield await node.open_market()


async def test_refusals(node: ApiNode) -> None:
    for trader in ("alice", "bob"):
        await node.get("/v1/me", trader)
    for line in REFUSALS.strip().splitlines():
        method, path, trader, body, status, code = line.split()
        response = await node.send(
            method,
            path,
            None if trader == "-" else trader,
            content=None if body == "-" else body.encode(),
            headers={"Content-Type": "application/json"} if body != "-" else {},
        )
        actual = f"{response.status_code} {response.json()['code']}"
        assert f"{line} -> {status} {code}" == f"{line} -> {actual}"
        assert response.headers["Content-Type"] == "application/problem+json"
        problem = response.json()
        assert problem["status"] == response.status_code
        assert all(problem[name] for name in ("type", "title", "detail"))
        if code in KINDS:
            assert KINDS[code].status == response.status_code


async def test_a_refused_body_names_its_field(node: ApiNode) -> None:
    for body, field in (
        ({**ORDER, "quantity": 5}, "quantity"),
        ({**ORDER, "limit": "1"}, "limit"),
        ({**ORDER, "quantity": "0.0001"}, "quantity"),
        ({**ORDER, "side": "up"}, "side"),
        ({"symbol": "BTC"}, "side"),
    ):
        response = await node.send("POST", "/v1/orders", "alice", json=body)
        assert (response.status_code, response.json()["code"]) == (400, "INVALID_ARGUMENT")
        assert [error["field"] for error in response.json()["errors"]] == [field]


async def test_media_types(node: ApiNode) -> None:
    packed = msgspec.msgpack.encode(ORDER)
    headers = {"Content-Type": "application/msgpack", "Accept": "application/msgpack"}
    response = await node.send("POST", "/v1/orders", "alice", content=packed, headers=headers)
    assert response.status_code == 201
    assert response.headers["Content-Type"] == "application/msgpack"
    assert msgspec.msgpack.decode(response.content)["order"]["status"] == "filled"

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    refused = await node.send("POST", "/v1/orders", "alice", content=b"a=1", headers=form)
    assert (refused.status_code, refused.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    long = b" " * (1024 * 1024 + 1)
    large = await node.send("POST", "/v1/orders", "alice", content=long)
    assert (large.status_code, large.json()["code"]) == (413, "TOO_LARGE")


async def test_every_answer_names_its_request(node: ApiNode) -> None:
    for path in ("/v1/stats", "/v1/nothing", "/health", "/openapi.json"):
        own = (await node.send("GET", path, headers={"X-Request-Id": "mine-1"})).headers
        assert own["X-Request-Id"] == "mine-1"
        assert own["X-Content-Type-Options"] == "nosniff"
        given = {"X-Request-Id": "no\tgood " * 20}
        made = (await node.send("GET", path, headers=given)).headers["X-Request-Id"]
        assert len(made) == 16


async def test_offsets_are_told_and_waited_for(node: ApiNode) -> None:
    written = await node.send("POST", "/v1/orders", "alice", json=ORDER)
    offset = written.headers["X-Log-Offset"]
    read = await node.send("GET", "/v1/account", "alice", headers={"X-Min-Log-Offset": offset})
    assert (read.status_code, read.headers["X-Log-Offset"]) == (200, offset)

    seen = node.services.replica.seen
    ahead = f"{EntryId(seen.ms + 3_600_000, 0)}.0"
    asked = {"X-Min-Log-Offset": ahead}
    late = await node.send("GET", "/v1/stats", headers=asked)
    assert (late.status_code, late.json()["code"]) == (503, "NOT_CAUGHT_UP")
    assert late.headers["Retry-After"] == "1"
    odd = await node.send("GET", "/v1/stats", headers={"X-Min-Log-Offset": "yesterday"})
    assert (odd.status_code, odd.json()["code"]) == (400, "INVALID_ARGUMENT")


async def test_a_read_waits_for_an_offset_that_comes(node: ApiNode) -> None:
    now_ms = node.services.clock.now_us() // 1000
    soon = {"X-Min-Log-Offset": f"{now_ms + 30}-0.0"}
    waiting = asyncio.create_task(node.send("GET", "/v1/stats", headers=soon))
    number = now_ms // 100
    while not waiting.done():
        number += 1
        await node.do(Tick(number))
    assert (await waiting).status_code == 200


async def test_an_entity_tag_saves_the_body(node: ApiNode) -> None:
    await node.send("POST", "/v1/ideas", "alice", json=IDEA)
    for path in ("/v1/stats", "/v1/marks", "/v1/books/ideas/BTC", "/v1/leaderboards/sharpe"):
        first = await node.send("GET", path)
        tag = {"If-None-Match": first.headers["ETag"]}
        again = await node.send("GET", path, headers=tag)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
    await node.send("POST", "/v1/orders", "alice", json=ORDER)
    changed = await node.send("GET", "/v1/stats", headers={"If-None-Match": '"old"'})
    assert changed.status_code == 200


async def test_the_rate_is_limited_by_account(tmp_path: Path) -> None:
    settings = {"rate_per_second": 0.001, "rate_burst": 3}
    async with api_node(tmp_path, settings=settings) as node:
        left = []
        for _ in range(3):
            response = await node.send("GET", "/v1/stats", "alice")
            left.append(response.headers["RateLimit-Remaining"])
        refused = await node.send("GET", "/v1/stats", "alice")
        other = await node.send("GET", "/v1/stats", "bob")
        health = [(await node.send("GET", "/health")).status_code for _ in range(5)]

    assert left == ["2", "1", "0"]
    assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMITED")
    assert int(refused.headers["Retry-After"]) > 1
    assert refused.headers["RateLimit-Limit"] == "3"
    assert other.status_code == 200
    assert health == [200] * 5


async def test_a_node_that_catches_up_says_so(node: ApiNode) -> None:
    # A running tail would find at its next turn that nothing is missing.
    [tail] = [task for task in asyncio.all_tasks() if task.get_name() == "replica"]
    tail.cancel()
    await asyncio.wait([tail])
    node.services.replica.ready = False
    for method, path, body in (("GET", "/v1/stats", None), ("POST", "/v1/orders", ORDER)):
        response = await node.send(method, path, "alice", json=body)
        assert (response.status_code, response.json()["code"]) == (503, "NOT_READY")
        assert "Retry-After" in response.headers
    ready = await node.send("GET", "/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")
    assert ready.json()["checks"]["replica"]["ok"] is False
    assert (await node.send("GET", "/health")).status_code == 200


async def test_a_full_log_and_an_unknown_outcome_are_503(node: ApiNode) -> None:
    log: Any = node.services.log
    await node.get("/v1/me", "alice")
    log._server.faults.down = True
    response = await node.send("POST", "/v1/orders", "alice", json=ORDER)
    log._server.faults.down = False
    assert response.status_code == 503
    assert response.json()["code"] in ("OUTCOME_UNKNOWN", "NOT_READY")


async def test_a_key_belongs_to_one_kind_of_command(node: ApiNode) -> None:
    headers = {"Idempotency-Key": "same"}
    await node.get("/v1/me", "leader")
    await node.send("PUT", "/v1/copies/@leader", "alice", json={"allocation": "1000"})
    for method, path, body in (
        ("POST", "/v1/orders", ORDER),
        ("POST", "/v1/copies/@leader/pause", None),
        ("PATCH", "/v1/me", {"bio": "Trading since today."}),
        ("PUT", "/v1/traders/@leader/follow", None),
    ):
        response = await node.send(method, path, "alice", json=body, headers=headers)
        assert response.status_code in (200, 201), response.text
        assert "Idempotent-Replayed" not in response.headers


async def test_credentials_of_unknown_kinds_are_refused(node: ApiNode) -> None:
    for header in ("Basic YTpi", "Bearer", "Bearer x.y.z", "Key optix_x", "Dev x", "Dev a-b-c"):
        response = await node.send("GET", "/v1/me", headers={"Authorization": header})
        assert (response.status_code, response.json()["code"]) == (401, "UNAUTHENTICATED")


async def test_development_logins_can_be_switched_off(tmp_path: Path) -> None:
    async with api_node(tmp_path, settings={"development_auth": False}) as node:
        response = await node.send("GET", "/v1/me", "alice")
    assert (response.status_code, response.json()["code"]) == (401, "UNAUTHENTICATED")


async def test_two_first_requests_make_one_trader(node: ApiNode) -> None:
    answers = await asyncio.gather(*(node.get("/v1/me", "@New") for _ in range(5)))
    assert {answer["trader"] for answer in answers} == {"t_new"}
    assert (await node.get("/v1/stats"))["traders"] == 1
