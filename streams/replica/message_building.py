"""From a request to post a message to its command; its text is read where nothing is declared."""

from __future__ import annotations

from streams.core import commands, limits
from streams.core.sentiment.horizons import HORIZONS
from streams.replica.arguments import invalid
from streams.replica.lexicon import text_score_milli
from streams.replica.requests import PostMessage
from streams.replica.texts import clean


STANCES = {"bullish": 1, "neutral": 0, "bearish": -1}


def build_message(request: PostMessage) -> commands.PostMessage:
    """Return the command; whether its symbols are known is the caller's to check.

    Raises:
        CommandError: `INVALID_ARGUMENT` with `field`.
    """
    text = clean("text", request.text, (1, limits.MESSAGE_LENGTH_MAX), lines=True)
    if request.probability is not None and request.sentiment in (None, "neutral"):
        raise invalid("probability", "expected a bullish or bearish sentiment with a probability")
    return commands.PostMessage(
        text,
        request.symbols,
        STANCES[request.sentiment] if request.sentiment else 0,
        horizon=HORIZONS.index(request.horizon),
        percent=request.probability or 0,
        withdraws=request.sentiment == "neutral",
        text_score_milli=0 if request.sentiment else text_score_milli(text),
    )
