"""Adding up a crowd: from voices to a reading, in whole numbers.

weight = 2 ** (-age / half-life) x accuracy x independence; logit P = sum w logit(p) / sum w;
score = 100 (2 P - 1). Suspected voices have no weight in the score and count in `open_score`.

Source: domain.md, section 6.
"""

from __future__ import annotations

from collections.abc import Sequence

from streams.core.money import PPM, divide_half_even
from streams.core.sentiment.accuracy import accuracy_milli
from streams.core.sentiment.horizons import HALF_LIVES_US, TEXT, crowds_of
from streams.core.sentiment.odds import percent_logits, probability_ppm
from streams.core.sentiment.ranks import median, recent_median
from streams.core.sentiment.weights import STEPS_A_HALF_LIFE, step_weights
from streams.core.sentiment_state import Reading, Sentiment, Voice
from streams.core.state import State


NEW_ACCOUNT_US = 7 * 86_400_000_000
"""Age in market time below which an account is new."""


class Sums:
    """What a reading is computed from; sums of several crowds add up.

    Attributes:
        weights: weight by percent, without suspected voices.
        counts: voices by percent, without suspected ones.
        open_weights: weight by percent as if nobody were suspected.
        squares: sum of squared weights.
        most: the largest weight.
        suspected: suspected voices.
        new_accounts: voices of new accounts.
        spoken: (market time, percent) of voices that are not suspected, in order of time.
    """

    __slots__ = (
        "counts",
        "most",
        "new_accounts",
        "open_weights",
        "spoken",
        "squares",
        "suspected",
        "weights",
    )

    def __init__(self) -> None:
        self.weights = [0] * 101
        self.counts = [0] * 101
        self.open_weights = [0] * 101
        self.squares = self.most = self.suspected = self.new_accounts = 0
        self.spoken: list[tuple[int, int]] = []

    @classmethod
    def merged(cls, parts: Sequence[Sums]) -> Sums:
        """Return the sums of several crowds together."""
        whole = cls()
        for part in parts:
            for percent in range(101):
                whole.weights[percent] += part.weights[percent]
                whole.counts[percent] += part.counts[percent]
                whole.open_weights[percent] += part.open_weights[percent]
            whole.squares += part.squares
            whole.most = max(whole.most, part.most)
            whole.suspected += part.suspected
            whole.new_accounts += part.new_accounts
            whole.spoken += part.spoken
        whole.spoken.sort()
        return whole

    def reading(self) -> Reading:
        """Return what the voices say together; an empty reading when none has weight."""
        open_score = _centi(_pooled(self.open_weights))
        counted, total = sum(self.counts), sum(self.weights)
        if total == 0:
            return Reading(
                new_accounts=self.new_accounts,
                suspected=self.suspected,
                open_score_centi=open_score,
            )
        probability, unweighted = _pooled(self.weights), _pooled(self.counts)
        return Reading(
            score_centi=_centi(probability),
            unweighted_centi=_centi(unweighted),
            voices=counted,
            effective_milli=divide_half_even(1_000 * total * total, self.squares),
            bullish=sum(self.counts[51:]),
            median_percent=median(self.counts),
            recent_median_percent=recent_median([percent for _, percent in self.spoken]),
            concentration_ppm=divide_half_even(PPM * self.most, total),
            new_accounts=self.new_accounts,
            suspected=self.suspected,
            open_score_centi=open_score,
            probability_ppm=probability,
            unweighted_ppm=unweighted,
        )


def _pooled(weights: Sequence[int]) -> int:
    """Return the probability in millionths whose log-odds are the weighted mean."""
    total = sum(weights)
    if total == 0:
        return PPM // 2
    pairs = zip(weights, percent_logits(), strict=True)
    return probability_ppm(divide_half_even(sum(w * logit for w, logit in pairs if w), total))


def _centi(probability: int) -> int:
    return divide_half_even(20_000 * probability - 10_000 * PPM, PPM)


def add_up(state: State, symbol: str, crowd: int, voices: dict[str, Voice], since_us: int) -> Sums:
    """Add up the voices of one crowd that spoke since a time.

    The weight of age is `weights.weight_of`, written out: a symbol has many voices.

    Args:
        state: read only; accounts, records of authors and reply rings are looked up.
        symbol: the instrument.
        crowd: number of the crowd, for its half-life.
        voices: by trader.
        since_us: market time.
    """
    sums = Sums()
    table, length, half_life_us = step_weights(), STEPS_A_HALF_LIFE, HALF_LIVES_US[crowd]
    weights, counts, open_weights = sums.weights, sums.counts, sums.open_weights
    now_us, traders, rings = state.market_at_us, state.traders, state.reply_rings
    instrument = state.instruments.get(symbol)
    new_since_us = now_us - NEW_ACCOUNT_US
    accuracy = accuracy_milli(state, "" if instrument is None else instrument.asset_class)
    repeats = _repeats(state.integrity.identity, voices, since_us)
    for trader, voice in voices.items():
        at_us = voice.at_us
        if at_us < since_us:
            continue
        steps = (now_us - at_us) * length // half_life_us if now_us > at_us else 0
        weight = (table[steps % length] >> steps // length) * accuracy(trader)
        if trader in repeats:
            weight //= repeats[trader]
        percent = voice.percent if voice.stance > 0 else 100 - voice.percent
        open_weights[percent] += weight
        account = traders.get(trader)
        if account is not None and account.joined_at_us > new_since_us:
            sums.new_accounts += account.origin != "recorded"
        if voice.suspected or trader in rings:
            sums.suspected += 1
            continue
        weights[percent] += weight
        counts[percent] += 1
        sums.squares += weight * weight
        if weight > sums.most:
            sums.most = weight
        sums.spoken.append((at_us, percent))
    return sums


def is_new(origin: str, joined_at_us: int, now_us: int) -> bool:
    """Whether an account is new; a recorded trader's age is not known, so never."""
    return origin != "recorded" and joined_at_us > now_us - NEW_ACCOUNT_US


def _repeats(identities: dict[str, str], voices: dict[str, Voice], since_us: int) -> dict[str, int]:
    """Return how many voices say what a trader's says, where there is more than its own.

    Voices repeat each other that share a cluster, or whose accounts are of one person: such a
    group counts as one voice, whether or not its voices agree.

    Args:
        identities: whose account it is, by trader.
        voices: of one crowd.
        since_us: market time.
    """
    clusters: dict[int, int] = {}
    persons: dict[str, int] = {}
    both: dict[tuple[int, str], int] = {}
    marked = []
    for trader, voice in voices.items():
        if voice.at_us < since_us:
            continue
        cluster, person = voice.cluster, identities.get(trader, "")
        if not cluster and not person:
            continue
        marked.append((trader, cluster, person))
        if cluster:
            clusters[cluster] = clusters.get(cluster, 0) + 1
        if person:
            persons[person] = persons.get(person, 0) + 1
        if cluster and person:
            both[cluster, person] = both.get((cluster, person), 0) + 1
    repeats = {}
    for trader, cluster, person in marked:
        # Who is in both groups with it is counted once.
        count = clusters.get(cluster, 0) + persons.get(person, 0) - both.get((cluster, person), 0)
        if count > 1:
            repeats[trader] = count
    return repeats


def read_crowds(state: State, symbol: str, sentiment: Sentiment, since_us: int) -> list[Reading]:
    """Return the readings of a symbol: all horizons together, each of them, and texts.

    Args:
        state: read only.
        symbol: the instrument.
        sentiment: of the symbol.
        since_us: market time before which voices do not count.
    """
    parts = [
        add_up(state, symbol, crowd, voices, since_us)
        for crowd, voices in enumerate(crowds_of(sentiment))
    ]
    readings = [part.reading() for part in parts]
    spoken = [crowd for crowd in range(TEXT) if parts[crowd].spoken or parts[crowd].suspected]
    if len(spoken) == 1:
        return [readings[spoken[0]], *readings]
    return [Sums.merged(parts[:TEXT]).reading(), *readings]
