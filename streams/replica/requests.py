"""What a client may ask for: one strict struct a request.

The same structs serve REST bodies and the socket's `command` op; `building` turns them into
commands. An unknown field, a wrong type or a text that is too long is refused with the field's
name, before anything reaches the log. Numbers with a unit are decimal strings.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from streams.core import limits


Text = Annotated[str, Meta(max_length=limits.DECIMAL_DIGITS_MAX + 2)]
Ratio = int | float | Text
Count = Annotated[int, Meta(ge=-limits.INTEGER_MAX, le=limits.INTEGER_MAX)]
"""The log carries 64 bits; bounds of their own are the core's."""
Identifier = Annotated[str, Meta(min_length=1, max_length=limits.IDENTIFIER_LENGTH_MAX)]
Symbol = Annotated[str, Meta(min_length=1, max_length=limits.SYMBOL_LENGTH_MAX)]
Tags = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=limits.TAG_LENGTH_MAX)]],
    Meta(max_length=limits.TAGS_MAX),
]
Title = Annotated[str, Meta(min_length=limits.TITLE_LENGTH_MIN, max_length=limits.TITLE_LENGTH_MAX)]
Thesis = Annotated[
    str, Meta(min_length=limits.THESIS_LENGTH_MIN, max_length=limits.THESIS_LENGTH_MAX)
]
Timeframe = Annotated[str, Meta(max_length=limits.TAG_LENGTH_MAX)]
TradeType = Literal["buy", "sell", "short", "cover"]
Stance = Literal["bullish", "bearish", "neutral"]
ClockTime = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")]
OnStop = Literal["keep", "close_now", "close_by_position", "close_by_symbol"]
SYMBOLS = Meta(max_length=limits.SYMBOL_LIST_MAX)
WINDOWS = Meta(max_length=limits.WINDOWS_MAX)
SymbolList = Annotated[list[Symbol], Meta(max_length=limits.SYMBOL_LIST_MAX)]


class Request(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Base of all requests: unknown fields are an error."""


class OpenOrder(Request, frozen=True):
    """A paper order; `limit_price` is required for a limit order and refused for a market one."""

    symbol: Symbol
    side: TradeType
    quantity: Text
    type: Literal["market", "limit"]
    limit_price: Text | None = None
    client_order_id: Annotated[str, Meta(max_length=limits.IDENTIFIER_LENGTH_MAX)] | None = None
    idea_id: Identifier | None = None
    stop_loss: Text | None = None
    take_profit: Text | None = None
    expires_at: datetime | None = None


class CancelOrder(Request, frozen=True):
    """Cancel a resting order."""

    order: Identifier


class CancelAfter(Request, frozen=True):
    """Set the dead-man switch, 0 turns it off."""

    ms: Annotated[int, Meta(ge=0, le=limits.CANCEL_AFTER_MS_MAX)]


class EditOrder(Request, frozen=True):
    """Change a resting order; absent fields stay, null removes a stop or a take."""

    order: Identifier
    quantity: Text | UnsetType = UNSET
    limit_price: Text | UnsetType = UNSET
    stop_loss: Text | UnsetType | None = UNSET
    take_profit: Text | UnsetType | None = UNSET


class SetExitLevels(Request, frozen=True):
    """Where a position ends by itself; absent fields stay, null removes a level.

    `leader` names the copy whose position is meant; absent = the caller's own account.
    """

    symbol: Symbol
    stop_loss: Text | UnsetType | None = UNSET
    take_profit: Text | UnsetType | None = UNSET
    leader: Identifier | None = None


class CashAmount(Request, frozen=True):
    """An amount above 0 that is paid into or out of the paper account."""

    amount: Text


class ReportTrade(Request, frozen=True):
    """A fill made elsewhere, self-reported."""

    symbol: Symbol
    side: TradeType
    quantity: Text
    price: Text
    fee: Text = "0"


class IdeaTarget(Request, frozen=True):
    """One of several targets; `weight` is its share of the position, 1 = the whole."""

    price: Text
    weight: Ratio | None = None


Targets = Annotated[list[IdeaTarget], Meta(max_length=limits.TARGETS_PER_IDEA_MAX)]
TargetCount = Annotated[int, Meta(ge=0, le=limits.TARGETS_PER_IDEA_MAX)]


class CreateIdea(Request, frozen=True):
    """A trade idea; `publish` false keeps a draft. `confidence` is 0 to 100.

    `targets` in place of one target, nearest first; without weights all count the same.
    `breakeven_after`: the stop moves to the entry once so many targets are reached, 0 = never.
    """

    title: Title
    thesis: Thesis
    symbol: Symbol
    trade_type: TradeType
    publish: bool
    entry: Text | None = None
    target: Text | None = None
    stop: Text | None = None
    timeframe: Timeframe = ""
    confidence: Annotated[float, Meta(ge=0, le=100)] | None = None
    sentiment: Stance | None = None
    tags: Tags = []
    targets: Targets = []
    breakeven_after: TargetCount = 0


class EditIdea(Request, frozen=True):
    """Change an idea; absent fields stay."""

    idea: Identifier
    title: Title | None = None
    thesis: Thesis | None = None
    tags: Tags | None = None
    symbol: Symbol | None = None
    trade_type: TradeType | None = None
    entry: Text | None = None
    target: Text | None = None
    stop: Text | None = None
    timeframe: Timeframe | None = None
    confidence: Annotated[float, Meta(ge=0, le=100)] | None = None
    sentiment: Stance | None = None
    targets: Targets | None = None
    breakeven_after: TargetCount | None = None


class IdeaOnly(Request, frozen=True):
    """Names an idea."""

    idea: Identifier


class EnterSeason(Request, frozen=True):
    """Names a season to enter."""

    season: Identifier


class CloseIdea(Request, frozen=True):
    """End an idea."""

    idea: Identifier
    reason: Annotated[str, Meta(max_length=limits.COMMENT_LENGTH_MAX)] = ""
    exit_price: Text | None = None


class UpdateIdea(Request, frozen=True):
    """Append advice to a published idea."""

    idea: Identifier
    text: Annotated[str, Meta(min_length=1, max_length=limits.COMMENT_LENGTH_MAX)]


class CommentIdea(Request, frozen=True):
    """Comment an idea."""

    idea: Identifier
    text: Annotated[str, Meta(min_length=1, max_length=limits.COMMENT_LENGTH_MAX)]
    parent_id: Identifier | None = None


class PostMessage(Request, frozen=True):
    """A message about symbols; `neutral` withdraws what was declared before.

    `probability` is how probable the author holds the declared side, in percent.
    """

    text: Annotated[str, Meta(min_length=1, max_length=limits.MESSAGE_LENGTH_MAX)]
    symbols: Annotated[list[Symbol], Meta(min_length=1, max_length=limits.TAGS_MAX)]
    sentiment: Stance | None = None
    horizon: Literal["intraday", "swing", "position"] = "swing"
    probability: Annotated[int, Meta(ge=51, le=99)] | None = None


class TraderOnly(Request, frozen=True):
    """Names a trader, by id or `@handle`."""

    trader: Identifier


class UpdateProfile(Request, frozen=True):
    """Change the public profile; absent fields stay."""

    display_name: Annotated[str, Meta(min_length=1, max_length=limits.NAME_LENGTH_MAX)] | None = (
        None
    )
    bio: Annotated[str, Meta(max_length=limits.BIO_LENGTH_MAX)] | None = None
    signals_access: Literal["public", "followers"] | None = None
    links: (
        Annotated[
            list[Annotated[str, Meta(max_length=limits.LINK_LENGTH_MAX)]],
            Meta(max_length=limits.LINKS_MAX),
        ]
        | None
    ) = None
    tags: Tags | None = None
    handle: Annotated[str, Meta(max_length=limits.HANDLE_LENGTH_MAX + 1)] | None = None


class CloseAccount(Request, frozen=True):
    """Close one's own account for good."""

    reason: Annotated[str, Meta(max_length=limits.COMMENT_LENGTH_MAX)] = ""


class ReadNotifications(Request, frozen=True):
    """Mark notifications as read, up to and with the number `through`."""

    through: Annotated[int, Meta(ge=0, le=limits.INTEGER_MAX)]


NotificationLevel = Literal["all", "important", "off"]


class SetNotificationLevels(Request, frozen=True):
    """Change what one is told of; absent categories stay as they are."""

    copying: NotificationLevel | None = None
    ideas: NotificationLevel | None = None
    network: NotificationLevel | None = None
    account: Literal["all", "important"] | None = None


class SessionWindow(Request, frozen=True, rename={"first": "from", "end": "to"}):
    """Hours of weekdays in UTC: `{"days": ["mon", "fri"], "from": "09:30", "to": "16:00"}`."""

    days: Annotated[
        list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]], Meta(min_length=1)
    ]
    first: ClockTime
    end: ClockTime


class NewsWindow(Request, frozen=True, rename={"first": "from", "end": "to"}):
    """A time around an announcement, for one symbol or `*`."""

    symbol: Symbol
    first: datetime
    end: datetime


class CopySettingsPatch(Request, frozen=True):
    """Settings of a copy, spelled as they are shown; absent fields stay as they are.

    Money and quantities are decimal strings; ratios are numbers (or decimal strings), 1 = 100 %.
    0 switches an optional setting off.
    """

    allocation: Text | None = None
    mode: Annotated[str, Meta(max_length=30)] | None = None
    multiplier: Ratio | None = None
    copy_ratio: Ratio | None = None
    symbols_allow: SymbolList | None = None
    symbols_deny: SymbolList | None = None
    notional_min: Text | None = None
    notional_max: Text | None = None
    position_max: Ratio | None = None
    exposure_max: Ratio | None = None
    leverage_max: Ratio | None = None
    positions_max: Count | None = None
    slippage_max_bps: Count | None = None
    stale_ms_max: Count | None = None
    reverse: bool | None = None
    symbol_multipliers: Annotated[dict[Symbol, Ratio], SYMBOLS] | None = None
    fixed_quantity: Text | None = None
    fixed_notional: Text | None = None
    risk: Ratio | None = None
    var_target: Ratio | None = None
    expression: Annotated[str, Meta(max_length=limits.EXPRESSION_LENGTH_MAX)] | None = None
    quantity_min: Text | None = None
    tiny: Literal["skip", "force_min"] | None = None
    symbol_map: Annotated[dict[Symbol, Symbol], SYMBOLS] | None = None
    symbols_short_deny: SymbolList | None = None
    asset_classes_allow: Tags | None = None
    sides: Literal["both", "long", "short"] | None = None
    session_windows: Annotated[list[SessionWindow], WINDOWS] | None = None
    news_windows: Annotated[list[NewsWindow], WINDOWS] | None = None
    symbol_entries_max: Count | None = None
    quote_age_ms_max: Count | None = None
    stale_pending_ms_max: Count | None = None
    copy_stop_loss: bool | None = None
    copy_take_profit: bool | None = None
    stop_loss_distance: Ratio | None = None
    take_profit_distance: Ratio | None = None
    copy_open_positions: Literal["no", "all", "only_if_not_worse"] | None = None
    open_worse_bps_max: Count | None = None
    follow_limit_orders: Literal["on_fill", "on_full_fill", "mirror"] | None = None
    copy_stop: Ratio | None = None
    trailing_stop: Ratio | None = None
    daily_loss: Ratio | None = None
    daily_drawdown: Ratio | None = None
    daily_target: Ratio | None = None
    trades_day_max: Count | None = None
    failures_max: Count | None = None
    cooldown_ms: Count | None = None
    on_stop: OnStop | None = None
    drift_band: Ratio | None = None
    notify_losses: Annotated[list[Count], WINDOWS] | None = None
    exit_levels: Literal["absolute", "distance"] | None = None
    delay_ms: Count | None = None


class SetCopy(CopySettingsPatch, frozen=True, kw_only=True):
    """Start or patch a copy: the settings by themselves, or together under `settings`."""

    leader: Identifier
    settings: CopySettingsPatch | None = None


class SetFees(Request, frozen=True):
    """What the caller asks of its followers; absent fields stay. Shares are fractions."""

    performance: Ratio | None = None
    management: Ratio | None = None
    flat: Text | None = None
    basis: Literal["min", "total"] | None = None
    period: Literal["daily", "weekly", "monthly"] | None = None


class LeaderOnly(Request, frozen=True):
    """Names a leader, by id or `@handle`."""

    leader: Identifier


class StopCopy(Request, frozen=True):
    """End a copy; without `on_stop` as its settings say."""

    leader: Identifier
    on_stop: OnStop | None = None


class CloseCopyPosition(Request, frozen=True):
    """Close one copied position by hand."""

    leader: Identifier
    symbol: Symbol


class SetCopyScope(CopySettingsPatch, frozen=True, kw_only=True):
    """Settings for all copies of the caller (`leader`) or by the caller (`portfolio`)."""

    scope: Literal["leader", "portfolio"]
