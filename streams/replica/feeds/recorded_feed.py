"""Recorded markets as commands: the replay format, one JSON object a record.

Marks become marks (rows of one time in one command, those of candles with high and low; also of
the instruments that they price, by `mark_ref`), fills become fills of those traders with source
`recorded`, settlements settle, accounts and positions become what the venue reported, messages
become stances, ideas become ideas. The record's own time is market time.

Assumptions, because the source is silent: an account starts with `OPENING_CASH` of its venue, and
what it held before the recording (`pos0` of its first fill in an instrument) was bought at that
fill's price. Prices and sizes finer than the instrument's tick and lot are rounded half to even.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from streams.core.commands import (
    Command,
    MarkRow,
    PostMessage,
    PublishMarks,
    RegisterInstrument,
    RegisterTrader,
    ReportEquity,
    ReportFill,
    ReportPosition,
    SettleInstrument,
)
from streams.core.limits import MARKS_PER_COMMAND_MAX, NAME_LENGTH_MAX
from streams.core.money import MICROS, Step, parse_step
from streams.ports import CommandError, CommandOutcome
from streams.replica.edge import Edge
from streams.replica.feeds.records import (
    CANDLE_US,
    FEE_PPM,
    LOT_DEFAULT,
    OPENING_CASH,
    SERVICE,
    STANCES,
    TICK_DEFAULT,
    Record,
    handle_of,
    micros,
    rounded_steps,
    time_passes,
    was_taken,
)
from streams.replica.feeds.standing_ideas import StandingIdeas
from streams.replica.lexicon import text_score_milli


RECORDS_PER_SLICE = 100
"""Records made into commands before the event loop gets a turn, about 3 ms."""

UNDER_WAY_MAX = 4_000
"""Commands queued before waiting for their outcomes; well below the submitter's own bound."""


class RecordedFeed:
    """Turns records into commands of one node, in order.

    Attributes:
        counts: records taken, by type, since the start of the process.
        refused: commands the core refused, by code, since then.
    """

    def __init__(self, edge: Edge) -> None:
        self.counts: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._edge = edge
        self._lock = asyncio.Lock()
        self._traders: dict[str, None] = {}
        self._held: dict[tuple[str, str], None] = {}
        self._held_now: list[tuple[str, str]] = []
        self._announced: dict[str, tuple[Step, Step]] = {}
        self._priced: dict[str, dict[str, None]] = {}
        self._ideas = StandingIdeas(edge)
        self._run = ""
        self._number = 0
        self._under_way: list[asyncio.Future[CommandOutcome]] = []
        self._marks: dict[str, MarkRow] = {}
        self._marks_group = 0, 0
        self._marks_numbers = 0, 0
        self._take: dict[str, Callable[[Record, int], None]] = {
            "inst": self._instrument,
            "mark": self._mark,
            "fill": self._fill,
            "settle": self._settle,
            "account": self._account,
            "position": self._position,
            "message": self._message,
        }

    async def ingest(self, run: str, first: int, records: Sequence[Record]) -> dict[str, Any]:
        """Take records in order and wait until all are applied.

        Args:
            run: id of this playing; with the record's number it makes the idempotency key, so
                that sending records again after a lost answer applies nothing twice.
            first: number of the first record.
            records: decoded JSON objects of the replay format; amounts are decimal strings.

        Returns:
            `{"records": n, "by_type": {...}, "refused": {...}}` of these records.

        Raises:
            CommandError: `INVALID_ARGUMENT` naming the record, or why the log cannot take it now.
                Records before the one at fault are applied.
        """
        async with self._lock:
            self._run, by_type, refused = run, Counter[str](), Counter[str]()
            try:
                await self._all(first, records, by_type, refused)
            except BaseException:
                self._forget_assumptions()
                raise
            self._held_now.clear()
            self.counts.update(by_type)
            self.refused.update(refused)
        return {"records": len(records), "by_type": dict(by_type), "refused": dict(refused)}

    async def _all(
        self, first: int, records: Sequence[Record], by_type: Counter[str], refused: Counter[str]
    ) -> None:
        try:
            for number, record in enumerate(records, first):
                self._number = number
                stateful = record.get("type") in ("idea", "segment")
                if stateful or len(self._under_way) >= UNDER_WAY_MAX:
                    # These are built from the state, which must show what came before them.
                    self._flush_marks()
                    await self._settle_outcomes(refused)
                await self._one(record, by_type, refused)
                if number % RECORDS_PER_SLICE == 0:
                    await asyncio.sleep(0)  # the first groups are appended meanwhile
            self._flush_marks()
        finally:
            await self._settle_outcomes(refused)

    async def _one(self, record: Record, by_type: Counter[str], refused: Counter[str]) -> None:
        try:
            kind, at_us = record["type"], record["t"] // 1000
            if kind == "idea":
                self._trader(record["trader"], at_us)
                refused.update(await self._ideas.take(self._key("idea"), record, at_us))
            elif kind == "segment":
                await self._segment(record, at_us, refused)
            else:
                self._take[kind](record, at_us)
        except (KeyError, ValueError, TypeError, ArithmeticError) as error:
            raise CommandError(
                "INVALID_ARGUMENT",
                f"expected record {self._number} in the replay format, was {error!r}",
                field=f"records[{self._number}]",
            ) from error
        by_type[kind] += 1

    def _forget_assumptions(self) -> None:
        """What was queued may never be applied: when the records come again, look at the state."""
        self._announced.clear()
        self._traders.clear()
        self._marks.clear()
        for held in self._held_now:
            self._held.pop(held, None)
        self._held_now.clear()

    async def _settle_outcomes(self, refused: Counter[str]) -> None:
        under_way, self._under_way = self._under_way, []
        outcomes = await asyncio.gather(*under_way, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
            if outcome.code != "OK":
                refused[outcome.code] += 1

    def _key(self, what: str) -> str:
        return f"{self._run}:{self._number}:{what}"

    def _send(self, command: Command, what: str | None = None) -> None:
        """Queue a command; `what` names it within its record when it must not happen twice."""
        self._flush_marks()
        key = None if what is None else self._key(what)
        self._under_way.append(
            self._edge.enqueue(command, SERVICE, key=key, privileged=True, brief=True)
        )

    def _flush_marks(self) -> None:
        if self._marks:
            rows, self._marks = list(self._marks.values()), {}
            # Sent again, old quotes must not replace newer ones; both numbers, because the rows
            # may be grouped in another way then.
            first, last = self._marks_numbers
            at_us, candle_us = self._marks_group
            self._under_way.append(
                self._edge.enqueue(
                    PublishMarks(rows, at_us, recorded=True, candle_us=candle_us),
                    SERVICE,
                    key=f"{self._run}:{first}-{last}:marks",
                    privileged=True,
                    brief=True,
                )
            )

    def _steps(self, symbol: str) -> tuple[Step, Step]:
        instrument = self._edge.state.instruments.get(symbol)
        if instrument is not None:
            return instrument.tick, instrument.lot
        return self._announced[symbol]

    async def _segment(self, record: Record, at_us: int, refused: Counter[str]) -> None:
        """Begin a segment; when it is played again, recorded accounts begin it flat.

        Once they are flat a key says so: sent again, the segment must not take from them what they
        have traded since.
        """
        self._held.clear()
        self._priced.clear()
        key = self._key("segment")
        if not record.get("loop") or was_taken(self._edge.state, key):
            return
        for trader in self._edge.state.traders.values():
            if trader.origin == "recorded":
                for symbol in trader.ledger.positions:
                    command = ReportPosition(trader.trader, symbol, 0, 0, at_us)
                    self._send(command, f"flat:{trader.trader}:{symbol}")
        await self._settle_outcomes(refused)
        await self._edge.submit(time_passes(at_us), SERVICE, key=key, privileged=True)

    def _instrument(self, record: Record, _: int) -> None:
        symbol, venue = record["inst"], record["venue"]
        if "mark_ref" in record:
            self._priced.setdefault(record["mark_ref"], {})[symbol] = None
        tick = parse_step(record["tick"]) if "tick" in record else TICK_DEFAULT
        lot = parse_step(record["lot"]) if "lot" in record else LOT_DEFAULT
        if symbol in self._edge.state.instruments or symbol in self._announced:
            return
        self._announced[symbol] = tick, lot
        self._send(
            RegisterInstrument(
                symbol=symbol,
                name=record.get("name", record["symbol"]),
                venue=venue,
                asset_class=record["cls"],
                tick=tick,
                lot=lot,
                fee_ppm=FEE_PPM.get(venue, 0),
            )
        )

    def _mark(self, record: Record, at_us: int) -> None:
        candle_us = CANDLE_US.get(record.get("src", ""), 0)
        group = at_us, candle_us
        symbols = [record["inst"], *self._priced.get(record["inst"], ())]
        room = MARKS_PER_COMMAND_MAX - len(self._marks)
        if group != self._marks_group or len(symbols) > room:
            self._flush_marks()
            self._marks_group = group
        first = self._marks_numbers[0] if self._marks else self._number
        self._marks_numbers = first, self._number
        for symbol in symbols:
            self._marks[symbol] = self._row(symbol, record, candle_us)

    def _row(self, symbol: str, record: Record, candle_us: int) -> MarkRow:
        """Return a mark of an instrument: its own, or of the one that prices it."""
        tick = self._steps(symbol)[0]
        price = max(rounded_steps(record["px"], tick), 1)
        if not candle_us or "hi" not in record or "lo" not in record:
            return MarkRow(symbol, price, price, price)
        high = max(rounded_steps(record["hi"], tick), price)
        low = min(max(rounded_steps(record["lo"], tick), 1), price)
        return MarkRow(symbol, price, price, price, high, low)

    def _trader(self, trader: str, at_us: int) -> None:
        if trader in self._traders:
            return
        self._traders[trader] = None
        if trader not in self._edge.state.traders:
            cash = OPENING_CASH.get(trader.partition(":")[0], 0) * MICROS
            name = trader[:NAME_LENGTH_MAX]
            self._send(RegisterTrader(trader, handle_of(trader), name, "recorded", cash, at_us))

    def _fill(self, record: Record, at_us: int) -> None:
        trader, symbol = record["trader"], record["inst"]
        tick, lot = self._steps(symbol)
        self._trader(trader, at_us)
        price = rounded_steps(record["px"], tick)
        lots = rounded_steps(record["qty"], lot)
        held = (trader, symbol)
        if held not in self._held:
            self._held[held] = None
            self._held_now.append(held)
            before = rounded_steps(record.get("pos0", "0"), lot)
            if before:
                self._send(ReportPosition(trader, symbol, before, price, at_us), "pos0")
        self._send(
            ReportFill(
                symbol=symbol,
                lots=lots if record["side"] == "buy" else -lots,
                price_ticks=price,
                fee_micros=micros(record.get("fee", "0")),
                source="recorded",
                execution=self._key("fill"),
                trader=trader,
                at_us=at_us,
            ),
            "fill",
        )

    def _settle(self, record: Record, at_us: int) -> None:
        symbol = record["inst"]
        price = rounded_steps(record["px"], self._steps(symbol)[0])
        self._send(SettleInstrument(symbol, price, at_us), "settle")

    def _account(self, record: Record, at_us: int) -> None:
        self._trader(record["trader"], at_us)
        self._send(ReportEquity(record["trader"], micros(record["equity"]), at_us), "account")

    def _position(self, record: Record, at_us: int) -> None:
        trader, symbol = record["trader"], record["inst"]
        tick, lot = self._steps(symbol)
        self._trader(trader, at_us)
        lots = rounded_steps(record["qty"], lot)
        entry = max(rounded_steps(record["entry_px"], tick), 1)
        signed = lots if record["side"] == "long" else -lots
        self._send(ReportPosition(trader, symbol, signed, entry, at_us), "position")

    def _message(self, record: Record, at_us: int) -> None:
        self._trader(record["author"], at_us)
        stance = STANCES.get(record.get("label", ""), 0)
        self._send(
            PostMessage(
                text=record["text"],
                symbols=list(record.get("insts", ())),
                stance=stance,
                text_score_milli=0 if stance else text_score_milli(record["text"]),
                trader=record["author"],
                external_id=record["id"],
                at_us=at_us,
            ),
            "message",
        )
