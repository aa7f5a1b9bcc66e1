"""Commands of an account: orders that rest, stops and takes, cash, seasons, and a leader's fees."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Literal

from streams.client.amounts import Amount, amount_text, given
from streams.client.items import Answer


class AccountCommands(ABC):
    """The commands that concern what an account already has."""

    @abstractmethod
    async def command(
        self, name: str, args: Mapping[str, Any] | None = None, *, key: str | None = None
    ) -> Answer:
        """Hand in a command by name."""

    async def edit_order(
        self,
        order: str,
        *,
        quantity: Amount | None = None,
        limit_price: Amount | None = None,
        stop_loss: Amount | None = None,
        take_profit: Amount | None = None,
        key: str | None = None,
    ) -> Answer:
        """Change a resting order; what is not given stays."""
        args = {
            "order": order,
            "quantity": amount_text(quantity),
            "limit_price": amount_text(limit_price),
            "stop_loss": amount_text(stop_loss),
            "take_profit": amount_text(take_profit),
        }
        return await self.command("edit_order", given(args), key=key)

    async def set_exit_levels(
        self,
        symbol: str,
        stop_loss: Amount | None,
        take_profit: Amount | None,
        *,
        leader: str | None = None,
        key: str | None = None,
    ) -> Answer:
        """Set the stop and the take of an open position; None removes a level.

        With `leader` the position of that copy is meant.
        """
        levels = {"stop_loss": amount_text(stop_loss), "take_profit": amount_text(take_profit)}
        named = given({"symbol": symbol, "leader": leader})
        return await self.command("set_exit_levels", {**named, **levels}, key=key)

    async def deposit(self, amount: Amount, *, key: str | None = None) -> Answer:
        """Pay into the paper account."""
        return await self.command("deposit", {"amount": amount_text(amount)}, key=key)

    async def withdraw(self, amount: Amount, *, key: str | None = None) -> Answer:
        """Pay out of the paper account."""
        return await self.command("withdraw", {"amount": amount_text(amount)}, key=key)

    async def enter_season(self, season: str, *, key: str | None = None) -> Answer:
        """Enter a season before its first day; entering again changes nothing."""
        return await self.command("enter_season", {"season": season}, key=key)

    async def set_fees(
        self,
        *,
        performance: Amount | None = None,
        management: Amount | None = None,
        flat: Amount | None = None,
        basis: Literal["min", "total"] | None = None,
        period: Literal["daily", "weekly", "monthly"] | None = None,
        key: str | None = None,
    ) -> Answer:
        """Set what the caller asks of its followers; shares are fractions, 0.1 = 10 %."""
        args = {
            "performance": amount_text(performance),
            "management": amount_text(management),
            "flat": amount_text(flat),
            "basis": basis,
            "period": period,
        }
        return await self.command("set_fees", given(args), key=key)
