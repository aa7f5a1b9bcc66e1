"""The swarm's process, and what a run says when it cannot be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal

import pytest

from loadtests.population import Quote, idea
from loadtests.processes import Accounts
from loadtests.reporting_process import LoadProcessFailed
from loadtests.swarm.settings import SwarmSettings
from loadtests.swarm_process import SwarmProcess
from loadtests.target import TargetFailed, at_address


def settings(sockets: int) -> SwarmSettings:
    return SwarmSettings(
        host="127.0.0.1",
        port=1,
        sockets=sockets,
        per_second=1,
        opening_max=1,
        codec="msgpack",
        subscriptions=[("marks",)],
        credentials=[],
        seconds=1,
        storms=[],
    )


def test_too_few_open_files_are_said_before_anything_starts() -> None:
    with (
        SwarmProcess(settings(50_000_000)) as swarm,
        pytest.raises(LoadProcessFailed, match="open files"),
    ):
        swarm.wait(60)


def test_settings_that_are_none_are_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "loadtests.swarm"],
        input=json.dumps({"host": 3}).encode(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"host" in done.stderr


@pytest.mark.parametrize("url", ["https://node", "node:8000", "http://", "http://node:x"])
def test_an_address_that_cannot_be_loaded_is_named(url: str) -> None:
    with pytest.raises(TargetFailed, match=r"expected http://HOST:PORT, was"):
        at_address(url)


def test_a_node_that_is_not_there_is_named() -> None:
    with pytest.raises(TargetFailed, match=r"expected a node at http://127\.0\.0\.1:1"):
        at_address("http://127.0.0.1:1")


def test_processes_are_added_up_by_kind() -> None:
    accounts = Accounts({"tests": os.getpid()})
    first = accounts.usage()["tests"]
    sum(range(3_000_000))
    second = accounts.usage()["tests"]
    assert second.cpu_seconds >= first.cpu_seconds > 0
    assert second.memory_bytes > 1_000_000
    assert {"tests"} == set(accounts.usage())


@pytest.mark.parametrize("number", range(6))
def test_ideas_stand_around_the_quote_on_ticks(number: int) -> None:
    quote = Quote("hl:BTC", Decimal("85309"), Decimal(1), Decimal("0.00001"))
    made = idea(quote, number)
    buys = made["trade_type"] == "buy"
    low, high = (made["stop"], made["target"]) if buys else (made["target"], made["stop"])
    assert Decimal(low) < quote.last < Decimal(high)
    assert Decimal(high) % quote.tick == 0


def test_a_quantity_is_lots_worth_about_an_amount() -> None:
    quote = Quote("hl:BTC", Decimal("85309"), Decimal(1), Decimal("0.00001"))
    assert quote.quantity(100) == "0.00117"
    assert quote.quantity(0) == "0.00001"
