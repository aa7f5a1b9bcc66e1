"""The commands as methods: typed arguments in, the answer out.

Numbers with a unit are decimal strings on the wire; here they may be `str`, `int` or `Decimal`,
never `float`, because 0.1 is no float. Absent arguments are not sent. Each method takes an
idempotency `key` and makes one when there is none; see `Client.command` for what it raises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from streams.client.account_commands import AccountCommands
from streams.client.amounts import Amount, amount_text, given
from streams.client.idea_commands import IdeaCommands, Side
from streams.client.items import Answer


CopyScope: TypeAlias = Literal["leader", "portfolio"]
OnStop: TypeAlias = Literal["keep", "close_now", "close_by_position", "close_by_symbol"]


class Commands(AccountCommands, IdeaCommands):
    """The commands a client can name."""

    # Trading

    async def open_order(
        self,
        symbol: str,
        side: Side,
        quantity: Amount,
        *,
        limit_price: Amount | None = None,
        client_order_id: str | None = None,
        idea_id: str | None = None,
        stop_loss: Amount | None = None,
        take_profit: Amount | None = None,
        expires_at: str | None = None,
        key: str | None = None,
    ) -> Answer:
        """Open an order: a limit order when `limit_price` is given, else a market order.

        `stop_loss` and `take_profit` end the position that it opens; `expires_at` (RFC 3339)
        ends a limit order.

        Returns:
            `result["order"]`, and `result["fill"]` when it was filled at once.
        """
        args = {
            "symbol": symbol,
            "side": side,
            "quantity": amount_text(quantity),
            "type": "market" if limit_price is None else "limit",
            "limit_price": amount_text(limit_price),
            "client_order_id": client_order_id,
            "idea_id": idea_id,
            "stop_loss": amount_text(stop_loss),
            "take_profit": amount_text(take_profit),
            "expires_at": expires_at,
        }
        return await self.command("open_order", given(args), key=key)

    async def cancel_order(self, order: str, *, key: str | None = None) -> Answer:
        """Cancel a resting order."""
        return await self.command("cancel_order", {"order": order}, key=key)

    async def cancel_after(self, ms: int) -> Answer:
        """Set the dead-man switch: resting orders end unless this is called again in time.

        Args:
            ms: milliseconds from now, 1,000 to an hour; 0 = off. The answer has `cancel_at`.
        """
        return await self.command("cancel_after", {"ms": ms})

    async def report_trade(
        self,
        symbol: str,
        side: Side,
        quantity: Amount,
        price: Amount,
        *,
        fee: Amount = "0",
        key: str | None = None,
    ) -> Answer:
        """Report a fill made elsewhere; it is booked as self-reported."""
        args = {
            "symbol": symbol,
            "side": side,
            "quantity": amount_text(quantity),
            "price": amount_text(price),
            "fee": amount_text(fee),
        }
        return await self.command("report_trade", args, key=key)

    # People

    async def follow_trader(self, trader: str, *, key: str | None = None) -> Answer:
        """Follow a trader, by id or `@handle`."""
        return await self.command("follow_trader", {"trader": trader}, key=key)

    async def unfollow_trader(self, trader: str, *, key: str | None = None) -> Answer:
        """Stop following a trader."""
        return await self.command("unfollow_trader", {"trader": trader}, key=key)

    async def update_profile(
        self,
        *,
        display_name: str | None = None,
        bio: str | None = None,
        signals_access: Literal["public", "followers"] | None = None,
        links: Sequence[str] | None = None,
        tags: Sequence[str] | None = None,
        handle: str | None = None,
        key: str | None = None,
    ) -> Answer:
        """Change the public profile; what is not given stays."""
        args: dict[str, Any] = {"display_name": display_name, "bio": bio}
        args |= {"signals_access": signals_access}
        args |= {"links": links, "tags": tags, "handle": handle}
        return await self.command("update_profile", given(args), key=key)

    async def close_account(self, *, reason: str = "", key: str | None = None) -> Answer:
        """Close the account for good; handle and record stay."""
        return await self.command("close_account", {"reason": reason}, key=key)

    async def read_notifications(self, through: int, *, key: str | None = None) -> Answer:
        """Mark notifications as read, up to and with a number of the channel."""
        return await self.command("read_notifications", {"through": through}, key=key)

    async def set_notification_levels(
        self, *, key: str | None = None, **levels: Literal["all", "important", "off"]
    ) -> Answer:
        """Change what is told, by category: `copying`, `ideas`, `network`, `account`."""
        return await self.command("set_notification_levels", dict(levels), key=key)

    # Copying

    async def set_copy(
        self,
        leader: str,
        *,
        allocation: Amount | None = None,
        mode: str | None = None,
        multiplier: Amount | None = None,
        copy_ratio: Amount | None = None,
        symbols_allow: Sequence[str] | None = None,
        symbols_deny: Sequence[str] | None = None,
        notional_min: Amount | None = None,
        notional_max: Amount | None = None,
        position_max: Amount | None = None,
        exposure_max: Amount | None = None,
        leverage_max: Amount | None = None,
        positions_max: int | None = None,
        slippage_max_bps: int | None = None,
        stale_ms_max: int | None = None,
        reverse: bool | None = None,
        more: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Answer:
        """Start copying a leader (id or `@handle`), or change the settings that are given.

        Money and ratios are decimals, 1 = 100 %; `more` holds settings as the reference shows them.

        Returns:
            `result["copy"]` with the merged settings and their version.
        """
        args = {
            "leader": leader,
            "allocation": amount_text(allocation),
            "mode": mode,
            "multiplier": amount_text(multiplier),
            "copy_ratio": amount_text(copy_ratio),
            "symbols_allow": None if symbols_allow is None else list(symbols_allow),
            "symbols_deny": None if symbols_deny is None else list(symbols_deny),
            "notional_min": amount_text(notional_min),
            "notional_max": amount_text(notional_max),
            "position_max": amount_text(position_max),
            "exposure_max": amount_text(exposure_max),
            "leverage_max": amount_text(leverage_max),
            "positions_max": positions_max,
            "slippage_max_bps": slippage_max_bps,
            "stale_ms_max": stale_ms_max,
            "reverse": reverse,
            **(more or {}),
        }
        return await self.command("set_copy", given(args), key=key)

    async def pause_copy(self, leader: str, *, key: str | None = None) -> Answer:
        """Pause a copy: signals are skipped until it is resumed."""
        return await self.command("pause_copy", {"leader": leader}, key=key)

    async def resume_copy(self, leader: str, *, key: str | None = None) -> Answer:
        """Resume a paused copy."""
        return await self.command("resume_copy", {"leader": leader}, key=key)

    async def close_only_copy(self, leader: str, *, key: str | None = None) -> Answer:
        """From now on copy only what makes positions smaller."""
        return await self.command("close_only_copy", {"leader": leader}, key=key)

    async def stop_copy(
        self, leader: str, *, on_stop: OnStop | None = None, key: str | None = None
    ) -> Answer:
        """End a copy, without `on_stop` as its settings say."""
        args = given({"leader": leader, "on_stop": on_stop})
        return await self.command("stop_copy", args, key=key)

    async def set_copy_scope(
        self, scope: CopyScope, settings: Mapping[str, Any], *, key: str | None = None
    ) -> Answer:
        """Patch the settings for all who copy the caller, or for all whom the caller copies."""
        return await self.command("set_copy_scope", {"scope": scope, **settings}, key=key)

    async def resync_copy(self, leader: str, *, key: str | None = None) -> Answer:
        """Bring a copy to the leader's present weights."""
        return await self.command("resync_copy", {"leader": leader}, key=key)

    async def close_copy_position(
        self, leader: str, symbol: str, *, key: str | None = None
    ) -> Answer:
        """Close one copied position by hand; the leader's leg in it is left."""
        return await self.command(
            "close_copy_position", {"leader": leader, "symbol": symbol}, key=key
        )
