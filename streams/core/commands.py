"""Commands: what somebody wants. Imperative names, integers only, append-only fields.

The edge has already checked shape, identity and quota, and has turned decimals into ticks, lots
and micro-units (see money). Ids in a command come from its submitter; ids made by the core come
from the command's offset. Encoded as msgpack arrays with the class name as tag.
"""

from __future__ import annotations

import msgspec

from streams.core.money import Step


class Command(msgspec.Struct, array_like=True, tag=True, frozen=True, gc=False):
    """Base of all commands."""


# time and market


class Tick(Command, frozen=True):
    """The scheduler's heartbeat: number = 100 ms periods since 1970; repeats are ignored."""

    number: int


class RegisterInstrument(Command, frozen=True):
    """Make an instrument known. `fee_ppm` is the paper venue's fee as a share of the notional.

    `depth_lots` is what the paper venue fills of one order or block at a quote; 0 = everything.
    """

    symbol: str
    name: str
    venue: str
    asset_class: str
    tick: Step
    lot: Step
    fee_ppm: int = 0
    depth_lots: int = 0


class MarkRow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A quote of one instrument, in ticks; a bar's also has its high and low (0 = no bar)."""

    symbol: str
    bid_ticks: int
    ask_ticks: int
    last_ticks: int
    high_ticks: int = 0
    low_ticks: int = 0


class PublishMarks(Command, frozen=True):
    """New quotes, conflated at the edge. `at_us` = 0 means the log's time.

    Highs and lows of the rows are of the `candle_us` that end at `at_us`.
    """

    rows: list[MarkRow]
    at_us: int = 0
    recorded: bool = False
    candle_us: int = 0


class SettleInstrument(Command, frozen=True):
    """The outcome is decided: all positions are closed at the price, trading ends."""

    symbol: str
    price_ticks: int
    at_us: int = 0


# traders


class RegisterTrader(Command, frozen=True):
    """Create a trader. `origin`: `account`, `recorded`, `follower`, `development`."""

    trader: str
    handle: str
    name: str
    origin: str
    cash_micros: int
    at_us: int = 0


class UpdateTrader(Command, frozen=True):
    """Patch the public profile; None leaves a field as it is."""

    name: str | None = None
    bio: str | None = None
    signals_access: str | None = None
    links: list[str] | None = None
    tags: list[str] | None = None
    handle: str | None = None


class VerifyTrader(Command, frozen=True):
    """Say that a trader is who it claims to be, or take it back; `reason` is on record."""

    trader: str
    verified: bool
    reason: str


class CloseTrader(Command, frozen=True):
    """Close an account for good. `trader` is set only by services; else the principal's."""

    reason: str
    trader: str = ""


class LinkIdentity(Command, frozen=True):
    """Say whose account it is; `identity` is opaque, and equal for all accounts of one person."""

    trader: str
    identity: str


class OpenSeason(Command, frozen=True):
    """Announce a season from a UTC day until another, counted from 1970; the last is not in it."""

    season: str
    name: str
    start_day: int
    end_day: int


class EnterSeason(Command, frozen=True):
    """Enter a season that has not begun."""

    season: str


class ReadNotifications(Command, frozen=True):
    """Mark notifications as read, up to and with a number of the channel."""

    through: int


class SetNotificationLevels(Command, frozen=True):
    """Patch the levels by category: `all`, `important` or `off`."""

    levels: dict[str, str]


class FollowTrader(Command, frozen=True):
    """Follow another trader."""

    trader: str


class UnfollowTrader(Command, frozen=True):
    """Stop following a trader."""

    trader: str


# ideas


class PublishIdea(Command, frozen=True):
    """Create an idea; `publish` False keeps it a draft. Prices 0 = not given.

    `trade_type`: buy, sell, short, cover. `stance`: -1, 0, +1. `trader` is set only by services
    that publish for a recorded trader; otherwise the principal's. `targets`: (price, weight in
    ten-thousandths), nearest first, in place of the one target. `breakeven_after`: the stop moves
    to the entry once so many targets are hit; 0 = never.
    """

    title: str
    thesis: str
    symbol: str
    trade_type: str
    entry_ticks: int
    target_ticks: int
    stop_ticks: int
    timeframe: str
    confidence_bps: int
    stance: int
    tags: list[str]
    publish: bool
    trader: str = ""
    external_id: str = ""
    at_us: int = 0
    targets: list[tuple[int, int]] = []
    breakeven_after: int = 0


class EditIdea(Command, frozen=True):
    """Change an idea: a draft in any field, a published one only in title, thesis and tags."""

    idea: str
    title: str | None = None
    thesis: str | None = None
    tags: list[str] | None = None
    symbol: str | None = None
    trade_type: str | None = None
    entry_ticks: int | None = None
    target_ticks: int | None = None
    stop_ticks: int | None = None
    timeframe: str | None = None
    confidence_bps: int | None = None
    stance: int | None = None
    trader: str = ""
    targets: list[tuple[int, int]] | None = None
    breakeven_after: int | None = None


class PublishDraft(Command, frozen=True):
    """Publish a draft; from now on its terms are immutable."""

    idea: str


class CloseIdea(Command, frozen=True):
    """The author ends the idea. `exit_ticks` 0 = not given."""

    idea: str
    reason: str
    exit_ticks: int = 0
    trader: str = ""
    at_us: int = 0


class UndoIdea(Command, frozen=True):
    """Take a publication back within its first minute, if nothing happened since."""

    idea: str


class HideIdea(Command, frozen=True):
    """Delete an idea: a draft is discarded, of a published one the text is hidden."""

    idea: str


class VoidIdea(Command, frozen=True):
    """A service declares an idea void, with a reason everybody can read."""

    idea: str
    reason: str


class UpdateIdea(Command, frozen=True):
    """Append advice to a published idea of one's own."""

    idea: str
    text: str


class LikeIdea(Command, frozen=True):
    """Like a published idea."""

    idea: str


class UnlikeIdea(Command, frozen=True):
    """Take a like back."""

    idea: str


class CommentIdea(Command, frozen=True):
    """Comment a published idea; `parent` is a comment's id or empty."""

    idea: str
    text: str
    parent: str = ""


class ShareIdea(Command, frozen=True):
    """Pass a published idea on."""

    idea: str


class ViewIdea(Command, frozen=True):
    """Look at a published idea."""

    idea: str


class PostMessage(Command, frozen=True):
    """A message about symbols with a declared stance (-1, 0 = none declared, +1).

    `horizon`: 0 intraday, 1 swing, 2 position. `percent`: how probable the author holds the
    stance, 51 to 99, 0 = not said. `withdraws`: the author is neutral now. `text_score_milli`:
    what the text was read as where nothing is declared, -1000 bearish to 1000 bullish, 0 = unsure.
    """

    text: str
    symbols: list[str]
    stance: int
    trader: str = ""
    external_id: str = ""
    at_us: int = 0
    horizon: int = 1
    percent: int = 0
    withdraws: bool = False
    text_score_milli: int = 0


# trading


class PlaceOrder(Command, frozen=True):
    """A paper order. `side`: buy, sell, short, cover; `limit_ticks` 0 = market order."""

    symbol: str
    side: str
    lots: int
    limit_ticks: int = 0
    client_order_id: str = ""
    idea: str = ""
    stop_ticks: int = 0
    take_ticks: int = 0
    expires_at_us: int = 0


class CancelOrder(Command, frozen=True):
    """Cancel a resting order."""

    order: str


class EditOrder(Command, frozen=True):
    """Change a resting order; None leaves a field as it is, 0 removes a stop or a take.

    `lots` is the whole quantity, what is filled included.
    """

    order: str
    lots: int | None = None
    limit_ticks: int | None = None
    stop_ticks: int | None = None
    take_ticks: int | None = None


class SetExitLevels(Command, frozen=True):
    """Change where a position ends by itself; None leaves a level as it is, 0 removes it.

    `leader` names the copy whose position is meant; empty = the trader's own account.
    """

    symbol: str
    stop_ticks: int | None = None
    take_ticks: int | None = None
    leader: str = ""


class CancelAfter(Command, frozen=True):
    """Arm the dead-man switch: resting orders end `ms` from now unless it is set again; 0 = off."""

    ms: int


class MoveCash(Command, frozen=True):
    """Pay into the paper account (> 0) or out of it (< 0): an external flow, no profit."""

    amount_micros: int


class ReportFill(Command, frozen=True):
    """A fill that happened at a venue: a fact, booked as reported.

    `lots` is signed (buy > 0). `source`: `recorded`, `venue`, `self_reported`. `trader` is set
    only by services; otherwise the principal's. `sequence` is the venue's gapless number of the
    account's fills, 0 when it has none; `test` marks a fill that nobody should copy.
    """

    symbol: str
    lots: int
    price_ticks: int
    fee_micros: int
    source: str
    execution: str
    trader: str = ""
    at_us: int = 0
    sequence: int = 0
    test: bool = False


class ReportPosition(Command, frozen=True):
    """The venue's word on an open position: replaces the core's position, realising nothing."""

    trader: str
    symbol: str
    lots: int
    entry_ticks: int
    at_us: int = 0


class ReportEquity(Command, frozen=True):
    """The venue's word on an account's equity: cash is set so that equity agrees (a flow)."""

    trader: str
    equity_micros: int
    at_us: int = 0


# copying


class SetCopy(Command, frozen=True):
    """Start copying a leader, or patch the settings; None leaves a setting as it is.

    Units as in `CopySettings`. An allocation is required at the start.
    """

    leader: str
    allocation_micros: int | None = None
    mode: str | None = None
    multiplier_ppm: int | None = None
    copy_ratio_ppm: int | None = None
    symbols_allow: list[str] | None = None
    symbols_deny: list[str] | None = None
    notional_min_micros: int | None = None
    notional_max_micros: int | None = None
    position_max_bps: int | None = None
    exposure_max_bps: int | None = None
    leverage_max_ppm: int | None = None
    positions_max: int | None = None
    slippage_max_bps: int | None = None
    stale_ms_max: int | None = None
    reverse: bool | None = None
    symbol_multipliers: dict[str, int] | None = None
    fixed_quantity_nanos: int | None = None
    fixed_notional_micros: int | None = None
    risk_bps: int | None = None
    var_target_bps: int | None = None
    expression: str | None = None
    quantity_min_nanos: int | None = None
    tiny: str | None = None
    symbol_map: dict[str, str] | None = None
    symbols_short_deny: list[str] | None = None
    asset_classes_allow: list[str] | None = None
    sides: str | None = None
    session_windows: list[tuple[int, int, int]] | None = None
    news_windows: list[tuple[str, int, int]] | None = None
    symbol_entries_max: int | None = None
    quote_age_ms_max: int | None = None
    stale_pending_ms_max: int | None = None
    copy_stop_loss: bool | None = None
    copy_take_profit: bool | None = None
    stop_loss_bps: int | None = None
    take_profit_bps: int | None = None
    copy_open_positions: str | None = None
    open_worse_bps_max: int | None = None
    follow_limit_orders: str | None = None
    copy_stop_bps: int | None = None
    trailing_stop_bps: int | None = None
    daily_loss_bps: int | None = None
    daily_drawdown_bps: int | None = None
    daily_target_bps: int | None = None
    trades_day_max: int | None = None
    failures_max: int | None = None
    cooldown_ms: int | None = None
    on_stop: str | None = None
    drift_band_bps: int | None = None
    notify_loss_bps: list[int] | None = None
    exit_levels: str | None = None
    delay_ms: int | None = None


class CommitSeed(Command, frozen=True):
    """Commit to the seed of the next day; `nonce` is what the seed was derived from, and public.

    `veil_commitment` commits to the secret behind that day's aliases; empty = there is none.
    """

    number: int
    nonce: bytes
    commitment: bytes
    veil_commitment: bytes = b""


class OpenSeed(Command, frozen=True):
    """Hand the nodes the seed of the present day; nobody else is shown it before the day ends.

    The `veil` is shown to nobody, ever: it makes the aliases of the day, see `copying.seeds`.
    """

    number: int
    seed: bytes
    veil: bytes = b""


class SetFeeTerms(Command, frozen=True):
    """What the principal asks of its followers; None leaves a term as it is. See `FeeTerms`."""

    performance_ppm: int | None = None
    management_ppm: int | None = None
    flat_micros: int | None = None
    basis: str | None = None
    period: str | None = None


class PauseCopy(Command, frozen=True):
    """Skip the leader's openings until resumed; closings still follow."""

    leader: str


class ResumeCopy(Command, frozen=True):
    """End a pause or close-only."""

    leader: str


class CloseOnlyCopy(Command, frozen=True):
    """Follow only closings from now on."""

    leader: str


class StopCopy(Command, frozen=True):
    """End the relationship; the cash of the ring fence returns to the account.

    `on_stop`: `keep` moves open positions to the account, `close_now` closes them at the present
    quote, `close_by_position` follows the leader's closings until flat, `close_by_symbol` closes
    a whole position at the leader's first closing in it. Empty: what the settings say.
    """

    leader: str
    on_stop: str = ""


class CloseCopyPosition(Command, frozen=True):
    """Close one copied position by hand; the leader's leg in it is no longer followed."""

    leader: str
    symbol: str


class ResyncCopy(Command, frozen=True):
    """Bring the copy's positions to the leader's present weights."""

    leader: str


class SetCopyScope(Command, frozen=True):
    """Patch the settings of many copies at once.

    `scope`: `platform` (services only), `leader` (copies of the principal) or `portfolio` (copies
    by the principal). The patch names no leader and no allocation.
    """

    scope: str
    patch: SetCopy


class SetKillSwitch(Command, frozen=True):
    """Stop all copied openings on the platform, or let them go on. Services only."""

    on: bool
    cause: str = ""


class SuspendLeader(Command, frozen=True):
    """Let nobody open after this leader any more: its copies become CLOSE_ONLY. Services only.

    `cause`: suspended, liquidated or closed.
    """

    trader: str
    cause: str


class ReinstateLeader(Command, frozen=True):
    """End a suspension. Services only; followers resume by themselves."""

    trader: str


AnyCommand = (
    Tick
    | RegisterInstrument
    | PublishMarks
    | SettleInstrument
    | RegisterTrader
    | UpdateTrader
    | VerifyTrader
    | CloseTrader
    | LinkIdentity
    | OpenSeason
    | EnterSeason
    | ReadNotifications
    | SetNotificationLevels
    | FollowTrader
    | UnfollowTrader
    | PublishIdea
    | EditIdea
    | PublishDraft
    | CloseIdea
    | UndoIdea
    | HideIdea
    | VoidIdea
    | UpdateIdea
    | LikeIdea
    | UnlikeIdea
    | CommentIdea
    | ShareIdea
    | ViewIdea
    | PostMessage
    | PlaceOrder
    | CancelOrder
    | EditOrder
    | SetExitLevels
    | CancelAfter
    | MoveCash
    | ReportFill
    | ReportPosition
    | ReportEquity
    | SetCopy
    | CommitSeed
    | OpenSeed
    | SetFeeTerms
    | PauseCopy
    | ResumeCopy
    | CloseOnlyCopy
    | StopCopy
    | CloseCopyPosition
    | ResyncCopy
    | SetCopyScope
    | SetKillSwitch
    | SuspendLeader
    | ReinstateLeader
)
"""Every command, for decoding in one pass."""
