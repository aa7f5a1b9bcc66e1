"""A market in which ideas are published and meet quotes, on a real kernel."""

from __future__ import annotations

from typing import Any

from streams.core.commands import MarkRow, PublishIdea, PublishMarks, SettleInstrument, Tick
from streams.core.events import Event
from streams.core.idea_state import Idea, IdeaResolution
from streams.core.invariants import check_invariants
from streams.core.kernel import Kernel
from streams.core.snapshots import restore, snapshot
from streams.core.state import State
from tests.unit.core.market import SERVICE, Market


HOUR_US = 3_600_000_000


class Field(Market):
    """BTC quoted 100.00 bid and ask, in ticks of 0.01; alice and bob are traders."""

    def __init__(self, *, quoted: bool = True) -> None:
        super().__init__("alice", "bob", quoted=quoted)
        self.all_events: list[tuple[int, list[tuple[int, Event]]]] = []
        self.ticks = 0

    def publish(
        self,
        trade_type: str = "buy",
        entry: int = 0,
        target: int = 0,
        stop: int = 0,
        trader: str = "alice",
        **more: Any,
    ) -> str:
        """Publish an idea on BTC; return its id."""
        terms: dict[str, Any] = {"confidence_bps": 6_000, "timeframe": "1d", "publish": True}
        terms |= more
        if "targets" in terms:
            target = terms["targets"][0][0]
        return self.do(
            trader,
            PublishIdea(
                title="A title",
                thesis="A thesis of some length",
                symbol="BTC",
                trade_type=trade_type,
                entry_ticks=entry,
                target_ticks=target,
                stop_ticks=stop,
                stance=0,
                tags=[],
                **terms,
            ),
        )

    def idea(self, name: str) -> Idea:
        return self.state.ideas[name]

    def end(self, name: str) -> IdeaResolution:
        resolution = self.idea(name).resolution
        assert resolution is not None
        return resolution

    def mark(self, bid: int, ask: int = 0, symbol: str = "BTC") -> None:
        """Quote; without an ask it is the bid."""
        self.do(SERVICE, PublishMarks([MarkRow(symbol, bid, ask or bid, 0)]))

    def candle(self, low: int, high: int, close: int, *, minutes: int = 5) -> None:
        """Let a candle pass that begins now and ends after so many minutes."""
        self.wait(minutes * 60_000)
        row = MarkRow("BTC", close, close, close, high, low)
        self.do(SERVICE, PublishMarks([row], candle_us=minutes * 60_000_000))

    def wait(self, ms: int) -> None:
        """Let log time pass; the next command comes that much later."""
        self.ms += ms - 1

    def tick(self) -> None:
        """Let a second begin."""
        self.ticks = max(self.ticks + 10, self.ms // 100)
        self.do(SERVICE, Tick(self.ticks))

    def settle(self, price: int) -> None:
        self.do(SERVICE, SettleInstrument("BTC", price))

    def check(self) -> None:
        """The state is sound and survives a snapshot."""
        assert check_invariants(self.state) == []
        data = snapshot(self.state)
        assert data == snapshot(restore(data))


def folded(field: Field, entries: list[Any]) -> State:
    """Return the state that the records of the entries rebuild."""
    kernel = Kernel(State())
    for applied in entries:
        kernel.fold(applied.ms, applied.seq, f"b{applied.ms}", applied.recorded, applied.events)
    return kernel.state
