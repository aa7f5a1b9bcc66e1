"""The commands of ideas and messages as methods; see `commands`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from streams.client.amounts import Amount, amount_text, given
from streams.client.items import Answer


Side: TypeAlias = Literal["buy", "sell", "short", "cover"]
Stance: TypeAlias = Literal["bullish", "bearish", "neutral"]


class IdeaCommands(ABC):
    """What a client can do with ideas."""

    @abstractmethod
    async def command(
        self, name: str, args: Mapping[str, Any] | None = None, *, key: str | None = None
    ) -> Answer:
        """Hand in a command by name."""

    async def create_idea(
        self,
        title: str,
        thesis: str,
        symbol: str,
        trade_type: Side,
        *,
        publish: bool = True,
        entry: Amount | None = None,
        target: Amount | None = None,
        stop: Amount | None = None,
        timeframe: str | None = None,
        confidence: float | None = None,
        sentiment: Stance | None = None,
        tags: Sequence[str] | None = None,
        targets: Sequence[tuple[Amount, Amount]] | None = None,
        breakeven_after: int | None = None,
        key: str | None = None,
    ) -> Answer:
        """Create an idea, published at once unless `publish` is false; `confidence` is 0 to 100.

        `targets` are (price, weight), nearest first, in place of one target; `breakeven_after`
        moves the stop to the entry once so many are reached.

        Returns:
            `result["idea"]`.
        """
        args = {
            "title": title,
            "thesis": thesis,
            "symbol": symbol,
            "trade_type": trade_type,
            "publish": publish,
            "entry": amount_text(entry),
            "target": amount_text(target),
            "stop": amount_text(stop),
            "timeframe": timeframe,
            "confidence": confidence,
            "sentiment": sentiment,
            "tags": None if tags is None else list(tags),
            "targets": _targets(targets),
            "breakeven_after": breakeven_after,
        }
        return await self.command("create_idea", given(args), key=key)

    async def edit_idea(
        self,
        idea: str,
        *,
        title: str | None = None,
        thesis: str | None = None,
        tags: Sequence[str] | None = None,
        symbol: str | None = None,
        trade_type: Side | None = None,
        entry: Amount | None = None,
        target: Amount | None = None,
        stop: Amount | None = None,
        timeframe: str | None = None,
        confidence: float | None = None,
        sentiment: Stance | None = None,
        key: str | None = None,
    ) -> Answer:
        """Change an idea; what is not given stays. The terms of a published one never change."""
        args = {
            "idea": idea,
            "title": title,
            "thesis": thesis,
            "tags": None if tags is None else list(tags),
            "symbol": symbol,
            "trade_type": trade_type,
            "entry": amount_text(entry),
            "target": amount_text(target),
            "stop": amount_text(stop),
            "timeframe": timeframe,
            "confidence": confidence,
            "sentiment": sentiment,
        }
        return await self.command("edit_idea", given(args), key=key)

    async def publish_idea(self, idea: str, *, key: str | None = None) -> Answer:
        """Publish a draft; its terms never change afterwards."""
        return await self.command("publish_idea", {"idea": idea}, key=key)

    async def close_idea(
        self,
        idea: str,
        *,
        reason: str | None = None,
        exit_price: Amount | None = None,
        key: str | None = None,
    ) -> Answer:
        """End an idea."""
        args = {"idea": idea, "reason": reason, "exit_price": amount_text(exit_price)}
        return await self.command("close_idea", given(args), key=key)

    async def undo_idea(self, idea: str, *, key: str | None = None) -> Answer:
        """Make a publication a draft again, within a minute while nothing happened."""
        return await self.command("undo_idea", {"idea": idea}, key=key)

    async def delete_idea(self, idea: str, *, key: str | None = None) -> Answer:
        """Discard a draft, or hide the text of a published idea; its record stays."""
        return await self.command("delete_idea", {"idea": idea}, key=key)

    async def update_idea(self, idea: str, text: str, *, key: str | None = None) -> Answer:
        """Append advice to a published idea of your own."""
        return await self.command("update_idea", {"idea": idea, "text": text}, key=key)

    async def share_idea(self, idea: str, *, key: str | None = None) -> Answer:
        """Pass an idea on."""
        return await self.command("share_idea", {"idea": idea}, key=key)

    async def view_idea(self, idea: str, *, key: str | None = None) -> Answer:
        """Say that you looked at an idea."""
        return await self.command("view_idea", {"idea": idea}, key=key)

    async def like_idea(self, idea: str, *, key: str | None = None) -> Answer:
        """Like an idea."""
        return await self.command("like_idea", {"idea": idea}, key=key)

    async def unlike_idea(self, idea: str, *, key: str | None = None) -> Answer:
        """Take a like back."""
        return await self.command("unlike_idea", {"idea": idea}, key=key)

    async def comment_idea(
        self, idea: str, text: str, *, parent_id: str | None = None, key: str | None = None
    ) -> Answer:
        """Comment an idea, or answer a comment."""
        args = {"idea": idea, "text": text, "parent_id": parent_id}
        return await self.command("comment_idea", given(args), key=key)

    async def post_message(
        self,
        text: str,
        symbols: Sequence[str],
        *,
        sentiment: Stance | None = None,
        key: str | None = None,
    ) -> Answer:
        """Post a message about symbols."""
        args = {"text": text, "symbols": list(symbols), "sentiment": sentiment}
        return await self.command("post_message", given(args), key=key)


def _targets(targets: Sequence[tuple[Amount, Amount]] | None) -> list[dict[str, Any]] | None:
    if targets is None:
        return None
    return [
        {"price": amount_text(price), "weight": amount_text(weight)} for price, weight in targets
    ]
