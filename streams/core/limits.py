"""Every maximum of the core, with its unit and what happens when it is reached.

A limit is part of the rules: two nodes with different limits would decide differently, so a
change of one is a change of `LOGIC_VERSION`.
"""

LOGIC_VERSION = 1
"""Version of the rules; set in the log, so that all nodes switch at the same entry."""

INTEGER_MAX = 2**62
"""Largest amount, price or quantity: beyond it the edge refuses (`INVALID_ARGUMENT`)."""

LOTS_MAX = 10**16
"""Lots of one position; beyond it `LIMIT_REACHED`."""

CROWD_LOTS_MAX = 10**18
"""Open lots of an instrument, all positions added up; beyond it `LIMIT_REACHED`."""

NOTIONAL_MICROS_MAX = 10**17
"""Value of one fill and cost of one position: 100 thousand million units; else `LIMIT_REACHED`."""

CASH_MICROS_MAX = 10**18
"""Cash of a ledger, either sign: beyond it no further fill is taken; `LIMIT_REACHED`."""

DECIMAL_DIGITS_MAX = 28
"""Digits of a decimal string, so that decimals stay exact; else `INVALID_ARGUMENT`."""

TRADERS_MAX = 1_000_000
"""Registered traders; beyond it `LIMIT_REACHED`."""

INSTRUMENTS_MAX = 20_000
"""Registered instruments; beyond it `LIMIT_REACHED`."""

IDEAS_MAX = 500_000
"""Ideas held in memory; when reached, the oldest closed one leaves (the archive keeps it)."""

OPEN_IDEAS_PER_TRADER_MAX = 500
"""Drafts and published ideas of one trader; beyond it `LIMIT_REACHED`."""

COMMENTS_PER_IDEA_MAX = 1_000
"""Comments of one idea; beyond it `LIMIT_REACHED`."""

LIKES_PER_IDEA_MAX = 100_000
"""Likes of one idea; beyond it `LIMIT_REACHED`."""

HANDLES_PER_TRADER_MAX = 5
"""Handles one trader has had, the present one included; beyond it `LIMIT_REACHED`."""

HANDLE_AGE_US_MIN = 30 * 24 * 3600 * 1_000_000
"""Age a handle must have before it is changed again; else `HANDLE_TOO_SOON`."""

COPIES_WOUND_DOWN_PER_TICK_MAX = 500
"""Copies of a leader who closed or shut its signals that go close-only at once, or in one tick."""
SHARES_PER_IDEA_MAX = 10_000
"""Traders whose share of an idea is remembered; beyond it `LIMIT_REACHED`."""

VIEWS_PER_IDEA_MAX = 10_000
"""Traders whose view of an idea is remembered; further views are not counted."""

UPDATES_PER_IDEA_MAX = 100
"""Updates appended to one idea; beyond it `LIMIT_REACHED`."""

TEXT_VERSIONS_MAX = 1_000
"""Versions of one idea's text; beyond it `LIMIT_REACHED`."""

TARGETS_PER_IDEA_MAX = 5
"""Targets of one idea; beyond it the edge refuses."""

IDEA_HORIZON_DAYS_DEFAULT = 30
"""Life of an idea whose timeframe says nothing."""

IDEA_HORIZON_DAYS_MAX = 365
"""Longest life of an idea; a longer timeframe ends there."""

IDEA_QUOTE_AGE_DAYS_MAX = 4
"""Age of the last quote beyond which an idea that expires is void: its market was not seen."""

IDEA_UNDO_US_MAX = 60_000_000
"""Age at which a publication can no longer be undone: 60 s of market time."""

IDEA_STEPS_PER_ENTRY_MAX = 50
"""Ideas that one mark or tick moves on at once; the others are noted and follow on the ticks."""

IDEA_PEAKS_MAX = 4_096
"""Turning points of an instrument's quote remembered; when reached, every second one leaves."""

ENGAGED_IDEAS_PER_SECOND_MAX = 200
"""Ideas whose counters are streamed in one second; the others follow in the next."""

TRENDING_CANDIDATES_MAX = 2_000
"""Ideas that may trend; when reached, the oldest candidate leaves."""

TRENDING_AGE_DAYS_MAX = 7
"""Age at which an idea can no longer trend."""

TRENDING_ROWS_MAX = 50
"""Ideas and symbols on the trending list."""

ACCOUNTS_PER_IDENTITY_MAX = 100
"""Accounts that belong to one identity; beyond it `LIMIT_REACHED`."""

SEASONS_MAX = 200
"""Seasons ever opened; beyond it `LIMIT_REACHED`."""

SEASON_ENTRIES_MAX = 2_000
"""Entries of one season; beyond it `LIMIT_REACHED`."""

FOLLOWING_MAX = 5_000
"""Traders one trader follows; beyond it `LIMIT_REACHED`."""

COPIERS_PER_LEADER_MAX = 10_000
"""Running copies of one leader; beyond it `LIMIT_REACHED`."""

COPIES_PER_FOLLOWER_MAX = 100
"""Running copies of one follower; beyond it `LIMIT_REACHED`."""

OPEN_POSITIONS_MAX = 2_000
"""Open positions of one ledger; beyond it `LIMIT_REACHED` (recorded and venue fills still book)."""

OPEN_ORDERS_MAX = 500
"""Resting orders of one trader; beyond it `LIMIT_REACHED`."""

ORDERS_PER_INSTRUMENT_MAX = 50_000
"""Resting orders of one instrument; beyond it `LIMIT_REACHED`."""

CLIENT_ORDER_IDS_MAX = 1_000
"""Client order ids of one trader that cannot be used again; when reached, the oldest leaves."""

ENDED_ORDERS_MAX = 50_000
"""Orders that ended and are still shown; when reached, the oldest leaves (the archive keeps it)."""

ORDER_AGE_US_MAX = 90 * 24 * 3600 * 1_000_000
"""Longest time from placing an order to its expiry; beyond it `LIMIT_REACHED`."""

CANCEL_AFTER_MS_MIN = 1_000
"""Shortest time of a dead-man switch: below it, ticks and networks decide and not the sender."""

CANCEL_AFTER_MS_MAX = 3_600_000
"""Longest time of a dead-man switch: an hour, so that a forgotten one means something."""

EXITS_PER_COMMAND_MAX = 200
"""Stops, takes, expiries or liquidating fills of one command; the next second does the rest."""

CASH_MOVE_MICROS_MAX = 10**15
"""One payment into or out of an account: a thousand million units; beyond it `LIMIT_REACHED`."""

MARKS_PER_COMMAND_MAX = 1_000
"""Rows of one `PublishMarks`; beyond it `LIMIT_REACHED`."""

VOICES_PER_SYMBOL_MAX = 3_000
"""Stances remembered for one symbol; when reached, the oldest of the fullest horizon leaves."""

STANCE_AGE_DAYS_MAX = 60
"""Age at which a stance no longer counts and leaves."""

TEXTS_PER_SYMBOL_MAX = 500
"""Texts about one symbol remembered to know copies; when reached, the oldest leaves."""

SENTIMENT_POINTS_MAX = 24 * 30
"""Hourly points of sentiment kept for one symbol; the oldest leaves (the archive keeps it)."""

REPLY_PAIRS_MAX = 50_000
"""Pairs of traders whose answers are counted; when reached, the longest silent one leaves."""

DAYS_MAX = 400
"""Daily closes kept for one trader; when reached, the oldest leaves (the archive keeps it)."""

IDEMPOTENCY_KEYS_MAX = 200_000
"""Idempotency keys remembered; when reached, the oldest leaves."""

IDEMPOTENCY_AGE_US_MAX = 24 * 3600 * 1_000_000
"""Age in log time at which an idempotency key is forgotten."""

BATCH_IDS_MAX = 20_000
"""Recent batch ids remembered, so that a resent batch is applied once."""

BOARD_ROWS_STREAMED_MAX = 100
"""Rows of a leaderboard that are streamed; REST pages the rest."""

TITLE_LENGTH_MIN, TITLE_LENGTH_MAX = 5, 200
THESIS_LENGTH_MIN, THESIS_LENGTH_MAX = 10, 10_000
COMMENT_LENGTH_MAX = 1_000
MESSAGE_LENGTH_MAX = 5_000
HANDLE_LENGTH_MIN, HANDLE_LENGTH_MAX = 3, 30
NAME_LENGTH_MAX = 80
BIO_LENGTH_MAX = 1_000
LINKS_MAX = 5
LINK_LENGTH_MAX = 200
TAGS_MAX = 10
TAG_LENGTH_MAX = 30
SYMBOL_LENGTH_MAX = 64
IDENTIFIER_LENGTH_MAX = 96
KEY_LENGTH_MAX = 128
SYMBOL_LIST_MAX = 500
"""Text lengths in characters and list lengths; beyond them the edge refuses."""

FAIRNESS_DAYS_MAX = 100
"""Days whose fairness report is shown; when reached, the oldest leaves."""

PERFORMANCE_FEE_PPM_MAX = 300_000
"""Largest share of new profit a leader may ask for: 30 %."""

MANAGEMENT_FEE_PPM_MAX = 100_000
"""Largest management fee a leader may ask for: 10 % of the equity a year."""

FLAT_FEE_MICROS_MAX = 1_000 * 1_000_000
"""Largest flat fee of a period: 1,000 units."""

STATEMENTS_MAX = 100
"""Newest fee statements of a copy in memory; older ones are read from PostgreSQL."""

SKIPPED_POSITIONS_MAX = 200
"""Skipped openings of a copy held in thought, by symbol and code; beyond it they are counted."""

COPIES_CLOSED_PER_TICK_MAX = 200
"""Copies whose day one tick closes; the next tick goes on."""

MULTIPLIER_PPM_MAX = 10_000_000
"""Largest multiplier of a copy: 10."""

EXPRESSION_LENGTH_MAX = 256
"""Characters of a sizing formula; beyond it `INVALID_SETTINGS`."""

EXPRESSION_NODES_MAX = 64
"""Terms of a sizing formula; beyond it `INVALID_SETTINGS`."""

EXPRESSION_DEPTH_MAX = 16
"""Levels of nesting of a sizing formula; beyond it `INVALID_SETTINGS`."""

EXPRESSIONS_PARSED_MAX = 1_024
"""Parsed sizing formulas remembered; when reached, the least recently used is parsed again."""

COPY_STEPS_PER_TICK_MAX = 150
"""Copies settled, synced, halted or reviewed in one tick; the rest waits for the next ticks."""

COPY_ORDERS_MAX = 100
"""Orders of one copy that mirror its leader's; beyond it `LIMIT_REACHED`, and fills are copied."""

COPY_ORDERS_MET_MAX = 150
"""Mirrored orders that fill in one command; each second looks again."""

LEADER_ORDERS_NOTED_MAX = 1_000
"""Orders of one leader that copies have yet to follow; what is placed beyond is copied by fills."""

WAITING_OPENINGS_MAX = 20_000
"""Copied openings whose delay is not over, all copies together; beyond it `LIMIT_REACHED`."""

TOP_UPS_TOLD_PER_TICK_MAX = 1_000
"""Copiers that one tick tells of what their leader paid in; the next tick goes on."""

TOP_UP_NOTICE_AGE_US_MIN = 3_600_000_000
"""Time between two notices of what a leader paid in; later payments are in the next notice."""

COPY_DRIFTS_PER_TICK_MAX = 5
"""Copies whose deviation is measured in one tick; the rest waits for its turn."""

HELD_FILLS_MAX = 100
"""Fills of one account that wait for a missing one; beyond it `LIMIT_REACHED`."""

HELD_FILL_AGE_US_MAX = 60_000_000
"""Log time that a fill waits for a missing one; then it is booked without it."""

WINDOWS_MAX = 32
"""Session windows, news windows or loss levels of a copy; beyond it `INVALID_SETTINGS`."""

TINY_RISK_MAX = 5
"""`force_min` enlarges a tiny opening up to this many times; else `FORCE_MIN_TOO_RISKY`."""

LEVERAGE_MAX = 5
"""Largest exposure of an account's own orders, as a multiple of its equity."""

MAINTENANCE_PPM = 50_000
"""Equity an account must keep, as a share of what its open positions cost: 5 %, a quarter of what
opening them asks. Below it the account is liquidated."""
