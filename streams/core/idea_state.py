"""The parts of the replicated state that belong to ideas; `State` and `Idea` hold them.

Rules and units as in `state`: only `evolve_*` functions assign, fields are append-only with
defaults.
"""

from __future__ import annotations

import msgspec


class IdeaTick(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The print that decided a step of an idea: what was seen, when, and where in the log.

    `source`: mark, candle (high and low known), expiry, author, settlement, void. `high_ticks` and
    `low_ticks` are 0 but for a candle, which began `candle_us` before `at_us`. `price_ticks` is
    where the step filled. `flags`: AMBIGUOUS_BAR, GAP.
    """

    price_ticks: int
    bid_ticks: int
    ask_ticks: int
    at_us: int
    source: str
    offset: str
    high_ticks: int = 0
    low_ticks: int = 0
    candle_us: int = 0
    flags: tuple[str, ...] = ()


class IdeaResolution(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """How an idea ended, and what that is worth. None = not defined for its terms.

    `hit_ppm` 1,000,000 = the first target came before the stop, 0 = the stop did, between for one
    that ended elsewhere; `odds_ppm` what its geometry promised to a driftless price;
    `score_micronats` the log score of the stated confidence against these odds.
    """

    stage: str
    tick: IdeaTick
    reason: str = ""
    odds_ppm: int | None = None
    hit_ppm: int | None = None
    score_micronats: int | None = None
    brier_ppm: int | None = None
    r_milli: int | None = None
    duration_us: int = 0
    favourable_ppm: int | None = None
    adverse_ppm: int | None = None


class IdeaFrozen(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What publishing fixes beside the terms: the market, the author's record, weight, end.

    `entry_type` is market, limit or stop, empty when no quote could tell yet; `wait_ticks` and
    `wait_rises` say which price ends the stage PUBLISHED. `expires_at_us` 0 = never.
    """

    entry_type: str = ""
    bid_ticks: int = 0
    ask_ticks: int = 0
    quoted_at_us: int = 0
    expires_at_us: int = 0
    weight_bps: int = 0
    record_hash: str = ""
    terms_hash: str = ""
    wait_ticks: int = 0
    wait_rises: bool = False


class IdeaUpdate(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Advice an author appended later, with the quote of that time; it never changes a score."""

    text: str
    bid_ticks: int
    ask_ticks: int
    at_us: int


class Comment(msgspec.Struct, array_like=True, gc=False):
    """One comment of an idea."""

    comment: str
    trader: str
    text: str
    parent: str
    at_us: int


class Idea(msgspec.Struct, array_like=True):
    """A trade idea. Terms (symbol to confidence, targets) never change once published.

    `status` is draft, published or closed; `stage` says more (ideas.terms). `target_ticks` is the
    first of `targets`, which are (price, weight in ten-thousandths). `stop_now_ticks` is the stop
    that holds now: another than the terms' only after a declared move to breakeven. `entry` and
    `odds_ppm` tell where the market gave the entry and p0 from there (0 = none).
    """

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
    status: str
    created_at_us: int
    published_at_us: int = 0
    closed_at_us: int = 0
    close_reason: str = ""
    exit_ticks: int = 0
    text_version: int = 1
    likes: dict[str, None] = {}
    comments: list[Comment] = []
    external_id: str = ""
    stage: str = "DRAFT"
    targets: list[tuple[int, int]] = []
    breakeven_after: int = 0
    frozen: IdeaFrozen = IdeaFrozen()
    entry_type: str = ""
    stop_now_ticks: int = 0
    odds_ppm: int = 0
    entry: IdeaTick | None = None
    targets_hit: list[IdeaTick] = []
    resolution: IdeaResolution | None = None
    updates: list[IdeaUpdate] = []
    hidden: bool = False
    shares: dict[str, None] = {}
    views: dict[str, None] = {}


class ClassRecord(msgspec.Struct, array_like=True, gc=False):
    """Log scores of an author in one asset class, or in all.

    `scored` ideas with a stated confidence and their sum `score_micronats` for ever; the same
    with a half-life (`decayed_*`, as of `decayed_step`), from which reputation is computed.
    `edges`, `edge_ppm` and `variance_ppm`: count, sum of hit - odds, sum of odds (1 - odds).
    """

    scored: int = 0
    score_micronats: int = 0
    decayed_step: int = 0
    decayed_ppm: int = 0
    decayed_micronats: int = 0
    edges: int = 0
    edge_ppm: int = 0
    variance_ppm: int = 0


class AuthorRecord(msgspec.Struct, array_like=True):
    """What became of a trader's published ideas. `stages` counts ends by stage.

    `chain` hashes every end in order, so that its value in an idea's terms fixes the whole past.
    """

    published: int = 0
    stages: dict[str, int] = {}
    hits: int = 0
    brier_ppm: int = 0
    r_count: int = 0
    r_milli: int = 0
    ambiguous: int = 0
    total: ClassRecord = msgspec.field(default_factory=ClassRecord)
    classes: dict[str, ClassRecord] = {}
    chain: str = ""


class IdeaWatch(msgspec.Struct, array_like=True):
    """Prices at which something happens to open ideas of one instrument, the nearest one last.

    Entries are (key, idea): the key of a `*_rises` list is minus the price in ticks, of a
    `*_falls` list the price. `open` are all open published ideas. `peaks` are four runs of
    (time, price) by which the best and worst quote since any time are found (ideas.excursions).
    """

    bid_rises: list[tuple[int, str]] = []
    bid_falls: list[tuple[int, str]] = []
    ask_rises: list[tuple[int, str]] = []
    ask_falls: list[tuple[int, str]] = []
    open: dict[str, None] = {}
    peaks: list[list[tuple[int, int]]] = msgspec.field(default_factory=lambda: [[], [], [], []])


class Trending(msgspec.Struct, array_like=True):
    """What is talked about now: ideas and symbols with their scores in thousandths, best first.

    `candidates` are the ideas that may enter; `computed_at_us` is market time.
    """

    candidates: dict[str, None] = {}
    ideas: dict[str, int] = {}
    symbols: dict[str, int] = {}
    changed: bool = False
    computed_at_us: int = 0
