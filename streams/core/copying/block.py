"""A block: the openings of one signal where the paper venue has a depth, filled at one price."""

from __future__ import annotations

from typing import NamedTuple

from streams.core.copying.allocation import largest_remainder
from streams.core.copying.signal import Signal
from streams.core.copying.sizing import Wish
from streams.core.reasons import Reason


class Judged(NamedTuple):
    """An opening after its gates.

    Attributes:
        wish: what the gates left, for this follower alone.
        code: what they answered.
    """

    wish: Wish
    code: Reason


def shared(signal: Signal, block: list[Judged]) -> list[Judged]:
    """Share what the venue fills of a block among those who are in it, for each side apart.

    Args:
        signal: its instrument has the depth; what trades another one is filled in full.
        block: in the order in which followers are served; the wishes get their share.

    Returns:
        The block with the codes after sharing, in the same order.
    """
    depth, after = signal.instrument.depth_lots, list(block)
    for side in (1, -1):
        places = [
            at
            for at, judged in enumerate(block)
            if judged.wish.side == side and judged.wish.instrument is signal.instrument
        ]
        wanted = [block[at].wish.lots for at in places]
        for at, lots in zip(places, largest_remainder(depth, wanted), strict=True):
            wish = block[at].wish
            if lots < wish.lots:
                wish.block_lots, wish.lots = wish.lots, lots
                if lots:
                    wish.clamps = (*wish.clamps, Reason.PARTIAL_FILL.value)
                else:
                    after[at] = Judged(wish, Reason.IOC_UNFILLED)
    return after
