"""The whole replicated state as plain structs.

Invariants:
    * Everything here is a function of the log: two nodes at one offset hold equal states.
    * Only the `evolve_*` functions of the core assign to these fields.
    * Dictionaries are in insertion order, and that order comes from the log.
    * The structs encode to msgpack directly; that encoding is the snapshot and feeds the digest.
      Fields are append-only with defaults, so that an older snapshot still decodes.

Units: `*_micros` micro-units of the account currency, `*_ticks` ticks and `*_lots` lots of the
instrument (lots are signed: long > 0, short < 0), `*_us` microseconds since 1970 UTC, `*_ppm`
parts per million, `*_bps` hundredths of a percent.
"""

from __future__ import annotations

import msgspec

from streams.core.idea_state import AuthorRecord, Idea, IdeaTick, IdeaWatch, Trending
from streams.core.integrity_state import Integrity
from streams.core.limits import LOGIC_VERSION
from streams.core.money import MICROS, Step
from streams.core.performance.drawdown import Drawdown
from streams.core.performance.moments import Moments
from streams.core.performance.stability import Line
from streams.core.profile_state import NO_PROFILE, Profile
from streams.core.sentiment_state import Calibration, ReplyCount, Sentiment


INTERVALS = ("@raw", "", "@1s")
"""Name suffixes of the numbered streams of a conflatable channel; "" is `@100ms`."""


class Instrument(msgspec.Struct, array_like=True):
    """What can be traded, its newest quote, and the width of a level in its crowd books.

    `closes` has the mark at the close of each UTC day with a quote, the newest `DAYS_MAX`.
    `depth_lots`: what the paper venue fills of one order or block at a quote; 0 = everything.
    """

    symbol: str
    name: str
    venue: str
    asset_class: str
    tick: Step
    lot: Step
    fee_ppm: int
    bid_ticks: int = 0
    ask_ticks: int = 0
    last_ticks: int = 0
    marked_at_us: int = 0
    level_ticks: int = 0
    settled: bool = False
    value_numerator: int = 1
    value_denominator: int = 1
    closes: dict[int, int] = {}
    depth_lots: int = 0

    @property
    def quoted(self) -> bool:
        """Whether a price is known."""
        return self.bid_ticks > 0

    @property
    def mark_ticks(self) -> int:
        """Price at which positions are valued: the middle of bid and ask, rounded down."""
        return (self.bid_ticks + self.ask_ticks) // 2

    def value_micros(self, price_ticks: int, lots: int) -> int:
        """Value of signed lots at a price, rounded toward zero."""
        product = price_ticks * lots * self.value_numerator
        if product >= 0:
            return product // self.value_denominator
        return -(-product // self.value_denominator)


def value_factors(tick: Step, lot: Step) -> tuple[int, int]:
    """Return (numerator, denominator) so that ticks x lots x n // d is in micro-units."""
    numerator = tick.mantissa * lot.mantissa * MICROS
    denominator = 10 ** (tick.exponent + lot.exponent)
    while denominator % 10 == 0 and numerator % 10 == 0:
        numerator //= 10
        denominator //= 10
    return numerator, denominator


class Position(msgspec.Struct, array_like=True, gc=False):
    """An open trading position of one ledger in one instrument, at average cost.

    `entries` counts the copied openings in it.

    `cost_micros` is signed like `lots`: the average entry price is cost / lots. `trip_micros` is
    what this round trip has realised so far, fees included, for its win or loss at the end;
    `entered_micros` what was paid to enter it, all additions included, and `risk_micros` what the
    stop of its first fill risked (0 = there was none).
    `stop_ticks` and `take_ticks` (0 = none) close it at the quote, see `execution.exit_levels`;
    `holder` is (leader or "", trader) while it has one of them.
    """

    lots: int
    cost_micros: int
    opened_at_us: int
    trip_micros: int = 0
    level_ticks: int = 0
    close_carry_ppb: int = 0
    entries: int = 0
    stop_ticks: int = 0
    take_ticks: int = 0
    holder: tuple[str, str] = ("", "")
    entered_micros: int = 0
    risk_micros: int = 0


class Ledger(msgspec.Struct, array_like=True):
    """Cash and positions that belong together: a trader's own account, or one copy's ring fence."""

    cash_micros: int = 0
    realised_micros: int = 0
    fees_micros: int = 0
    positions: dict[str, Position] = {}


class Trips(msgspec.Struct, array_like=True, gc=False):
    """What is known of the round trips closed on one day beside their number and money.

    `squares` is the sum of squared deviations of the results from their mean. Returns are results
    over what was paid to enter. `risked` trips began with a stop: `risk_ppm` adds up their results
    over what that stop risked, `risk_squares` the squared deviations of those.
    """

    squares: float = 0.0
    best_micros: int = 0
    worst_micros: int = 0
    duration_us: int = 0
    returns_ppb: int = 0
    best_return_ppb: int = 0
    worst_return_ppb: int = 0
    risked: int = 0
    risk_ppm: int = 0
    risk_squares: float = 0.0


class Day(msgspec.Struct, array_like=True, gc=False):
    """One closed UTC day of a trader: unit value at the close and round trips closed in it.

    `unit_ppb` is the value of one unit of the time-weighted curve that starts at 1e9. `won_micros`
    and `lost_micros` add up the results of wins and, without sign, of losses, net of fees. Against
    equity at the close, in parts per million: `traded_ppm` the value of the day's fills,
    `gross_ppm` that of the open positions without signs; `open_loss_ppm` is what the balance
    exceeds equity by, as a share of the balance. `exposed_us` is the time with an open position.
    """

    day: int
    unit_ppb: int
    equity_micros: int
    trades: int = 0
    wins: int = 0
    losses: int = 0
    won_micros: int = 0
    lost_micros: int = 0
    traded_ppm: int = 0
    gross_ppm: int = 0
    open_loss_ppm: int = 0
    exposed_us: int = 0
    trips: Trips | None = None


class Trading(msgspec.Struct, array_like=True, gc=False):
    """Sums and extremes of the fields of several days and of their trips."""

    days: int = 0
    trades: int = 0
    wins: int = 0
    losses: int = 0
    won_micros: int = 0
    lost_micros: int = 0
    trips: Trips = msgspec.field(default_factory=Trips)
    traded_ppm: int = 0
    gross_ppm: int = 0
    gross_ppm_max: int = 0
    open_loss_ppm_max: int = 0
    exposed_us: int = 0


class Earlier(msgspec.Struct, array_like=True):
    """What the days say that a record keeps no longer: the first day and the last close of them.

    The unit of the curve in `drawdown` is in parts of 1 and not rounded.
    """

    first_day: int
    unit_ppb: int
    moments: Moments = Moments()
    drawdown: Drawdown = msgspec.field(default_factory=Drawdown)
    line: Line = msgspec.field(default_factory=Line)
    trading: Trading = msgspec.field(default_factory=Trading)


class Track(msgspec.Struct, array_like=True):
    """The record of a trader's own account from which performance is computed.

    `growth` is the unit value just after the last external flow, `base_micros` the equity then:
    unit now = growth x equity / base. `today` counts round trips closed on the present day.
    `open_since_us` is when the present stretch with an open position began, 0 = none is open.
    """

    growth: float = 1.0
    base_micros: int = 0
    wiped: bool = False
    trades: int = 0
    wins: int = 0
    losses: int = 0
    fills: int = 0
    first_fill_us: int = 0
    today_trades: int = 0
    today_wins: int = 0
    today_losses: int = 0
    days: list[Day] = []
    today_won_micros: int = 0
    today_lost_micros: int = 0
    today_trips: Trips | None = None
    today_traded_micros: int = 0
    today_exposed_us: int = 0
    open_since_us: int = 0
    earlier: Earlier | None = None


class FeeTerms(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a leader asks of a follower, see `copying.fees`.

    `management_ppm` is a share of the equity a year, `flat_micros` an amount a period, `basis` is
    `min` or `total`, `period` is `daily`, `weekly` or `monthly`.
    """

    performance_ppm: int = 0
    management_ppm: int = 0
    flat_micros: int = 0
    basis: str = "min"
    period: str = "weekly"


class Trader(msgspec.Struct, array_like=True):
    """A participant: identity as the core knows it, own ledger, social links, record.

    `reported` holds what the trader says of trades made elsewhere: apart from the ledger, the
    record and the crowd's books, so that it is never ranked with verified trading.
    """

    trader: str
    handle: str
    name: str
    origin: str
    joined_at_us: int
    bio: str = ""
    verified: bool = False
    ledger: Ledger = msgspec.field(default_factory=Ledger)
    track: Track = msgspec.field(default_factory=Track)
    following: dict[str, None] = {}
    followers: dict[str, None] = {}
    copying: dict[str, None] = {}
    orders: dict[str, None] = {}
    open_ideas: int = 0
    signal_seq: int = 0
    signals_access: str = "public"
    reported: Ledger = msgspec.field(default_factory=Ledger)
    client_orders: dict[str, str] = {}
    profile: Profile | None = None
    fee_terms: FeeTerms = FeeTerms()
    copiers: int = 0

    @property
    def about(self) -> Profile:
        """The profile, to read; a trader that said nothing has an empty one."""
        return self.profile or NO_PROFILE


class Order(msgspec.Struct, array_like=True, gc=False):
    """An order of the paper venue: resting, or one of the newest that ended.

    `status` is the present state, see `execution.order_states`; `reason` says why it ended when
    it was not filled. `filled_lots` of `lots` are done for `filled_micros` in all.
    """

    order: str
    trader: str
    symbol: str
    side: str
    lots: int
    limit_ticks: int
    placed_at_us: int
    client_order_id: str = ""
    idea: str = ""
    stop_ticks: int = 0
    take_ticks: int = 0
    expires_at_us: int = 0
    status: str = "new"
    filled_lots: int = 0
    filled_micros: int = 0
    ended_at_us: int = 0
    reason: str = ""


class ExitLevels(msgspec.Struct, array_like=True):
    """Prices at which positions in one instrument end by themselves; each list ascends.

    An entry is (ticks, leader or "", trader): stops of longs and takes of longs watch the bid,
    stops of shorts and takes of shorts the ask.
    """

    long_stops: list[tuple[int, str, str]] = []
    long_takes: list[tuple[int, str, str]] = []
    short_stops: list[tuple[int, str, str]] = []
    short_takes: list[tuple[int, str, str]] = []


class Level(msgspec.Struct, array_like=True, gc=False):
    """One price level of an idea book: how many ideas, and their weight in ten-thousandths."""

    weight_bps: int = 0
    ideas: int = 0


class IdeaBook(msgspec.Struct, array_like=True):
    """The crowd's ideas in one instrument by price; keys are level prices in ticks."""

    buys: dict[int, Level] = {}
    sells: dict[int, Level] = {}


class PositionBook(msgspec.Struct, array_like=True):
    """The crowd's open positions in one instrument by average entry price (level in ticks).

    `lots` is the sum of all levels, long and short.
    """

    longs: dict[int, int] = {}
    shorts: dict[int, int] = {}
    lots: int = 0


class Conflated(msgspec.Struct, array_like=True):
    """Numbering and pending rows of one conflatable channel, one entry per interval."""

    seqs: list[int] = msgspec.field(default_factory=lambda: [0, 0, 0])
    pending: list[dict[int | str, None]] = msgspec.field(default_factory=lambda: [{}, {}, {}])


class CopySettings(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """How one follower copies one leader. Versions are events; a patch replaces single fields.

    `*_nanos` are billionths of a unit of the instrument. A maximum of 0 is none, but for
    `stale_*`, `slippage_*` and `open_worse_*`. `symbol_multipliers` are in ppm. A session window is
    (bit set of weekdays with Monday = 1, first minute of the UTC day, minute after the last), a
    news window (symbol or "*", from, until) in market time.
    """

    allocation_micros: int
    mode: str = "equity_ratio"
    multiplier_ppm: int = 1_000_000
    copy_ratio_ppm: int = 1_000_000
    symbols_allow: tuple[str, ...] = ()
    symbols_deny: tuple[str, ...] = ()
    notional_min_micros: int = 0
    notional_max_micros: int = 0
    position_max_bps: int = 2_500
    exposure_max_bps: int = 50_000
    leverage_max_ppm: int = 5_000_000
    positions_max: int = 20
    slippage_max_bps: int = 50
    stale_ms_max: int = 2_000
    reverse: bool = False
    symbol_multipliers: dict[str, int] = {}
    fixed_quantity_nanos: int = 0
    fixed_notional_micros: int = 0
    risk_bps: int = 100
    var_target_bps: int = 650
    expression: str = ""
    quantity_min_nanos: int = 0
    tiny: str = "skip"
    symbol_map: dict[str, str] = {}
    symbols_short_deny: tuple[str, ...] = ()
    asset_classes_allow: tuple[str, ...] = ()
    sides: str = "both"
    session_windows: tuple[tuple[int, int, int], ...] = ()
    news_windows: tuple[tuple[str, int, int], ...] = ()
    symbol_entries_max: int = 0
    quote_age_ms_max: int = 60_000
    stale_pending_ms_max: int = 60_000
    copy_stop_loss: bool = True
    copy_take_profit: bool = True
    stop_loss_bps: int = 0
    take_profit_bps: int = 0
    copy_open_positions: str = "no"
    open_worse_bps_max: int = 0
    follow_limit_orders: str = "on_fill"
    copy_stop_bps: int = 4_000
    trailing_stop_bps: int = 0
    daily_loss_bps: int = 0
    daily_drawdown_bps: int = 0
    daily_target_bps: int = 0
    trades_day_max: int = 0
    failures_max: int = 20
    cooldown_ms: int = 86_400_000
    on_stop: str = "close_now"
    drift_band_bps: int = 2_000
    notify_loss_bps: tuple[int, ...] = ()
    exit_levels: str = "absolute"
    delay_ms: int = 0

    @property
    def own_levels(self) -> bool:
        """Whether copied positions get stops or takes of their own."""
        return self.stop_loss_bps > 0 or self.take_profit_bps > 0


class Statement(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One charge of a copy with everything it was computed from, see `copying.fees`."""

    number: int
    cause: str
    day: int
    at_us: int
    terms: FeeTerms
    equity_micros: int
    cash_micros: int
    realised_micros: int
    open_profit_micros: int
    withdrawn_micros: int
    management_micros: int
    flat_micros: int
    result_micros: int
    high_water_before_micros: int
    high_water_micros: int
    performance_micros: int
    offset_micros: int
    paid_micros: int
    owed_micros: int


class FeeAccount(msgspec.Struct, array_like=True):
    """What a copy was charged and has paid since it first began.

    `offset_micros` is what withdrawals have scaled away from the result; `charged_day` is the
    first UTC day that was not charged for; `statements` are the newest of `charges`.
    """

    high_water_micros: int = 0
    offset_micros: int = 0
    management_micros: int = 0
    flat_micros: int = 0
    performance_micros: int = 0
    paid_micros: int = 0
    charged_day: int = 0
    charges: int = 0
    statements: list[Statement] = []


class SkippedPosition(msgspec.Struct, array_like=True, gc=False):
    """Skipped openings of one instrument and code, held in thought at their decision prices."""

    lots: int = 0
    cost_micros: int = 0


class CopyStatistics(msgspec.Struct, array_like=True):
    """What a copy is measured by since it was (re)started, see `copying.statistics`.

    `growth_ppb` and `base_micros` are the unit curve of the ring fence: unit = growth x equity /
    base. `capital_micros` is what was moved in less what was moved out, `lifetime_micros` all
    that ever was moved in. `begun_*` and `leader_*` are values at the start, `ended_*` at the
    stop; `day_*` at the last closed day. The slippage sketches count basis points, `delays_ms`
    milliseconds. `low_micros` is the lowest equity seen, less the capital. `earlier_ppb` is what
    one unit had become when the copy was restarted: stopping and starting again forgets no loss.
    """

    growth_ppb: int = 1_000_000_000
    base_micros: int = 0
    capital_micros: int = 0
    lifetime_micros: int = 0
    begun_realised_micros: int = 0
    begun_trading_micros: int = 0
    begun_fees_micros: int = 0
    leader_unit_ppb: int = 0
    leader_fees_micros: int = 0
    leader_equity_micros: int = 0
    ended_leader_ppb: int = 0
    ended_leader_fees_micros: int = 0
    day_unit_ppb: int = 0
    day_leader_ppb: int = 0
    days: int = 0
    difference_ppm: int = 0
    difference_squares: int = 0
    low_micros: int = 0
    wanted_micros: int = 0
    filled_micros: int = 0
    slippage_micros: int = 0
    entry_slippage: dict[int, int] = {}
    exit_slippage: dict[int, int] = {}
    delays_ms: dict[int, int] = {}
    skipped: dict[str, dict[str, SkippedPosition]] = {}
    skipped_micros: dict[str, int] = {}
    unvalued: int = 0
    earlier_ppb: int = 1_000_000_000


class WaitingOpening(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A leader's opening that a follower lets wait until `due_us`, see `copying.delays`.

    `lots` and `price_ticks` are of the leader's fill, `leader_lots` and `leader_lots_before` the
    leader's signed lots after and before it, `order_lots` what its whole order had opened (0 = it
    never rested), the amounts the leader's standing just before.
    """

    signal_seq: int
    due_us: int
    symbol: str
    lots: int
    price_ticks: int
    leader_lots: int
    leader_lots_before: int
    order_lots: int
    equity_micros: int
    balance_micros: int
    free_margin_micros: int

    @property
    def opened_lots(self) -> int:
        """Signed lots that opened; the others closed what the leader held."""
        side = 1 if self.lots > 0 else -1
        return self.lots + min(self.leader_lots_before * side, 0) * side


class CopyOrder(msgspec.Struct, array_like=True, gc=False):
    """A follower's own limit order that mirrors an order of its leader, see `copying.copy_orders`.

    `order` is the leader's. `leg` is `mirror` for what opens and `mirror_close` for what closes.
    When the present terms were set, `base_lots` of it were filled, and what rested stood for
    `leader_lots` of the leader's order, which had `leader_order_lots`, `leader_filled_lots` filled.
    """

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
    placed_at_us: int
    base_lots: int = 0
    filled_lots: int = 0

    @property
    def left_lots(self) -> int:
        """Unsigned lots that still rest."""
        return self.lots - self.filled_lots


class CopyOrderBook(msgspec.Struct, array_like=True):
    """Resting copy orders of one instrument; the first entry of a list is the first to fill.

    An entry is (limit in ticks, negative for buys; client order id, leader, follower, the leader's
    order): at one price the hash in the id decides, which favours nobody for long.
    """

    buys: list[tuple[int, str, str, str, str]] = []
    sells: list[tuple[int, str, str, str, str]] = []


class Copy(msgspec.Struct, array_like=True):
    """A follower's relationship to a leader, with its ring-fenced ledger.

    `mapped` names the own instrument of each leader's symbol whose position is held in another,
    `detached` the leader's symbols that the follower closed by hand, `sync_left` those still to be
    opened at the start, `own_fields` the settings that the relationship itself has set.
    `stop_base_micros` is the equity that the copy stop is measured from, `failures` counts openings
    in a row that failed for want of money, `blocked_code` a daily limit reached on `blocked_day`.
    `orders` are those that mirror the leader's, by the leader's order, `waiting` the openings whose
    delay is not over, by the number of the signal.
    """

    follower: str
    leader: str
    status: str
    settings: CopySettings
    version: int
    started_at_us: int
    ledger: Ledger = msgspec.field(default_factory=Ledger)
    executed: int = 0
    skipped: int = 0
    codes: dict[str, int] = {}
    mapped: dict[str, str] = {}
    row: int = 0
    stop_base_micros: int = 0
    failures: int = 0
    trades_day: int = 0
    trades_today: int = 0
    blocked_day: int = 0
    blocked_code: str = ""
    detached: dict[str, None] = {}
    sync_left: dict[str, None] = {}
    stopping: str = ""
    cooldown_until_us: int = 0
    own_fields: dict[str, None] = {}
    drift_bps: int = 0
    told_loss_bps: int = 0
    fee_terms: FeeTerms = FeeTerms()
    fees: FeeAccount = msgspec.field(default_factory=FeeAccount)
    statistics: CopyStatistics = msgspec.field(default_factory=CopyStatistics)
    orders: dict[str, CopyOrder] = {}
    waiting: dict[int, WaitingOpening] = {}


class CopyScope(msgspec.Struct, array_like=True):
    """Settings for many copies: of the platform, of a leader, or of a follower's portfolio.

    `fields` names those that are set; `settings` holds their values.
    """

    version: int
    settings: CopySettings
    fields: dict[str, None] = {}


class CopyFigures(msgspec.Struct, array_like=True):
    """Running figures of every copy, one little-endian int64 in micro-units for each row.

    Highest equity since the copy began, highest of the day, and equity at the start of the day.
    """

    peaks: bytearray = msgspec.field(default_factory=bytearray)
    day_peaks: bytearray = msgspec.field(default_factory=bytearray)
    day_starts: bytearray = msgspec.field(default_factory=bytearray)
    day: int = 0


class HeldFill(msgspec.Struct, array_like=True, gc=False):
    """A fill that a venue reported ahead of one that is missing."""

    symbol: str
    lots: int
    price_ticks: int
    fee_micros: int
    execution: str
    test: bool
    at_us: int
    held_at_us: int


class TopUp(msgspec.Struct, array_like=True):
    """What a leader paid in while it held positions, and how far its copiers were told.

    `equity_micros` and `open_profit_micros` are from just before. `more_micros` came within the
    time in which no further notice is given. `reached` is a place among the copies, -1 = all told.
    """

    added_micros: int
    equity_micros: int
    open_profit_micros: int
    at_us: int
    more_micros: int = 0
    reached: int = 0


class CopyDesk(msgspec.Struct, array_like=True):
    """What copying keeps beside the relationships.

    `rows` lists (leader, follower) in the order in which copies first began: the row of a copy.
    `breaches` are rows whose equity passed a limit at the last second, `work` rows with steps left
    (syncing, halting, stopping), `cooldowns` row to end, `reviews` leaders whose copies must be
    looked through, with the place reached, `level_edits` leaders and symbols whose levels the
    copies must follow. `sequences` and `held` are of venues that number fills. `mirroring` lists
    by leader the followers who ever mirrored its limit orders, `order_edits` by leader the orders
    they must follow with the place reached, `followed` by leader the orders that were followed and
    rest, `order_books` by symbol what rests of the copies' own. `top_ups` are what leaders paid in
    while they held positions, `untold` those of which copiers are still to be told.
    `delays` are the openings that wait: (time due, row, signal), in rising order.
    """

    rows: list[tuple[str, str]] = []
    figures: CopyFigures = msgspec.field(default_factory=CopyFigures)
    scopes: dict[str, CopyScope] = {}
    kill_switch: str = ""
    suspended: dict[str, str] = {}
    breaches: dict[int, None] = {}
    work: dict[int, None] = {}
    cooldowns: dict[int, int] = {}
    reviews: dict[str, int] = {}
    sequences: dict[str, int] = {}
    held: dict[str, dict[int, HeldFill]] = {}
    level_edits: dict[str, dict[str, int]] = {}
    mirroring: dict[str, dict[str, None]] = {}
    order_edits: dict[str, dict[str, int]] = {}
    followed: dict[str, dict[str, None]] = {}
    order_books: dict[str, CopyOrderBook] = {}
    top_ups: dict[str, TopUp] = {}
    untold: dict[str, None] = {}
    delays: list[tuple[int, int, int]] = []


class Seed(msgspec.Struct, array_like=True):
    """A seed of a day, see `copying.seeds`: empty `seed` and `key` while it is not open."""

    number: int
    nonce: bytes
    commitment: bytes
    seed: bytes = b""
    salt: bytes = b""
    key: bytes = b""
    veil_commitment: bytes = b""
    veil: bytes = b""


class FairnessDay(msgspec.Struct, array_like=True):
    """Sums of a day's report, see `copying.fairness`; `unsealed` signals had no seed."""

    day: int = 0
    signals: int = 0
    signals_executed: int = 0
    leader_better: int = 0
    unsealed: int = 0
    asked: int = 0
    executed: int = 0
    place: int = 0
    place_squares: int = 0
    slippage: int = 0
    slippage_squares: int = 0
    products: int = 0
    seed: Seed | None = None


class Board(msgspec.Struct, array_like=True):
    """The streamed head of a ranking, and everybody's ranks at the last closed UTC day.

    The lists are parallel and in order of rank: trader, value in millionths, round trips, rank at
    the last close or 0. `ranked` counts all ranked traders. `closed_ranks` has one little-endian
    uint32 for each trader in the order of `State.traders`; 0 = unranked. `scores` has the values
    of a board that is computed at closes only, as little-endian int64; -1 = none.
    """

    traders: list[str] = []
    values: list[int] = []
    trades: list[int] = []
    previous: list[int] = []
    ranked: int = 0
    closed_ranks: bytes = b""
    scores: bytes = b""


class Season(msgspec.Struct, array_like=True):
    """A contest, see `leaderboard.seasons`. Days are UTC days; `end_day` is not in it.

    `scores` follow the order of `entries` and are of the days up to `scored_day`; `rows` are
    (trader, score) by rank: while the season runs those of the days up to `stood_day`, at last the
    final board.
    """

    season: str
    name: str
    start_day: int
    end_day: int
    status: str
    entries: dict[str, None] = {}
    scores: list[int | None] = []
    rows: list[tuple[str, int | None]] = []
    digest: str = ""
    closed_at_us: int = 0
    scored_day: int = 0
    stood_day: int = 0


class KeyOutcome(msgspec.Struct, array_like=True, gc=False):
    """First answer to an idempotency key."""

    at_us: int
    code: str
    ms: int
    seq: int
    index: int
    result: str


class Totals(msgspec.Struct, array_like=True):
    """Counters of the network, kept so that reading them costs nothing."""

    traders_with_trades: int = 0
    ideas: int = 0
    messages: int = 0
    trades: int = 0
    notional_micros: int = 0
    fees_micros: int = 0
    open_positions: int = 0
    copies_active: int = 0
    copies_executed: int = 0
    copies_skipped: int = 0


class State(msgspec.Struct):
    """Everything a node holds. See the module docstring."""

    logic_version: int = LOGIC_VERSION
    entry_ms: int = 0
    entry_seq: int = 0
    index: int = 0
    tick_number: int = 0
    market_at_us: int = 0
    recorded_market: bool = False
    chain: bytes = b"\0" * 16
    totals: Totals = msgspec.field(default_factory=Totals)
    traders: dict[str, Trader] = {}
    handles: dict[str, str] = {}
    instruments: dict[str, Instrument] = {}
    orders: dict[str, Order] = {}
    resting: dict[str, dict[str, None]] = {}
    exit_levels: dict[str, ExitLevels] = {}
    expiring: list[tuple[int, str]] = []
    cancel_after: dict[str, int] = {}
    cancel_after_due: list[tuple[int, str]] = []
    ended_orders: dict[str, Order] = {}
    ideas: dict[str, Idea] = {}
    idea_books: dict[str, IdeaBook] = {}
    position_books: dict[str, PositionBook] = {}
    copies: dict[str, dict[str, Copy]] = {}
    seeds: int = 0
    seed_next: Seed | None = None
    seed_now: Seed | None = None
    reveal_day: int = 0
    fairness: FairnessDay = msgspec.field(default_factory=FairnessDay)
    fairness_days: dict[int, FairnessDay] = {}
    copies_due: dict[str, dict[str, None]] = {}
    closed_day: int = 0
    sentiment: dict[str, Sentiment] = {}
    boards: dict[str, Board] = {}
    seasons: dict[str, Season] = {}
    seasons_running: dict[str, None] = {}
    integrity: Integrity = msgspec.field(default_factory=Integrity)
    conflated: dict[str, Conflated] = {}
    pending_channels: list[dict[str, None]] = msgspec.field(default_factory=lambda: [{}, {}, {}])
    channel_seqs: dict[str, int] = {}
    keys: dict[str, KeyOutcome] = {}
    batch_ids: dict[str, None] = {}
    closed_ideas: dict[str, None] = {}
    chain_entry: str = ""
    closed_traders: dict[str, None] = {}
    winding_down: dict[str, str] = {}
    author_records: dict[str, AuthorRecord] = {}
    idea_watches: dict[str, IdeaWatch] = {}
    idea_expiries: list[tuple[int, str]] = []
    idea_touches: dict[str, IdeaTick] = {}
    idea_engaged: dict[str, None] = {}
    trending: Trending = msgspec.field(default_factory=Trending)
    copy_desk: CopyDesk = msgspec.field(default_factory=CopyDesk)
    sentiment_due: dict[str, None] = {}
    sentiment_ageing: dict[str, None] = {}
    sentiment_minute: int = 0
    sentiment_hour: int = 0
    sentiment_unmeasured: dict[str, None] = {}
    spoken: dict[str, dict[str, None]] = {}
    replies: dict[str, ReplyCount] = {}
    reply_rings: dict[str, int] = {}
    calibration: list[Calibration] = msgspec.field(
        default_factory=lambda: [Calibration(), Calibration(), Calibration()]
    )
