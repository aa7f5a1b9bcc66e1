"""Recorded decisions of a trader about one instrument, as the life of ideas.

A recorded source repeats its standing decision all the time. The first mention publishes an idea;
`hold` with the same levels is an update of its text, or nothing when the market has ended it; other
levels end it as superseded and publish the next; `close_position` closes it.
"""

from __future__ import annotations

from typing import Any

from streams.core.commands import CloseIdea, Command, EditIdea, PublishIdea
from streams.core.idea_state import Idea
from streams.core.ideas.terms import PUBLISHED
from streams.core.limits import THESIS_LENGTH_MAX, THESIS_LENGTH_MIN
from streams.ports import CommandOutcome
from streams.replica.edge import Edge
from streams.replica.feeds.records import SERVICE, Record, rounded_steps, time_passes, was_taken


class StandingIdeas:
    """Which idea of a recorded trader stands in which instrument."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._standing: dict[tuple[str, str], str] = {}

    async def take(self, key: str, record: Record, at_us: int) -> list[str]:
        """Publish, update or close; waits for each outcome, since the next needs its id.

        The last command of a record has its key, also when there is nothing to change: a record
        that comes again finds it, and leaves alone what later ones have made.

        Returns:
            Codes of the commands that the core refused.

        Raises:
            KeyError: a field of the record is missing.
            ValueError: a level is not a decimal.
            CommandError: the log cannot take it now.
        """
        trader, symbol = record["trader"], record["inst"]
        state = self._edge.state
        instrument = state.instruments[symbol]
        target = rounded_steps(record["target"], instrument.tick)
        stop = rounded_steps(record["stop"], instrument.tick)
        if was_taken(state, key):
            self._take_up(trader, symbol, state.keys[f"{SERVICE}:{key}"].result)
            return []
        idea, thesis, codes = self._find(trader, symbol), _thesis(record), list[str]()
        stands = idea is not None and idea.status == PUBLISHED
        command: Command = time_passes(at_us)
        if record["signal"] == "close_position":
            if idea is not None and stands:
                command = CloseIdea(idea.idea, "closed", 0, trader, at_us)
        elif idea is None or _is_new(idea, record, target, stop):
            if idea is not None and stands:
                close = CloseIdea(idea.idea, "superseded", 0, trader, at_us)
                codes.append((await self._send(close, f"{key}:close")).code)
            command = _publication(record, thesis, target, stop, at_us)
        elif stands and idea.thesis != thesis:
            command = EditIdea(idea.idea, thesis=thesis, trader=trader)
        outcome = await self._send(command, key)
        if isinstance(command, PublishIdea) and outcome.code == "OK":
            self._standing[trader, symbol] = outcome.result["idea"]["idea"]
        return [code for code in (*codes, outcome.code) if code != "OK"]

    def _take_up(self, trader: str, symbol: str, made: str) -> None:
        """Take the idea that a record made or touched for the newest one, if it is there."""
        if made in self._edge.state.ideas:
            self._standing[trader, symbol] = made

    def _find(self, trader: str, symbol: str) -> Idea | None:
        """Return the trader's newest idea about an instrument, open or ended."""
        ideas = self._edge.state.ideas
        known = self._standing.get((trader, symbol))
        if known is None:
            for idea in reversed(ideas.values()):
                if (idea.trader, idea.symbol) == (trader, symbol):
                    known = self._standing[trader, symbol] = idea.idea
                    break
        return ideas.get(known or "")

    async def _send(self, command: Command, key: str) -> CommandOutcome:
        return await self._edge.submit(command, SERVICE, key=key, privileged=True)


def _is_new(idea: Idea, record: Record, target: int, stop: int) -> bool:
    """Whether a record says something else than the newest idea said.

    An idea that the market has ended goes on as a mere `hold` of its source; what its author
    closed does not.
    """
    if (idea.target_ticks, idea.stop_ticks) != (target, stop):
        return True
    if idea.status == PUBLISHED:
        return False
    return idea.stage == "CLOSED_BY_AUTHOR" or record["signal"] != "hold"


def _thesis(record: Record) -> str:
    parts = [record.get("text", ""), f"Invalidation: {record['invalid']}"]
    text = " ".join(part for part in parts if part)
    return text[:THESIS_LENGTH_MAX].ljust(THESIS_LENGTH_MIN, ".")


def _publication(record: Record, thesis: str, target: int, stop: int, at_us: int) -> PublishIdea:
    is_long = target > stop
    coin: Any = record["inst"].partition(":")[2]
    return PublishIdea(
        title=f"{coin} {'long' if is_long else 'short'}, target {record['target']}",
        thesis=thesis,
        symbol=record["inst"],
        trade_type="buy" if is_long else "short",
        entry_ticks=0,
        target_ticks=target,
        stop_ticks=stop,
        timeframe="",
        confidence_bps=round(float(record["conf"]) * 10_000),
        stance=0,
        tags=["recorded"],
        publish=True,
        trader=record["trader"],
        external_id=record["id"],
        at_us=at_us,
    )
