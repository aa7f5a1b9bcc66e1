from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from storage.audit import read_audit, verify_audit
from storage.embedded import EmbeddedStores
from storage.migrate import migrate
from storage.pool import Pool, open_pool
from streams.core.commands import RegisterTrader
from streams.ports import CommandError
from tests.integration.api_node import ApiNode, api_node


ALICE = {"email": "Alice@Example.org", "handle": "Alice", "password": "correct horse battery"}


class Watch:
    """A clock whose calendar a test moves."""

    def __init__(self) -> None:
        self.ahead_us = 0

    def now_us(self) -> int:
        return time.time_ns() // 1000 + self.ahead_us

    def monotonic(self) -> float:
        return time.monotonic()


@pytest.fixture(scope="session")
def migrated_url(stores: EmbeddedStores) -> str:
    """Address of this module's database: made once, for a process may come back to the module."""

    async def make() -> str:
        connection = await asyncpg.connect(stores.database_url)
        await connection.execute("CREATE DATABASE test_api_identity")
        await connection.close()
        url = urlsplit(stores.database_url)._replace(path="/test_api_identity").geturl()
        await migrate(url)
        return url

    return asyncio.run(make())


@pytest.fixture
async def pool(migrated_url: str) -> AsyncIterator[Pool]:
    pool = await open_pool(migrated_url)
    await pool.execute("DELETE FROM accounts")  # logins and keys go with them
    yield pool
    await pool.close()


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
async def node(tmp_path: Path, pool: Pool, watch: Watch) -> AsyncIterator[ApiNode]:
    async with api_node(tmp_path, pool=pool, clock=watch) as node:
        yield await node.open_market()


async def post(node: ApiNode, path: str, body: Any, token: str | None = None) -> httpx.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return await node.send("POST", path, json=body, headers=headers)


async def registered(node: ApiNode, **changes: str) -> dict[str, Any]:
    response = await post(node, "/v1/auth/register", {**ALICE, **changes})
    assert response.status_code == 201, response.text
    return dict(response.json())


async def ask(node: ApiNode, method: str, path: str, token: str, **options: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return await node.send(method, path, headers=headers, **options)


async def test_a_registered_trader_has_cash_and_can_trade(node: ApiNode) -> None:
    tokens = await registered(node)
    token = tokens["access_token"]

    me = (await ask(node, "GET", "/v1/me", token)).json()
    assert (me["trader"], me["handle"], me["origin"]) == (tokens["trader"], "alice", "account")
    assert tokens["expires_in"] == 900
    order = {"symbol": "BTC", "side": "buy", "quantity": "1", "type": "market"}
    assert (await ask(node, "POST", "/v1/orders", token, json=order)).status_code == 201
    assert (await ask(node, "GET", "/v1/account", token)).json()["cash"] == "100000"


@pytest.mark.parametrize(
    ("changes", "status", "code", "field"),
    [
        ({"handle": "other"}, 409, "EMAIL_TAKEN", "email"),
        ({"email": "b@example.org"}, 409, "HANDLE_TAKEN", "handle"),
        ({"email": "b@example.org", "handle": "ALICE"}, 409, "HANDLE_TAKEN", "handle"),
        ({"email": "b@example.org", "handle": "admin"}, 409, "HANDLE_TAKEN", "handle"),
        ({"email": "nobody", "handle": "bob"}, 400, "INVALID_ARGUMENT", "email"),
        ({"email": "b@example.org", "handle": "b o b"}, 400, "INVALID_ARGUMENT", "handle"),
        ({"email": "b@example.org", "handle": "b\u043eb"}, 400, "INVALID_ARGUMENT", "handle"),
        ({"email": "b@x.org", "handle": "bob", "password": "short"}, 400, "INVALID_ARGUMENT",
         "password"),
        ({"email": "b@x.org", "handle": "bobbobbob", "password": "bobbobbob"}, 400,
         "INVALID_ARGUMENT", "password"),
    ],
)  # fmt: skip
async def test_registration_refuses(
    node: ApiNode, changes: dict[str, str], status: int, code: str, field: str
) -> None:
    await registered(node)
    traders = len(node.services.replica.state.traders)

    response = await post(node, "/v1/auth/register", {**ALICE, **changes})

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert len(node.services.replica.state.traders) == traders


async def test_a_handle_the_core_refuses_leaves_no_account(node: ApiNode) -> None:
    identity = node.services.identity
    assert identity is not None
    # the core learns of the handle between the check and the command
    submit, edge = node.services.edge.submit, identity._edge

    class Race:
        async def submit(self, command: Any, principal: str, **options: Any) -> Any:
            if isinstance(command, RegisterTrader):
                rival = RegisterTrader("t_rival", "alice", "Rival", "account", 0)
                await submit(rival, "t_rival")
            return await submit(command, principal, **options)

    identity._edge = Race()  # type: ignore[assignment]
    refused = await post(node, "/v1/auth/register", ALICE)
    identity._edge = edge

    assert (refused.status_code, refused.json()["code"]) == (409, "HANDLE_TAKEN")
    again = await registered(node, handle="alice2")
    assert again["handle"] == "alice2"


async def test_a_log_in_completes_a_registration_of_unknown_outcome(node: ApiNode) -> None:
    identity = node.services.identity
    assert identity is not None
    edge = identity._edge

    class Cut:
        async def submit(self, *_: Any, **__: Any) -> Any:
            raise CommandError("OUTCOME_UNKNOWN", "no answer in time")

    identity._edge = Cut()  # type: ignore[assignment]
    unknown = await post(node, "/v1/auth/register", ALICE)
    identity._edge = edge
    assert (unknown.status_code, unknown.json()["code"]) == (503, "OUTCOME_UNKNOWN")

    tokens = await post(
        node, "/v1/auth/login", {"email": ALICE["email"], "password": ALICE["password"]}
    )
    assert tokens.status_code == 200
    assert tokens.json()["trader"] in node.services.replica.state.traders


async def test_wrong_password_and_unknown_address_are_told_alike(node: ApiNode) -> None:
    await registered(node)
    answers = [
        await post(node, "/v1/auth/login", {"email": email, "password": "wrong password"})
        for email in ("alice@example.org", "nobody@example.org")
    ]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["code"] == "WRONG_CREDENTIALS"


async def test_refresh_rotates_and_reuse_ends_the_login(node: ApiNode) -> None:
    first = await registered(node)
    second = (
        await post(node, "/v1/auth/refresh", {"refresh_token": first["refresh_token"]})
    ).json()
    assert second["refresh_token"] != first["refresh_token"]

    reused = await post(node, "/v1/auth/refresh", {"refresh_token": first["refresh_token"]})
    assert (reused.status_code, reused.json()["code"]) == (401, "REFRESH_REUSED")
    dead = await post(node, "/v1/auth/refresh", {"refresh_token": second["refresh_token"]})
    assert (dead.status_code, dead.json()["code"]) == (401, "REFRESH_REVOKED")
    assert (await ask(node, "GET", "/v1/me", second["access_token"])).status_code == 401
    unknown = await post(node, "/v1/auth/refresh", {"refresh_token": "optix_refresh_x"})
    assert unknown.json()["code"] == "REFRESH_UNKNOWN"


async def test_an_access_token_ends(node: ApiNode, watch: Watch) -> None:
    token = (await registered(node))["access_token"]
    assert (await ask(node, "GET", "/v1/me", token)).status_code == 200
    watch.ahead_us = 1_000 * 1_000_000
    ended = await ask(node, "GET", "/v1/me", token)

    assert (ended.status_code, ended.json()["code"]) == (401, "UNAUTHENTICATED")
    assert "expired" in ended.json()["detail"]
    assert ended.headers["WWW-Authenticate"].startswith("Bearer")


async def test_logins_are_listed_and_ended(node: ApiNode) -> None:
    identity = node.services.identity
    assert identity is not None
    closed: list[str] = []
    identity.ended = closed.append
    first = await registered(node)
    body = {"email": ALICE["email"], "password": ALICE["password"]}
    second = (await post(node, "/v1/auth/login", body)).json()

    sessions = (await ask(node, "GET", "/v1/auth/sessions", second["access_token"])).json()["items"]
    assert [session["current"] for session in sessions] == [True, False]
    ended = await ask(
        node, "DELETE", f"/v1/auth/sessions/{sessions[1]['id']}", second["access_token"]
    )
    assert (ended.status_code, ended.content) == (204, b"")
    assert closed == [sessions[1]["id"]]
    assert (await ask(node, "GET", "/v1/me", first["access_token"])).status_code == 401
    again = await ask(
        node, "DELETE", f"/v1/auth/sessions/{sessions[1]['id']}", second["access_token"]
    )
    assert (again.status_code, again.json()["code"]) == (404, "NOT_FOUND")

    out = await post(node, "/v1/auth/logout", {"refresh_token": second["refresh_token"]})
    assert out.status_code == 204
    assert (await ask(node, "GET", "/v1/me", second["access_token"])).status_code == 401
    repeated = await post(node, "/v1/auth/logout", {"refresh_token": second["refresh_token"]})
    assert repeated.status_code == 204


async def test_a_new_password_ends_other_logins(node: ApiNode) -> None:
    first = await registered(node)
    body = {"email": ALICE["email"], "password": ALICE["password"]}
    second = (await post(node, "/v1/auth/login", body)).json()
    change = {"current_password": ALICE["password"], "new_password": "another long one"}

    wrong = await post(
        node,
        "/v1/auth/password",
        {**change, "current_password": "not this one"},
        second["access_token"],
    )
    assert (wrong.status_code, wrong.json()["code"]) == (401, "WRONG_CREDENTIALS")
    changed = await post(node, "/v1/auth/password", change, second["access_token"])
    assert changed.json() == {"logins_ended": 1}
    assert (await ask(node, "GET", "/v1/me", first["access_token"])).status_code == 401
    assert (await post(node, "/v1/auth/login", body)).status_code == 401
    assert (
        await post(node, "/v1/auth/login", {**body, "password": "another long one"})
    ).status_code == 200


async def test_an_api_key_does_what_its_scopes_say(node: ApiNode) -> None:
    token = (await registered(node))["access_token"]
    made = await post(node, "/v1/api-keys", {"name": "bot", "scopes": ["read"]}, token)
    assert made.status_code == 201
    key = made.json()["key"]
    assert key.startswith("optix_development_")

    headers = {"Authorization": f"Key {key}"}
    assert (await node.send("GET", "/v1/account", headers=headers)).status_code == 200
    bearer = {"Authorization": f"Bearer {key}"}
    assert (await node.send("GET", "/v1/account", headers=bearer)).status_code == 200
    order = {"symbol": "BTC", "side": "buy", "quantity": "1", "type": "market"}
    refused = await node.send("POST", "/v1/orders", headers=headers, json=order)
    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
    listed = (await ask(node, "GET", "/v1/api-keys", token)).json()["items"]
    assert [(each["id"], each["prefix"]) for each in listed] == [
        (made.json()["id"], made.json()["prefix"])
    ]
    assert key not in str(listed)

    gone = await ask(node, "DELETE", f"/v1/api-keys/{made.json()['id']}", token)
    assert gone.status_code == 204
    assert (await node.send("GET", "/v1/account", headers=headers)).status_code == 401
    mistyped = {"Authorization": f"Key {key[:-1]}!"}
    assert (await node.send("GET", "/v1/account", headers=mistyped)).status_code == 401


async def test_a_key_is_bound_to_its_addresses_and_time(node: ApiNode, watch: Watch) -> None:
    token = (await registered(node))["access_token"]
    far = {"name": "far", "scopes": ["read"], "addresses": ["192.0.2.0/24"]}
    key = (await post(node, "/v1/api-keys", far, token)).json()["key"]
    refused = await node.send("GET", "/v1/account", headers={"Authorization": f"Key {key}"})
    assert refused.status_code == 401
    wrong = await post(node, "/v1/api-keys", {**far, "addresses": ["here"]}, token)
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "addresses")
    past = {"name": "past", "scopes": ["read"], "expires_at": "2001-01-01T00:00:00Z"}
    assert (await post(node, "/v1/api-keys", past, token)).status_code == 400
    excess = await post(node, "/v1/api-keys", {"name": "x", "scopes": ["admin"]}, token)
    assert (excess.status_code, excess.json()["code"]) == (403, "FORBIDDEN")


async def test_the_service_key_feeds_and_does_not_trade(node: ApiNode) -> None:
    path = node.services.settings.state_dir / "service.key"
    assert path.stat().st_mode & 0o777 == 0o600
    headers = {"Authorization": f"Key {path.read_text().strip()}"}

    feed = {"run": "r", "first": 0, "records": []}
    none = await node.send("POST", "/v1/admin/feed", headers=headers, json=feed)
    assert none.json()["code"] == "STORE_UNAVAILABLE"  # this node has no feed
    order = {"symbol": "BTC", "side": "buy", "quantity": "1", "type": "market"}
    refused = await node.send("POST", "/v1/orders", headers=headers, json=order)
    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")


async def test_export_then_erasure(node: ApiNode, pool: Pool) -> None:
    tokens = await registered(node)
    token = tokens["access_token"]
    exported = (await ask(node, "GET", "/v1/me/export", token)).json()
    assert exported["identity"]["email"] == "alice@example.org"

    assert (await ask(node, "DELETE", "/v1/me", token)).status_code == 204
    assert (await ask(node, "GET", "/v1/me", token)).status_code == 401
    body = {"email": ALICE["email"], "password": ALICE["password"]}
    assert (await post(node, "/v1/auth/login", body)).status_code == 401
    profile = await node.get(f"/v1/traders/{tokens['trader']}")
    assert profile["name"] == "erased"
    rows = (await read_audit(pool)).items
    assert await verify_audit(pool) >= len(rows)
    assert [row.action for row in rows[:3]] == [
        "account.erased",
        "login.created",
        "account.created",
    ]
    assert "example.org" not in str(rows)


async def test_attempts_are_limited(tmp_path: Path) -> None:
    settings = {"auth_rate_per_minute": 0.01}
    async with api_node(tmp_path, settings=settings) as node:
        response = None
        codes = []
        for _ in range(21):
            response = await post(node, "/v1/auth/register", ALICE)
            codes.append(response.json()["code"])

    assert codes == ["STORE_UNAVAILABLE"] * 20 + ["RATE_LIMITED"]
    assert response is not None
    assert int(response.headers["Retry-After"]) >= 1


async def test_a_development_login_has_no_account(node: ApiNode) -> None:
    for path in ("/v1/auth/sessions", "/v1/api-keys"):
        response = await node.send("GET", path, "bob")
        assert (response.status_code, response.json()["code"]) == (403, "FORBIDDEN")


async def test_a_nul_is_the_callers_fault_and_not_the_stores(node: ApiNode) -> None:
    made = await post(node, "/v1/auth/register", ALICE)
    bearer = {"Authorization": f"Bearer {made.json()['access_token']}"}
    bob = {"email": "bob@example.org", "handle": "bob_2", "password": "correct horse battery"}
    answers = [
        await post(node, "/v1/auth/register", {**bob, "email": "b\0b@example.org"}),
        await post(node, "/v1/auth/register", {**bob, "display_name": "B\0b"}),
        await post(node, "/v1/auth/login", {"email": "b\0b@example.org", "password": "x"}),
        await node.send(
            "POST", "/v1/api-keys", headers=bearer, json={"name": "k\0", "scopes": ["read"]}
        ),
        await node.send("DELETE", "/v1/api-keys/%00", headers=bearer),
        await node.send("DELETE", "/v1/auth/sessions/%00", headers=bearer),
    ]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_ARGUMENT"), answer.text
