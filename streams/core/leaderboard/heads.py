"""The streamed head of a board, and what of it differs from the head that is published.

Invariant: lists of a head are replaced and never changed, so boards of equal periods share them.
"""

from __future__ import annotations

from itertools import count
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from streams.core.state import Board
from streams.core.valuation import Integers


RANKS = np.dtype("<u4")
"""Element of `Board.closed_ranks`."""

Ranks = npt.NDArray[np.uint32]

NEVER_RANKED = 0
RETURNING = 2**32 - 1
"""In place of a rank at the last close: was ranked at a close before, but not at the last one."""


class Head(NamedTuple):
    """The first ranks of a board: valuation rows, and what is published of them, by rank.

    `ranked` counts everybody whom the board ranks.
    """

    rows: Integers
    traders: list[str]
    values: list[int]
    trades: list[int]
    ranked: int


class Publication(NamedTuple):
    """How a head is to be published.

    Attributes:
        head: what will stand there.
        previous: rank of each row at the last close, see `closed_ranks`.
        changed: traders whose row changed, moved, came or left.
    """

    head: Head
    previous: list[int]
    changed: list[str]


def publication(board: Board, head: Head) -> Publication:
    """Compare a head with what a board shows now.

    Args:
        board: read only.
        head: by the newest ranking.
    """
    _, traders, values, trades, ranked = head
    if board.traders == traders:
        changes = zip(traders, board.values, values, board.trades, trades, strict=True)
        changed = [trader for trader, v0, v1, t0, t1 in changes if v0 != v1 or t0 != t1]
        previous = board.previous
    else:
        before = dict(zip(board.traders, zip(count(), board.values, board.trades), strict=True))
        here = dict(zip(traders, zip(count(), values, trades), strict=True))
        changed = [trader for trader, row in here.items() if before.get(trader) != row]
        changed.extend(trader for trader in before if trader not in here)
        previous = closed_ranks(board, head.rows)
    if ranked != board.ranked and not changed:
        # The number travels with rows, so one row goes out even if none has changed.
        changed = traders[:1]
    return Publication(head, previous, changed)


def closed_ranks(board: Board, rows: Integers) -> list[int]:
    """Return the ranks at the last closed day of some valuation rows.

    `NEVER_RANKED` = unranked at every close so far, `RETURNING` = only at the last one.
    """
    ranks: Ranks = np.frombuffer(board.closed_ranks, RANKS)
    known = rows < len(ranks)
    found = np.zeros(len(rows), np.int64)
    found[known] = ranks[rows[known]]
    return found.tolist()
