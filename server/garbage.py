"""The garbage collector's settings of a node.

A node allocates much and makes few cycles: events and frames die by reference count. The default
settings look at every young object each 700 allocations and at everything held whenever the young
have grown by a quarter, which costs 40 % of the time of copying and pauses of 100 ms and more
(docs/benchmarks.md). So: what was loaded at the start is never looked at again, the youngest and
their survivors are looked at in portions of at most 5 ms, and everything only once in a very long
while. Most survivors are the state and stay: letting them gather before their own look saves
nothing, it makes one pause of 100 ms out of twenty.
"""

from __future__ import annotations

import gc


YOUNG_OBJECTS = 5_000
"""Allocations between two looks at the youngest objects."""

YOUNG_LOOKS = 1
"""Looks at the youngest before their survivors are looked at: every second look."""

MIDDLE_LOOKS = 20_000
"""Looks at the survivors before everything is looked at."""


def settle_garbage_collection() -> None:
    """Set the collector for a node that has just started."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, YOUNG_LOOKS, MIDDLE_LOOKS)
