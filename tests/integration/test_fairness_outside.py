"""An outsider rechecks a day's fairness over the public surface, and finds what is changed."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvicorn
from click.testing import CliRunner, Result

from server.app import create_app
from server.cli.verify_command import command
from server.http_server import HttpServer
from storage.migrate import migrate
from storage.pool import Pool, open_pool
from streams.core.commands import (
    CommitSeed,
    MarkRow,
    OpenSeed,
    PublishMarks,
    RegisterInstrument,
    Tick,
)
from streams.core.copying.seeds import commitment_of
from streams.core.money import Step
from tests.integration.api_node import ApiNode, api_node
from tests.manual_clock import ManualClock


DAY_SECONDS = 86_400
SEED, VEIL = b"s" * 32, b"v" * 32
FOLLOWERS = {"fay": "0.06", "gus": "0.04", "hal": "0.015", "ida": "0.001", "jon": "0.02"}

Change = Callable[[str, dict[str, Any]], None]


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    await migrate(database_url)
    pool = await open_pool(database_url)
    yield pool
    await pool.close()


class Day:
    """A node on a clock that is set by hand, whose followers have traded for one sealed day."""

    def __init__(self, node: ApiNode, clock: ManualClock) -> None:
        self.node = node
        self.clock = clock
        self.ticks = 0

    async def tick(self) -> None:
        self.ticks += 10
        await self.node.do(Tick(self.ticks))

    async def pass_day(self) -> None:
        self.clock.advance(DAY_SECONDS)
        await self.tick()

    async def order(self, symbol: str, side: str, quantity: str) -> None:
        body = {"symbol": symbol, "side": side, "quantity": quantity, "type": "market"}
        response = await self.node.send("POST", "/v1/orders", "leader", json=body)
        assert response.status_code == 201, response.text


@asynccontextmanager
async def traded(path: Path, pool: Pool) -> AsyncIterator[Day]:
    clock = ManualClock()
    async with api_node(path, pool=pool, archive=True, clock=clock) as node:
        day = Day(await node.open_market(), clock)
        await node.do(
            RegisterInstrument("SHY", "Shy", "x", "spot", Step(1, 2), Step(1, 3), depth_lots=67)
        )
        await node.do(PublishMarks([MarkRow("SHY", 9_990, 10_000, 9_995)]))
        await node.get("/v1/me", "leader")
        for name, quantity in FOLLOWERS.items():
            settings = {
                "allocation": "5000",
                "mode": "fixed_quantity",
                "fixed_quantity": quantity,
                "position_max": 100,
                "reverse": name == "jon",
            }
            started = await node.send("PUT", "/v1/copies/@leader", name, json=settings)
            assert started.status_code in (200, 201), started.text
        await node.do(CommitSeed(1, b"n", commitment_of(SEED), commitment_of(VEIL)))
        await day.pass_day()
        quotes = [MarkRow("BTC", 120_010, 120_012, 0), MarkRow("SHY", 10_000, 10_010, 10_005)]
        await node.do(PublishMarks(quotes))
        await day.order("BTC", "buy", "0.1")  # before the seed: nobody ordered this one
        await node.do(OpenSeed(1, SEED, VEIL))
        for quantity in ("0.1", "0.2", "0.3"):
            await day.order("SHY", "buy", quantity)
        await day.order("BTC", "sell", "0.3")  # a closing and an opening
        await day.pass_day()
        await node.archived()
        yield day


@asynccontextmanager
async def served(node: ApiNode, change: Change | None = None) -> AsyncIterator[str]:
    """Serve the node on a port, its answers changed on the way out; yields the address."""
    app = create_app(node.services)

    async def changed(scope: Any, receive: Any, send: Any) -> None:
        started: list[dict[str, Any]] = []

        async def pass_on(message: dict[str, Any]) -> None:
            if change is None or scope["type"] != "http":
                await send(message)
            elif message["type"] == "http.response.start":
                started.append(message)
            else:
                body = json.loads(message["body"])
                change(scope["path"], body)
                packed = json.dumps(body).encode()
                kept = [pair for pair in started[0]["headers"] if pair[0] != b"content-length"]
                await send({**started[0], "headers": kept})
                await send({**message, "body": packed})

        await app(scope, receive, pass_on)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(changed, log_config=None, lifespan="off", ws="none")
        server = HttpServer(config, [listening])
        serving = asyncio.create_task(server.serve(), name="outside")
        await server.listening.wait()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await serving


async def verified(address: str, *arguments: str) -> Result:
    """Run `optix verify --fairness` as an outsider: in another thread, with nothing but a URL."""
    return await asyncio.to_thread(CliRunner().invoke, command, ["--fairness", address, *arguments])


async def test_an_outsider_rechecks_a_day(tmp_path: Path, pool: Pool) -> None:
    async with traded(tmp_path, pool) as day, served(day.node) as address:
        found = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "server.cli.main", "verify", "--fairness", address),
            *("--json", "--commitment", commitment_of(SEED).hex()),
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await found.communicate()
        assert found.returncode == 0, output
        told = json.loads(output)
        assert (told["signals"], told["openings"], told["problems"]) == (5, 25, [])
        words = await verified(address, "--day", told["day"])
        assert "ok    fairness" in words.output
        report = await day.node.get(f"/v1/fairness/{told['day']}")
        assert (report["signals_unsealed"], report["closed"]) == (1, True)
        rows = (await day.node.get(f"/v1/fairness/{told['day']}/openings"))["items"]
        assert VEIL.hex() not in json.dumps([report, rows])
        shared = [row for row in rows if row["type"] == "opening" and row["symbol"] == "SHY"]
        quantities = {row["asked"]: row["quantity"] for row in shared}
        assert quantities == {
            "0.06": "0.035", "0.04": "0.023", "0.015": "0.009", "0.001": "0", "0.02": "0.02"
        }  # fmt: skip


async def test_a_follower_finds_its_own_rows(tmp_path: Path, pool: Pool) -> None:
    async with traded(tmp_path, pool) as day:
        (today, ended, *_) = (await day.node.get("/v1/fairness"))["items"]
        path = f"/v1/copies/@leader/alias?day={ended['day']}"
        aliases = {name: (await day.node.get(path, name))["alias"] for name in FOLLOWERS}
        rows = (await day.node.get(f"/v1/fairness/{ended['day']}/openings"))["items"]
        assert {row["alias"] for row in rows if row["type"] == "opening"} == set(aliases.values())
        for path, code in (
            (f"/v1/fairness/{today['day']}/openings", "NOT_FOUND"),
            ("/v1/fairness/monday/openings", "INVALID_ARGUMENT"),
            (f"/v1/fairness/{ended['day']}/openings?cursor=none", "INVALID_CURSOR"),
        ):
            assert (await day.node.send("GET", path)).json()["code"] == code
        first = await day.node.get(f"/v1/fairness/{ended['day']}/openings?limit=4")
        rest = first["next_cursor"]
        paged = list(first["items"])
        while rest:
            page = await day.node.get(f"/v1/fairness/{ended['day']}/openings?limit=4&cursor={rest}")
            paged += page["items"]
            rest = page["next_cursor"]
        assert paged == rows


def _each(kind: str, change: Callable[[dict[str, Any]], None]) -> Change:
    def applied(path: str, body: dict[str, Any]) -> None:
        if path.endswith("/openings"):
            for item in body["items"]:
                if item["type"] == kind:
                    change(item)

    return applied


def _swapped(path: str, body: dict[str, Any]) -> None:
    """Serve the last of a sealed signal first."""
    items = body.get("items", [])
    if path.endswith("/openings"):
        sealed = [item for item in items if item["type"] == "opening" and item["signal_seq"] == 2]
        sealed[0]["alias"], sealed[-1]["alias"] = sealed[-1]["alias"], sealed[0]["alias"]


def _richer(item: dict[str, Any]) -> None:
    if item["asked"] == "0.001":
        item["quantity"] = "0.001"


def _dearer(item: dict[str, Any]) -> None:
    if item["rank"] == 3 and item["price"]:
        item["price"] = "60500"


def _reported(**fields: Any) -> Change:
    def applied(path: str, body: dict[str, Any]) -> None:
        if not path.endswith("/openings"):
            for report in body.get("items", [body]):
                report.update(msgspec.to_builtins(fields))

    return applied


def _other_seed(path: str, body: dict[str, Any]) -> None:
    if not path.endswith("/openings"):
        for report in body.get("items", [body]):
            if report["seed"] and report["seed"]["seed"]:
                report["seed"]["seed"] = "00" * 32


TAMPERED = {
    "another order": (_swapped, "another order than the seed's"),
    "a larger share": (_each("opening", _richer), "not the shares"),
    "a worse price for one": (_each("opening", _dearer), "different prices"),
    "a signal less": (_reported(signals=4), "signals: expected 5, was 4"),
    "another index": (_reported(jain_index=0.5), "jain_index: expected"),
    "another seed": (_other_seed, "not what was committed to"),
    "fewer executions": (_each("signal", lambda item: item.update(executions=0)), "executed"),
}


async def test_a_tampered_report_fails(tmp_path: Path, pool: Pool) -> None:
    async with traded(tmp_path, pool) as day:
        for name, (change, sentence) in TAMPERED.items():
            async with served(day.node, change) as address:
                found = await verified(address)
            assert (name, found.exit_code) == (name, 1)
            assert sentence in found.output, name


async def test_what_is_no_report_is_told(tmp_path: Path, pool: Pool) -> None:
    async with api_node(tmp_path, pool=pool) as node, served(node) as address:
        for arguments, words in (
            ((), "expected a day that has ended, was none"),
            (("--day", "2001-01-01"), "NOT_FOUND"),
        ):
            found = await verified(address, *arguments)
            assert (found.exit_code, words in found.output) == (1, True), found.output
        nowhere = await verified("ftp://host")
        assert (nowhere.exit_code, "http://host:8000" in nowhere.output) == (1, True)
        alone = CliRunner().invoke(command, ["--day", "2026-02-01"])
        assert alone.exit_code == 2
