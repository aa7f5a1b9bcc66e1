"""docs/reference/performance.md names every metric, reason and flag, and no other."""

from __future__ import annotations

import re

from streams.core.performance.summary import performance
from streams.core.performance.undefined import UndefinedReason
from tests.tidy.sources import ROOT
from tests.unit.core.records import add, market


def reference() -> str:
    return (ROOT / "docs/reference/performance.md").read_text()


def keys() -> list[str]:
    return re.findall(r"^\| `([a-z_0-9]+)` \|", reference(), re.MULTILINE)


def test_the_tables_list_what_rest_answers() -> None:
    state = market()
    answer = performance(state, add(state, "t", first_fill_us=0, cash=0), "all")
    counts = {"trades", "wins", "losses", "break_even", "flags", "reasons"}
    flags = {"wiped", "drawdown_open", "no_losses", "few_trades", "tails_of_newest_days"}
    assert set(answer) - counts == set(keys()) - flags
    assert len(keys()) == len(set(keys()))


def test_every_reason_is_in_a_table() -> None:
    named = set(re.findall(r"`([A-Z][A-Z_]+)`", reference()))
    assert {reason.value for reason in UndefinedReason} == named
