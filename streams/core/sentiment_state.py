"""What is replicated of the crowd's sentiment; part of the state, see `streams.core.state`.

The rules are in `streams.core.sentiment`. Fields are append-only with defaults, as all of the
state's. Units: `*_centi` hundredths, `*_milli` thousandths, `*_ppm` parts per million, `*_us`
microseconds of market time since 1970 UTC.
"""

from __future__ import annotations

import msgspec


class Voice(msgspec.Struct, array_like=True, gc=False):
    """The latest stance of one trader on one symbol and horizon: -1 or +1.

    `percent` is how probable the trader holds that side, 51 to 99. Voices of one `cluster` (not 0)
    repeat each other and share one voice's weight. `source` is the idea that it comes from, else
    empty. A `suspected` voice came from a new account in a burst of messages.
    """

    stance: int
    at_us: int
    percent: int = 90
    cluster: int = 0
    source: str = ""
    suspected: bool = False


class Reading(msgspec.Struct, array_like=True, gc=False):
    """What a crowd was last found to say, in whole numbers; see sentiment.tally.

    Scores are in hundredths of -100...100, `open_*` those with suspected voices counted in.
    """

    score_centi: int = 0
    unweighted_centi: int = 0
    voices: int = 0
    effective_milli: int = 0
    bullish: int = 0
    median_percent: int = 0
    recent_median_percent: int = 0
    concentration_ppm: int = 0
    new_accounts: int = 0
    suspected: int = 0
    open_score_centi: int = 0
    probability_ppm: int = 500_000
    unweighted_ppm: int = 500_000


class Forecast(msgspec.Struct, array_like=True, gc=False):
    """A crowd's probability that the price will have risen when it is due."""

    due_us: int
    probability_ppm: int
    unweighted_ppm: int
    mark_ticks: int


class Calibration(msgspec.Struct, array_like=True):
    """Forecasts that came due: squared errors in millionths, and counts by tenth of probability.

    The lists have ten entries: forecasts, sum of their probabilities in millionths, rises.
    """

    forecasts: int = 0
    squares_ppm: int = 0
    unweighted_squares_ppm: int = 0
    counts: list[int] = msgspec.field(default_factory=lambda: [0] * 10)
    said_ppm: list[int] = msgspec.field(default_factory=lambda: [0] * 10)
    rises: list[int] = msgspec.field(default_factory=lambda: [0] * 10)


class SentimentPoint(msgspec.Struct, array_like=True, gc=False):
    """A symbol's sentiment as it was measured at the first tick of an hour (UTC, from 1970)."""

    hour: int
    score_centi: int
    unweighted_centi: int
    voices: int
    effective_milli: int
    messages: int


class Sentiment(msgspec.Struct, array_like=True):
    """What the crowd says of one symbol.

    `voices` are of the swing horizon, `intraday_voices` and `long_voices` of the other two;
    `text_voices` are read out of texts where no stance was declared and never mix with them.
    `readings` holds what was published last: of all horizons, each of the three, and of texts;
    `score_centi` to `effective_milli` are those of all horizons, at hand for lists.
    `hours` counts messages by hour since 1970, `tens` by ten minutes. `texts` remembers who said
    what lately, by a hash of the text. `points` are one an hour, the oldest first.
    """

    voices: dict[str, Voice] = {}
    changed: bool = False
    computed_at_us: int = 0
    score_centi: int = 0
    unweighted_centi: int = 0
    voices_counted: int = 0
    effective_milli: int = 0
    intraday_voices: dict[str, Voice] = {}
    long_voices: dict[str, Voice] = {}
    text_voices: dict[str, Voice] = {}
    readings: list[Reading] = []
    hours: dict[int, int] = {}
    tens: dict[int, int] = {}
    texts: dict[int, str] = {}
    points: list[SentimentPoint] = []
    forecasts: dict[int, Forecast] = {}
    calibration: list[Calibration] = []
    first_message_us: int = 0
    trend_centi: int = 0
    trend_at_us: int = 0


class ReplyCount(msgspec.Struct, array_like=True, gc=False):
    """How often one trader answered another lately."""

    replies: int
    at_us: int
