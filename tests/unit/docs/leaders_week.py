"""The week of one recorded leader, played with three followers: numbers of a-leaders-week.md.

`python -m tests.unit.docs.leaders_week` writes them into the document; a test compares.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

from server.bench.offline import OfflineNode
from streams.core.commands import Command, RegisterTrader, SetCopy, SetFeeTerms, Tick
from streams.core.events import CopyDecided, CopyFeeCharged, FillBooked
from streams.core.kernel import Kernel
from streams.core.money import MICROS, format_money
from streams.core.performance.equity import ledger_equity
from streams.core.state import Copy, State
from streams.core.view import statistics_view
from streams.replica.feeds.recorded_feed import RecordedFeed
from tests.unit.docs.tables import MADE, ROOT


SHIPPED = ROOT / "server" / "data" / "recorded_day.jsonl.gz"
DOCUMENT = ROOT / "docs" / "explanation" / "a-leaders-week.md"
SOURCE = "tests/unit/docs/leaders_week.py"
LEADER = "hl:0x513b8629fe877bb581bf244e326a047b249c4ff1"
LEADER_CASH = 5_000_000
ALLOCATION = 100_000
FOLLOWERS: dict[str, dict[str, Any]] = {
    "plain": {},
    "careful": {"slippage_max_bps": 5, "position_max_bps": 1_000},
    "half": {"multiplier_ppm": 500_000, "failures_max": 0},
}
"""Followers of 100,000 each, by what they set apart from the defaults."""

PORTION = 100
"""Records between two ticks."""


class Week:
    """What the week left behind."""

    def __init__(self) -> None:
        self.state = State()
        self.leader_fills = 0
        self.fees: Counter[str] = Counter()
        self.decisions: Counter[tuple[str, str]] = Counter()

    def copy(self, name: str) -> Copy:
        """Return a follower's relationship."""
        return self.state.copies[LEADER][name]


def records() -> list[dict[str, Any]]:
    """Return the recording's part in which the leader trades."""
    with gzip.open(SHIPPED, "rt", encoding="utf-8") as lines:
        every = [json.loads(line) for line in lines]
    return [
        record
        for record in every
        if record["type"] == "segment"
        or (record["inst"].startswith("hl:") and record.get("trader", LEADER) == LEADER)
    ]


async def _play() -> Week:
    node = OfflineNode()

    async def do(command: Command, principal: str = "week", *, privileged: bool = False) -> None:
        outcome = await node.edge.submit(command, principal, privileged=privileged)
        assert outcome.code == "OK", outcome

    async with node.running():
        feed, played = RecordedFeed(node.edge), records()
        # The recording's clock runs from its first mark on; copies begin by it.
        await feed.ingest("week", 0, played[:PORTION])
        names = [(LEADER, "recorded", LEADER_CASH)]
        names += [(name, "follower", ALLOCATION) for name in FOLLOWERS]
        for trader, origin, cash in names:
            handle = trader[-8:]
            register = RegisterTrader(trader, handle, handle, origin, cash * MICROS)
            await do(register, privileged=True)
        await do(SetFeeTerms(performance_ppm=100_000, management_ppm=20_000), LEADER)
        for name, patch in FOLLOWERS.items():
            await do(SetCopy(LEADER, allocation_micros=ALLOCATION * MICROS, **patch), name)
        for number, first in enumerate(range(PORTION, len(played), PORTION), 1):
            await feed.ingest("week", first, played[first : first + PORTION])
            await do(Tick(number * 10), privileged=True)
    return _followed(node)


def _followed(node: OfflineNode) -> Week:
    week, kernel = Week(), Kernel(State())
    for entry, batch in node.decoded():
        for _, event in kernel.apply(*entry.entry_id, batch.batch_id, batch.envelopes).events:
            if isinstance(event, CopyDecided):
                week.decisions[event.follower, event.code] += 1
            elif isinstance(event, CopyFeeCharged):
                week.fees[event.follower] += event.statement.paid_micros
            elif isinstance(event, FillBooked):
                week.leader_fills += 1
    week.state = kernel.state
    return week


def play() -> Week:
    """Play the week on a node of its own."""
    return asyncio.run(_play())


def tables(week: Week) -> str:
    """Return the document's tables."""
    views = {name: statistics_view(week.state, week.copy(name)) for name in FOLLOWERS}
    leader = week.state.traders[LEADER]
    equity = ledger_equity(week.state, leader.ledger)
    told = (
        f"The leader made {week.leader_fills:,} fills; {LEADER_CASH:,} became "
        f"{format_money(equity)}, fees of followers included."
    )
    lines = [
        told,
        "",
        "| | " + " | ".join(FOLLOWERS) + " |",
        "|--|" + "--|" * len(FOLLOWERS),
    ]

    def row(title: str, values: list[str]) -> None:
        lines.append(f"| {title} | " + " | ".join(values) + " |")

    row("decisions", [f"{view['decisions']:,}" for view in views.values()])
    codes = dict.fromkeys(code for _, code in week.decisions)
    for code in sorted(codes):
        row(f"`{code}`", [f"{week.decisions[name, code]:,}" for name in FOLLOWERS])
    for title, key in (
        ("gross", "gross_pnl"),
        ("trading fees", "trading_fees"),
        ("fees to the leader", "leader_fees"),
        ("net", "net_pnl"),
        ("cost of slippage", "slippage_cost"),
    ):
        row(title, [view[key] for view in views.values()])
    row("paid to the leader", [format_money(week.fees[name]) for name in FOLLOWERS])
    row("entry slippage p95, bp", [str(v["entry_slippage_bps"]["p95"]) for v in views.values()])
    row("return", [_percent(view["return"]) for view in views.values()])
    row("leader's return", [_percent(view["leader_return"]) for view in views.values()])
    for part in ("total", "slippage", "skipped", "sizing", "fees"):
        name = "copy gap" if part == "total" else f"… of it {part}"
        row(name, [_percent(view["copy_gap"][part]) for view in views.values()])
    return "\n".join(lines) + "\n"


def _percent(fraction: float) -> str:
    return f"{fraction * 100:.4f} %"


def document_with(text: str, made: str) -> str:
    """Return a document with what is made between its markers."""
    return MADE.sub(lambda match: match[1] + made + match[4], text)


def main() -> None:
    """Write the tables into the document."""
    path = Path(DOCUMENT)
    path.write_text(document_with(path.read_text(), tables(play())))


if __name__ == "__main__":
    main()
