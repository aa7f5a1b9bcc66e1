"""Events: facts. Past tense, immutable, append-only fields. The record of OPTIX.

`evolve_*` turns each into a change of state; the archive keeps them; frames show them. Where an
event carries a result (realised profit, the position after), `decide_*` has computed it and
`evolve_*` only stores it, so that the archive can be read without the rules.
Encoded as msgpack arrays with the class name as tag.
"""

from __future__ import annotations

import msgspec

from streams.core.commands import MarkRow
from streams.core.idea_state import IdeaFrozen, IdeaResolution, IdeaTick
from streams.core.money import Step
from streams.core.sentiment_state import Forecast
from streams.core.state import CopySettings, FeeTerms, Statement, WaitingOpening


class Event(msgspec.Struct, array_like=True, tag=True, frozen=True, gc=False):
    """Base of all events. `at_us` is market time (see kernel)."""


class Ticked(Event, frozen=True):
    """A period of 100 ms has passed; `second`: the first tick seen of its second."""

    number: int
    second: bool
    at_us: int


class DayClosed(Event, frozen=True):
    """A UTC day of the market clock ended.

    The days of all traders close at the last marks; present ranks become the previous ranks.
    """

    day: int
    at_us: int


class DigestTaken(Event, frozen=True):
    """The digest of the whole record up to and including an entry, for everybody to compare.

    `entry` is the entry's id as text, `digest` the chain digest after it, in hexadecimal.
    """

    entry: str
    digest: str
    at_us: int


class InstrumentRegistered(Event, frozen=True):
    """An instrument is known."""

    symbol: str
    name: str
    venue: str
    asset_class: str
    tick: Step
    lot: Step
    fee_ppm: int
    depth_lots: int = 0


class MarksPublished(Event, frozen=True):
    """Quotes changed."""

    rows: list[MarkRow]
    at_us: int
    recorded: bool
    candle_us: int = 0


class InstrumentSettled(Event, frozen=True):
    """Trading ended at the settlement price; the closing fills precede this event."""

    symbol: str
    price_ticks: int
    at_us: int


class TraderRegistered(Event, frozen=True):
    """A trader exists."""

    trader: str
    handle: str
    name: str
    origin: str
    cash_micros: int
    at_us: int


class TraderUpdated(Event, frozen=True):
    """The public profile changed; None = as before."""

    trader: str
    name: str | None
    bio: str | None
    signals_access: str | None
    at_us: int
    links: list[str] | None = None
    tags: list[str] | None = None


class HandleChanged(Event, frozen=True):
    """A trader goes by another handle; the former one still leads to it."""

    trader: str
    handle: str
    former: str
    at_us: int


class TraderVerified(Event, frozen=True):
    """An administrator vouched for the trader, or no longer does."""

    trader: str
    verified: bool
    reason: str
    at_us: int


class TraderClosed(Event, frozen=True):
    """An account was closed: handle and record stay, it acts no more."""

    trader: str
    reason: str
    at_us: int


class CopiesWoundDown(Event, frozen=True):
    """No copy of the leader opens anything any more that may not."""

    leader: str
    at_us: int


class NotificationsRead(Event, frozen=True):
    """The trader has read its notifications up to a number."""

    trader: str
    through: int
    at_us: int


class NotificationLevelsChanged(Event, frozen=True):
    """What the trader wants to be told; the levels given replace those of their categories."""

    trader: str
    levels: dict[str, str]
    at_us: int


class TraderFlagged(Event, frozen=True):
    """A detector of gaming found something; `level` says what follows, see `integrity.flags`.

    `evidence` holds what was measured: `*_ppm` parts per million, `*_us` microseconds, counts.
    """

    trader: str
    flag: str
    level: str
    evidence: dict[str, int]
    at_us: int


class FlagCleared(Event, frozen=True):
    """What a detector had found is no longer there."""

    trader: str
    flag: str
    level: str
    at_us: int


class ConductReviewed(Event, frozen=True):
    """The first `count` traders that were due have been reviewed."""

    count: int
    at_us: int


class IdentityLinked(Event, frozen=True):
    """An account belongs to an identity."""

    trader: str
    identity: str
    at_us: int


class SeasonOpened(Event, frozen=True):
    """A season was announced; traders may enter until its first day."""

    season: str
    name: str
    start_day: int
    end_day: int
    at_us: int


class SeasonEntered(Event, frozen=True):
    """A trader is on the entry list."""

    season: str
    trader: str
    at_us: int


class SeasonStarted(Event, frozen=True):
    """The entry list is frozen."""

    season: str
    entries: int
    at_us: int


class SeasonScored(Event, frozen=True):
    """Scores of the next entries over the season's days up to `day`, in millionths.

    None = not defined, or flagged.
    """

    season: str
    scores: list[int | None]
    at_us: int
    day: int = 0


class SeasonStood(Event, frozen=True):
    """How a running season stands after a day, by rank; `rows` as in `SeasonClosed`."""

    season: str
    day: int
    rows: list[tuple[str, int | None]]
    at_us: int


class SeasonClosed(Event, frozen=True):
    """The final board by rank, and its digest."""

    season: str
    rows: list[tuple[str, int | None]]
    digest: str
    at_us: int


class TraderFollowed(Event, frozen=True):
    """`trader` follows `target`; `feed_seq` is the number of its feed then."""

    trader: str
    target: str
    at_us: int
    feed_seq: int = 0


class TraderUnfollowed(Event, frozen=True):
    """`trader` no longer follows `target`; `feed_seq` is the number of its feed then."""

    trader: str
    target: str
    at_us: int
    feed_seq: int = 0


class IdeaCreated(Event, frozen=True):
    """An idea exists, as a draft or published at once."""

    idea: str
    trader: str
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
    published: bool
    external_id: str
    at_us: int
    targets: list[tuple[int, int]] = []
    breakeven_after: int = 0
    frozen: IdeaFrozen = IdeaFrozen()


class IdeaEdited(Event, frozen=True):
    """Fields of an idea changed; None = as before."""

    idea: str
    trader: str
    symbol_before: str
    title: str | None
    thesis: str | None
    tags: list[str] | None
    symbol: str | None
    trade_type: str | None
    entry_ticks: int | None
    target_ticks: int | None
    stop_ticks: int | None
    timeframe: str | None
    confidence_bps: int | None
    stance: int | None
    at_us: int
    targets: list[tuple[int, int]] | None = None
    breakeven_after: int | None = None
    text_version: int = 1


class IdeaPublished(Event, frozen=True):
    """A draft became public, with these terms from now on."""

    idea: str
    trader: str
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
    at_us: int
    targets: list[tuple[int, int]] = []
    breakeven_after: int = 0
    frozen: IdeaFrozen = IdeaFrozen()


class IdeaArmed(Event, frozen=True):
    """The first usable quote after publishing: the idea waits for its entry from now on."""

    idea: str
    trader: str
    symbol: str
    entry_type: str
    at_us: int


class IdeaEntered(Event, frozen=True):
    """The market gave the entry; `odds_ppm` is p0 of stop and first target from there, 0 = none."""

    idea: str
    trader: str
    symbol: str
    tick: IdeaTick
    odds_ppm: int
    at_us: int


class IdeaTargetHit(Event, frozen=True):
    """A target that is not the last was reached; `stop_ticks` is the stop from now on."""

    idea: str
    trader: str
    symbol: str
    target: int
    weight_bps: int
    tick: IdeaTick
    stop_ticks: int
    at_us: int


class IdeaResolved(Event, frozen=True):
    """The market, time or a service ended the idea."""

    idea: str
    trader: str
    symbol: str
    resolution: IdeaResolution
    at_us: int


class IdeasDeferred(Event, frozen=True):
    """One print reached more ideas than are moved on at once: these follow on the ticks."""

    ideas: list[str]
    tick: IdeaTick
    at_us: int


class IdeaClosed(Event, frozen=True):
    """The author ended the idea; `exit_ticks` is the author's word, the resolution the market's."""

    idea: str
    trader: str
    symbol: str
    reason: str
    exit_ticks: int
    at_us: int
    resolution: IdeaResolution | None = None


class IdeaUndone(Event, frozen=True):
    """A publication was taken back within its first minute: the idea is a draft again."""

    idea: str
    trader: str
    symbol: str
    at_us: int


class IdeaHidden(Event, frozen=True):
    """The author deleted a published idea: its text is shown no more, its record stays."""

    idea: str
    trader: str
    symbol: str
    at_us: int


class IdeaUpdated(Event, frozen=True):
    """The author appended advice; `number` counts from 1."""

    idea: str
    trader: str
    symbol: str
    number: int
    text: str
    bid_ticks: int
    ask_ticks: int
    at_us: int


class IdeaLiked(Event, frozen=True):
    """Somebody likes the idea; `likes` is the count after."""

    idea: str
    symbol: str
    trader: str
    likes: int
    at_us: int


class IdeaUnliked(Event, frozen=True):
    """Somebody took a like back; `likes` is the count after."""

    idea: str
    symbol: str
    trader: str
    likes: int
    at_us: int


class IdeaCommented(Event, frozen=True):
    """A comment was added; `comments` is the count after."""

    idea: str
    symbol: str
    comment: str
    trader: str
    text: str
    parent: str
    comments: int
    at_us: int


class IdeaShared(Event, frozen=True):
    """Somebody passed the idea on; counts are streamed by `IdeaEngaged`."""

    idea: str
    trader: str
    at_us: int


class IdeaViewed(Event, frozen=True):
    """Somebody looked at the idea; counts are streamed by `IdeaEngaged`."""

    idea: str
    trader: str
    at_us: int


class IdeaEngaged(Event, frozen=True):
    """Counters of an idea after a second in which one of them changed."""

    idea: str
    symbol: str
    likes: int
    comments: int
    shares: int
    views: int
    at_us: int


class MessagePosted(Event, frozen=True):
    """A message about symbols, with the declared stance; further fields as in `PostMessage`."""

    message: str
    trader: str
    text: str
    symbols: list[str]
    stance: int
    external_id: str
    at_us: int
    horizon: int = 1
    percent: int = 0
    withdraws: bool = False
    text_score_milli: int = 0


class SentimentMeasured(Event, frozen=True):
    """A symbol's sentiment at the first ticks of an hour (UTC, counted from 1970).

    `messages` of the last 24 hours. `ended`: horizon and direction (-1, 0, +1) of the price for
    forecasts that came due; `opened`: horizon and forecast.
    """

    symbol: str
    hour: int
    score_centi: int
    unweighted_centi: int
    voices: int
    effective_milli: int
    messages: int
    ended: list[tuple[int, int]]
    opened: list[tuple[int, Forecast]]
    at_us: int


class OrderPlaced(Event, frozen=True):
    """A limit order rests at the paper venue."""

    order: str
    trader: str
    symbol: str
    side: str
    lots: int
    limit_ticks: int
    client_order_id: str
    idea: str
    at_us: int
    stop_ticks: int = 0
    take_ticks: int = 0
    expires_at_us: int = 0


class OrderEdited(Event, frozen=True):
    """A resting order has these terms from now on."""

    order: str
    trader: str
    symbol: str
    lots: int
    limit_ticks: int
    stop_ticks: int
    take_ticks: int
    at_us: int


class OrderCancelled(Event, frozen=True):
    """A resting order ended, unfilled or partly filled. `reason`: CANCELLED, EXPIRED, or a code."""

    order: str
    trader: str
    symbol: str
    reason: str
    at_us: int


class ExitLevelsSet(Event, frozen=True):
    """A position ends by itself at these levels from now on (0 = none).

    `leader`: the copy whose position it is; empty = the trader's own account.
    """

    trader: str
    leader: str
    symbol: str
    stop_ticks: int
    take_ticks: int
    at_us: int


class CancelAfterSet(Event, frozen=True):
    """A dead-man switch was set; `due_us` is log time, 0 when it was turned off."""

    trader: str
    due_us: int
    at_us: int


class CancelAfterMet(Event, frozen=True):
    """A dead-man switch was met and is off; the orders before it were cancelled by it."""

    trader: str
    at_us: int


class CashMoved(Event, frozen=True):
    """An external flow of an account: paid in (> 0) or out (< 0)."""

    trader: str
    amount_micros: int
    equity_before_micros: int
    at_us: int


class PositionResult(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a fill did to a position.

    Attributes:
        lots: signed lots after.
        cost_micros: signed cost after.
        realised_micros: profit realised by the closed part, before fees.
        lots_before: signed lots before.
        trip: 0 while the round trip goes on; 1 when it ended (flat or flipped).
        trip_micros: profit of the ended round trip, net of fees; else the running one.
    """

    lots: int
    cost_micros: int
    realised_micros: int
    lots_before: int
    trip: int
    trip_micros: int


class FillBooked(Event, frozen=True):
    """A fill changed a trader's own account.

    `lots` is signed. `source`: paper, recorded, venue, self_reported, settlement. `signal_seq` is
    the leader's signal number, 0 when the fill is no signal (self-reported, settlement). `reason`
    says what made the venue fill: empty for an order or a report, else stop_loss, take_profit or
    liquidation. `stop_ticks` and `take_ticks` are levels that the order gives the position (0 =
    as before); `left_lots` is what of the order is still to be filled,
    `limit_ticks` its limit.
    """

    fill: str
    trader: str
    symbol: str
    lots: int
    price_ticks: int
    fee_micros: int
    notional_micros: int
    source: str
    order: str
    execution: str
    signal_seq: int
    result: PositionResult
    at_us: int
    client_order_id: str = ""
    idea: str = ""
    reason: str = ""
    stop_ticks: int = 0
    take_ticks: int = 0
    left_lots: int = 0
    limit_ticks: int = 0
    sequence: int = 0
    test: bool = False


class AccountLiquidated(Event, frozen=True):
    """An account fell below its maintenance margin; the fills that close it follow."""

    trader: str
    equity_micros: int
    margin_micros: int
    at_us: int


class PositionReported(Event, frozen=True):
    """The venue's position replaced the core's."""

    trader: str
    symbol: str
    lots: int
    cost_micros: int
    at_us: int


class EquityReported(Event, frozen=True):
    """Cash was set by the venue's word; `equity_before_micros` is where the flow happened."""

    trader: str
    cash_micros: int
    equity_before_micros: int
    equity_micros: int
    at_us: int


class CopySet(Event, frozen=True):
    """A copy started (version 1) or its settings changed.

    `moved_micros` went from the follower's account into the ring fence.
    """

    follower: str
    leader: str
    settings: CopySettings
    version: int
    moved_micros: int
    equity_before_micros: int
    at_us: int
    fields: list[str] = []
    cause: str = "follower"


class CopyStatusChanged(Event, frozen=True):
    """A copy moved on in its life: ACTIVE, SYNCING, PAUSED, CLOSE_ONLY, HALTED, COOLDOWN, STOPPING.

    `actor`: follower, leader, risk, platform or clock. `until_us` ends a cooldown, `symbols` are to
    be opened while syncing, `on_stop` is how a stopping copy ends. `equity_micros` is the ring
    fence's; after a cooldown the stops are measured from it.
    """

    follower: str
    leader: str
    status: str
    cause: str
    at_us: int
    actor: str = "platform"
    until_us: int = 0
    symbols: list[str] = []
    on_stop: str = ""
    equity_micros: int = 0


class CopyDelayed(Event, frozen=True):
    """An opening passed the gates and waits, as the follower's `delay_ms` says."""

    follower: str
    leader: str
    waiting: WaitingOpening
    at_us: int


class CopyLimitReached(Event, frozen=True):
    """A copy met a daily limit (no openings for the rest of the day), a level of loss, or drift.

    `value` is the equity in micro-units, for DRIFT the deviation in basis points.
    """

    follower: str
    leader: str
    code: str
    value: int
    level_bps: int
    at_us: int


class CopyDriftsMeasured(Event, frozen=True):
    """Deviations from the leader's weights, for consecutive rows; -1 = not running."""

    first_row: int
    drifts_bps: list[int]
    at_us: int


class CopyScopeSet(Event, frozen=True):
    """Settings of many copies changed. `scope`: platform, leader:ID or portfolio:ID."""

    scope: str
    settings: CopySettings
    fields: list[str]
    version: int
    at_us: int


class CopiesReviewed(Event, frozen=True):
    """The copies of a leader were looked through up to a place; -1 = all."""

    leader: str
    reached: int
    at_us: int


class LevelEditsFollowed(Event, frozen=True):
    """Copies follow the levels of a leader's position up to a place; -1 = all."""

    leader: str
    symbol: str
    reached: int
    at_us: int


class CopyOrderPlaced(Event, frozen=True):
    """A follower's own limit order mirrors one of the leader's, from now on at these terms.

    The same `client_order_id` again is an edit; `lots` are all of it, those filled included. See
    `state.CopyOrder` for the other fields.
    """

    follower: str
    leader: str
    client_order_id: str
    order: str
    symbol: str
    leg: str
    side: int
    lots: int
    limit_ticks: int
    leader_lots: int
    leader_order_lots: int
    leader_filled_lots: int
    version: int
    at_us: int


class CopyOrderFilled(Event, frozen=True):
    """Unsigned lots of a mirrored order were filled; a decision of the same entry books them."""

    follower: str
    leader: str
    client_order_id: str
    order: str
    symbol: str
    lots: int
    price_ticks: int
    at_us: int


class CopyOrderEnded(Event, frozen=True):
    """What was left of a mirrored order is cancelled, with the code that says why.

    `lots` are those cancelled: 0 for one that was full, whose record is now over.
    """

    follower: str
    leader: str
    client_order_id: str
    order: str
    symbol: str
    code: str
    lots: int
    at_us: int


class LeaderToppedUp(Event, frozen=True):
    """A leader paid in while it held positions; `count` copiers from the place `first` are told.

    Equity and open profit are from just before.
    """

    leader: str
    first: int
    count: int
    added_micros: int
    equity_micros: int
    open_profit_micros: int
    at_us: int


class LeaderOrdersFollowed(Event, frozen=True):
    """The copies up to `reached` stand as the leader's order does; -1 = all of them."""

    leader: str
    order: str
    reached: int
    at_us: int


class KillSwitchSet(Event, frozen=True):
    """Copied openings were stopped on the whole platform (`cause`), or go on (empty)."""

    cause: str
    at_us: int


class LeaderSuspended(Event, frozen=True):
    """A leader's signals open nothing any more."""

    trader: str
    cause: str
    at_us: int


class LeaderReinstated(Event, frozen=True):
    """A leader may be copied again."""

    trader: str
    at_us: int


class FillHeld(Event, frozen=True):
    """A venue's fill waits for one that is missing (`OUT_OF_ORDER`)."""

    trader: str
    sequence: int
    symbol: str
    lots: int
    price_ticks: int
    fee_micros: int
    execution: str
    test: bool
    code: str
    at_us: int


class CopyStopped(Event, frozen=True):
    """The relationship ended; `moved_micros` returned to the follower's account.

    Positions in `kept` moved with it.
    """

    follower: str
    leader: str
    on_stop: str
    moved_micros: int
    kept: list[str]
    equity_before_micros: int
    at_us: int


class SeedCommitted(Event, frozen=True):
    """The hash of the seed of the next day is known, the seed is not."""

    number: int
    nonce: bytes
    commitment: bytes
    at_us: int
    veil_commitment: bytes = b""


class SeedOpened(Event, frozen=True):
    """The nodes have the seed of the present day. On record, and shown to nobody yet."""

    number: int
    seed: bytes
    at_us: int
    veil: bytes = b""


class SeedRevealed(Event, frozen=True):
    """The seed of a day that ended, for everybody to check the order in which it was served."""

    day: int
    number: int
    commitment: bytes
    seed: bytes
    salt: bytes
    at_us: int
    veil_commitment: bytes = b""


class SignalDispatched(Event, frozen=True):
    """How the followers of an opening signal fared, see `copying.fairness`.

    `seed_number` is 0 when no seed was open; the sums are over the executed followers.
    `depth_lots`: what the venue fills of a block in `symbol`, the leader's instrument; 0 = all.
    """

    leader: str
    signal_seq: int
    seed_number: int
    asked: int
    executed: int
    place: int
    place_squares: int
    slippage: int
    slippage_squares: int
    products: int
    at_us: int
    depth_lots: int = 0
    symbol: str = ""


class FeeTermsSet(Event, frozen=True):
    """A leader asks this of new followers; existing ones get what is lower in it."""

    trader: str
    terms: FeeTerms
    at_us: int


class CopyFeeCharged(Event, frozen=True):
    """A copy was charged, and paid its leader what its cash allowed."""

    follower: str
    leader: str
    statement: Statement
    leader_equity_before_micros: int
    at_us: int


class CopyValue(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Equity of one copy's ring fence when its day was closed."""

    follower: str
    equity_micros: int


class CopiesValued(Event, frozen=True):
    """A UTC day of some copies of a leader was closed; `leader_unit_ppb` is the leader's unit."""

    leader: str
    day: int
    leader_unit_ppb: int
    values: list[CopyValue]
    at_us: int


class CopyDecided(Event, frozen=True):
    """One decision for one signal leg and one follower: executed or skipped, with its code.

    `code` is `EXECUTED` or the first failing gate; `clamps` say what made it smaller. `lots` is
    the signed executed quantity (0 when skipped), `sized_millilots` the size before rounding in
    thousandths of a lot, `wanted_lots` after rounding and minimum and before caps.
    `leg`: open, close, sync, settle, stop, stop_loss, take_profit, halt, manual, resync; mirror,
    mirror_close and place of limit orders of one's own; delayed of what has waited.
    `slippage_bps`: signed, + = worse than the leader's price. `decided_at_us` is log time;
    `leader_symbol` is what the leader traded; `leg_ended`: the closing left the leader flat.
    `stop_ticks` and `take_ticks`: levels the position gets (0 = as before).
    `leader_held_lots`: unsigned lots the leader held before a closing. `block_lots`: unsigned lots
    asked of a block that the venue filled in part (0 = what was asked was filled).
    """

    follower: str
    leader: str
    signal_seq: int
    leg: str
    symbol: str
    code: str
    clamps: tuple[str, ...]
    version: int
    leader_equity_micros: int
    follower_equity_micros: int
    leader_lots: int
    leader_price_ticks: int
    wanted_lots: int
    lots: int
    price_ticks: int
    fee_micros: int
    slippage_bps: int
    result: PositionResult | None
    carry_ppb: int
    at_us: int
    sized_millilots: int = 0
    bid_ticks: int = 0
    ask_ticks: int = 0
    decided_at_us: int = 0
    leader_symbol: str = ""
    stop_ticks: int = 0
    take_ticks: int = 0
    leg_ended: bool = False
    leader_held_lots: int = 0
    block_lots: int = 0


AnyEvent = (
    Ticked
    | DayClosed
    | DigestTaken
    | InstrumentRegistered
    | MarksPublished
    | InstrumentSettled
    | TraderRegistered
    | TraderUpdated
    | HandleChanged
    | TraderVerified
    | TraderClosed
    | CopiesWoundDown
    | NotificationsRead
    | NotificationLevelsChanged
    | TraderFlagged
    | FlagCleared
    | ConductReviewed
    | IdentityLinked
    | SeasonOpened
    | SeasonEntered
    | SeasonStarted
    | SeasonScored
    | SeasonStood
    | SeasonClosed
    | TraderFollowed
    | TraderUnfollowed
    | IdeaCreated
    | IdeaEdited
    | IdeaPublished
    | IdeaClosed
    | IdeaArmed
    | IdeaEntered
    | IdeaTargetHit
    | IdeaResolved
    | IdeasDeferred
    | IdeaUndone
    | IdeaHidden
    | IdeaUpdated
    | IdeaLiked
    | IdeaUnliked
    | IdeaCommented
    | IdeaShared
    | IdeaViewed
    | IdeaEngaged
    | MessagePosted
    | SentimentMeasured
    | OrderPlaced
    | OrderEdited
    | OrderCancelled
    | ExitLevelsSet
    | CancelAfterSet
    | CancelAfterMet
    | CashMoved
    | AccountLiquidated
    | FillBooked
    | PositionReported
    | EquityReported
    | CopySet
    | CopyStatusChanged
    | CopyStopped
    | SeedCommitted
    | SeedOpened
    | SeedRevealed
    | SignalDispatched
    | FeeTermsSet
    | CopyFeeCharged
    | CopiesValued
    | CopyDecided
    | CopyDelayed
    | CopyLimitReached
    | CopyDriftsMeasured
    | CopyScopeSet
    | CopiesReviewed
    | LevelEditsFollowed
    | CopyOrderPlaced
    | CopyOrderFilled
    | CopyOrderEnded
    | LeaderOrdersFollowed
    | LeaderToppedUp
    | KillSwitchSet
    | LeaderSuspended
    | LeaderReinstated
    | FillHeld
)
"""Every event, for decoding in one pass."""
