"""What an idea tells the crowd: its author's stance, for as long as the idea is open.

The side of the trade is a declared stance, so the text of an idea is never asked for one.
"""

from __future__ import annotations

from streams.core import sentiment
from streams.core.idea_state import Idea
from streams.core.ideas.horizon import horizon_us
from streams.core.ideas.terms import stance_of
from streams.core.state import State


def hear_idea(state: State, idea: Idea, at_us: int) -> None:
    """Count a published idea as said of its symbol, and hear its author."""
    spoken_of = sentiment.sentiment_of(state, idea.symbol)
    length_us = horizon_us(idea.timeframe)
    sentiment.count_message(spoken_of, at_us)
    sentiment.record_stance(
        state,
        idea.symbol,
        idea.trader,
        stance_of(idea),
        at_us,
        crowd=sentiment.horizon_of(length_us) if idea.timeframe else sentiment.SWING,
        percent=idea.confidence_bps // 100,
        source=idea.idea,
        text=idea.thesis,
    )
