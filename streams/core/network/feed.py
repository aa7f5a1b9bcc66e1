"""Numbers of the `feed` channel: every post of every followed trader, counted without fan-out.

A post (an idea, a trade) is numbered once, in its author's `posts:{trader}`; ten thousand
followers cost nothing. The number of a follower's feed is a function of those counters:

    feed = base + sum of posts(t) over the followed traders t

Following subtracts posts(t) from the base and unfollowing adds them, so the number stands still
when links change and moves by one with each post: a client can resume on any node although no
feed is ever stored. Discarded: a number and a copy for each follower, a thousand writes for one
fill of a leader with a thousand followers.
"""

from __future__ import annotations

from streams.core.state import State


def posts_key(trader: str) -> str:
    """Return the key under which a trader's posts are numbered."""
    return f"posts:{trader}"


def posts_seq(state: State, trader: str) -> int:
    """Return the number of a trader's newest post, 0 before the first."""
    return state.channel_seqs.get(f"posts:{trader}", 0)


def feed_seq(state: State, trader_id: str) -> int:
    """Return the newest number of a trader's feed; looks at every followed trader."""
    trader = state.traders[trader_id]
    seqs = state.channel_seqs
    posts = sum([seqs.get(f"posts:{each}", 0) for each in trader.following])
    return trader.about.feed_base + posts
