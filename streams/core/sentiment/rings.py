"""Reply rings: two traders who mostly answer each other, to look like a crowd.

A ring is a pair of whom each answered the other at least `RING_REPLIES` times within a day. Both
are suspected for a day after the last such reply: their voices have no weight meanwhile.
Answers are comments on an idea of the other, and messages that begin with `@handle`.

Source: domain.md, section 6 (pairwise reply rings; suspected voices go to u = 0).
"""

from __future__ import annotations

from streams.core.limits import REPLY_PAIRS_MAX
from streams.core.sentiment.horizons import DAY_US
from streams.core.sentiment.voices import mark_changed
from streams.core.sentiment_state import ReplyCount
from streams.core.state import State


RING_REPLIES = 10
"""Answers each way within a day from which a pair is a ring."""

RING_US = DAY_US


def addressed(state: State, text: str) -> str | None:
    """Return the trader whom a text answers, or None."""
    if not text.startswith("@"):
        return None
    handle = text[1:].split(maxsplit=1)[0:1]
    return state.handles.get(handle[0].rstrip(",:;.!?").lower()) if handle else None


def record_reply(state: State, trader: str, target: str, at_us: int) -> None:
    """Count that a trader answered another. Called by `evolve_*` only."""
    if trader == target:
        return
    key = f"{trader} {target}"
    known = state.replies.pop(key, None)
    if known is None and len(state.replies) >= REPLY_PAIRS_MAX:
        del state.replies[next(iter(state.replies))]
    replies = 1 if known is None or at_us - known.at_us > RING_US else known.replies + 1
    state.replies[key] = ReplyCount(replies, at_us)
    back = state.replies.get(f"{target} {trader}")
    if replies < RING_REPLIES or back is None or back.replies < RING_REPLIES:
        return
    if at_us - back.at_us <= RING_US:
        for member in (trader, target):
            if member not in state.reply_rings:
                _weigh_again(state, member)
            state.reply_rings[member] = at_us


def end_rings(state: State) -> None:
    """Let go of pairs that have not answered each other for a day."""
    oldest_us = state.market_at_us - RING_US
    over = [trader for trader, at_us in state.reply_rings.items() if at_us < oldest_us]
    for trader in over:
        del state.reply_rings[trader]
        _weigh_again(state, trader)


def _weigh_again(state: State, trader: str) -> None:
    for symbol in state.spoken.get(trader, ()):
        mark_changed(state, symbol, state.sentiment[symbol])
