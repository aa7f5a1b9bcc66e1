"""The crowd's stances: one voice a trader, symbol and horizon, the latest counts.

Only `evolve_*` functions call this module.

Invariants:
    * A crowd holds stances of -1 and +1 in the order in which they were declared.
    * A symbol has at most `VOICES_PER_SYMBOL_MAX` voices in all its crowds.
    * `State.spoken` names, for each trader, the symbols with a voice of theirs.
    * Voices that repeat each other carry the same cluster: the same text by another author, or a
      stance like that of a followed trader less than a minute after it.
"""

from __future__ import annotations

from hashlib import blake2b

from streams.core.limits import TEXTS_PER_SYMBOL_MAX, VOICES_PER_SYMBOL_MAX
from streams.core.sentiment.horizons import SWING, TEXT, crowds_of
from streams.core.sentiment.odds import PERCENT_MAX
from streams.core.sentiment.tally import is_new
from streams.core.sentiment.volume import TEN_MINUTES_US, TENS_KEPT, burst_z_centi
from streams.core.sentiment_state import Sentiment, Voice
from streams.core.state import State


PERCENT_DECLARED = 90
"""Probability of a stance that is declared without one: a crowd of 60 against 40 then scores 22."""

PERCENT_STANCE_MIN = 51

ECHO_US = 60_000_000
"""A stance within this time after a followed trader's equal one repeats it."""

ECHO_VOICES_MAX = 50
"""Newest voices among which an echo is looked for."""

COPIED_LENGTH_MIN = 20
"""Characters from which an equal text is a copy and no coincidence."""

BURST_Z_CENTI = 600
"""Burst from which the voices of new accounts are suspected."""

BURST_QUIET_US = (TENS_KEPT - 1) * TEN_MINUTES_US
"""Time a symbol must have been spoken of before anything can be a burst."""


def sentiment_of(state: State, symbol: str) -> Sentiment:
    """Return a symbol's sentiment, made when it is first spoken of."""
    sentiment = state.sentiment.get(symbol)
    if sentiment is None:
        sentiment = state.sentiment[symbol] = Sentiment()
    return sentiment


def mark_changed(state: State, symbol: str, sentiment: Sentiment) -> None:
    """Have the symbol computed again on the next second."""
    if not sentiment.changed:
        sentiment.changed = True
        state.sentiment_due[symbol] = None


def record_stance(
    state: State,
    symbol: str,
    trader: str,
    stance: int,
    at_us: int,
    *,
    crowd: int = SWING,
    percent: int = 0,
    source: str = "",
    text: str = "",
) -> None:
    """Take over a trader's stance on a symbol.

    Args:
        state: changed in place.
        symbol: the instrument.
        trader: who speaks; one voice each, an earlier time than the present voice's is ignored.
        stance: -1 bearish, +1 bullish, 0 withdraws the voice.
        at_us: market time of the declaration.
        crowd: horizon, or `TEXT`.
        percent: how probable the trader holds the stance, 51 to 99; 0 = not said.
        source: the idea that says so.
        text: what was said, to know it again.
    """
    sentiment = state.sentiment.get(symbol)
    if sentiment is None and stance == 0:
        return
    sentiment = sentiment_of(state, symbol)
    voices = crowds_of(sentiment)[crowd]
    voice = voices.get(trader)
    if voice is not None:
        if at_us < voice.at_us:
            return
        del voices[trader]
    elif stance == 0:
        return
    if stance != 0:
        _make_room(state, symbol, sentiment)
        certain = min(max(percent, PERCENT_STANCE_MIN), PERCENT_MAX) if percent else 0
        voices[trader] = Voice(
            stance=1 if stance > 0 else -1,
            at_us=at_us,
            percent=certain or PERCENT_DECLARED,
            cluster=_cluster(state, sentiment, voices, trader, stance, at_us, text),
            source=source,
            suspected=_suspected(state, sentiment, trader, at_us),
        )
        state.spoken.setdefault(trader, {})[symbol] = None
    else:
        _forget_if_silent(state, symbol, sentiment, trader)
    mark_changed(state, symbol, sentiment)


def withdraw_source(state: State, symbol: str, trader: str, source: str) -> None:
    """Silence the voice that came from an idea which is over; a newer voice stays."""
    sentiment = state.sentiment.get(symbol)
    if sentiment is None:
        return
    for voices in crowds_of(sentiment)[:TEXT]:
        voice = voices.get(trader)
        if voice is not None and voice.source == source:
            drop_voice(state, symbol, sentiment, voices, trader)
            mark_changed(state, symbol, sentiment)


def drop_voice(
    state: State, symbol: str, sentiment: Sentiment, voices: dict[str, Voice], trader: str
) -> None:
    """Remove a voice and keep the index of spoken symbols right."""
    del voices[trader]
    _forget_if_silent(state, symbol, sentiment, trader)


def _forget_if_silent(state: State, symbol: str, sentiment: Sentiment, trader: str) -> None:
    if any(trader in voices for voices in crowds_of(sentiment)):
        return
    symbols = state.spoken[trader]
    del symbols[symbol]
    if not symbols:
        del state.spoken[trader]


def _make_room(state: State, symbol: str, sentiment: Sentiment) -> None:
    crowds = crowds_of(sentiment)
    if sum(map(len, crowds)) >= VOICES_PER_SYMBOL_MAX:
        fullest = max(crowds, key=len)
        drop_voice(state, symbol, sentiment, fullest, next(iter(fullest)))


def _cluster(
    state: State,
    sentiment: Sentiment,
    voices: dict[str, Voice],
    trader: str,
    stance: int,
    at_us: int,
    text: str,
) -> int:
    copied = _copied(sentiment, voices, trader, text)
    if copied:
        return copied
    account = state.traders.get(trader)
    if account is None or not account.following:
        return 0
    for number, (other, voice) in enumerate(reversed(voices.items())):
        if number >= ECHO_VOICES_MAX or at_us - voice.at_us >= ECHO_US:
            break
        if other in account.following and voice.stance == stance:
            voice.cluster = voice.cluster or _hash(other)
            return voice.cluster
    return 0


def _copied(sentiment: Sentiment, voices: dict[str, Voice], trader: str, text: str) -> int:
    """Return the cluster of a text that somebody else wrote lately, else 0."""
    words = " ".join(text.lower().split())
    if len(words) < COPIED_LENGTH_MIN:
        return 0
    number = _hash(words)
    author = sentiment.texts.get(number)
    if author is None:
        if len(sentiment.texts) >= TEXTS_PER_SYMBOL_MAX:
            del sentiment.texts[next(iter(sentiment.texts))]
        sentiment.texts[number] = trader
        return 0
    if author == trader:
        return 0
    original = voices.get(author)
    if original is not None:
        original.cluster = number
    return number


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=7).digest(), "big")


def _suspected(state: State, sentiment: Sentiment, trader: str, at_us: int) -> bool:
    account = state.traders.get(trader)
    if account is None or not is_new(account.origin, account.joined_at_us, at_us):
        return False
    if at_us - sentiment.first_message_us < BURST_QUIET_US or not sentiment.first_message_us:
        return False
    return burst_z_centi(sentiment, at_us) >= BURST_Z_CENTI
