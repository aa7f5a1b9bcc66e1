"""Publishing of rankings into the state: the streamed head of each board and the previous ranks.

Called by the kernel once a second and when a day closes. A board whose head did not change costs a
comparison; a changed row is marked as pending in the board's channel.
"""

from __future__ import annotations

from itertools import count
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from streams.core import channels
from streams.core.leaderboard.boards import BOARD_KEYS, Boards
from streams.core.limits import BOARD_ROWS_STREAMED_MAX
from streams.core.state import Board, State
from streams.core.valuation import Integers, Valuation


RANKS = np.dtype("<u4")
"""Element of `Board.closed_ranks`."""

Ranks = npt.NDArray[np.uint32]


class Head(NamedTuple):
    """The first ranks of a board: valuation rows, and what is published of them, by rank."""

    rows: Integers
    traders: list[str]
    values: list[int]
    trades: list[int]


def channel_of(key: str) -> str:
    """Return the channel of a board, without interval."""
    return f"leaderboard:{key}"


def rank_boards(state: State, valuation: Valuation, boards: Boards) -> None:
    """Rank all boards at the present marks and publish what changed in their heads.

    Args:
        state: changed in place: `boards` and the pending rows of their channels.
        valuation: of this state.
        boards: of this state and valuation.
    """
    boards.compute(state)
    heads: dict[tuple[str, int], Head] = {}
    for key, (metric, period) in BOARD_KEYS.items():
        board = state.boards.get(key)
        if board is None:
            board = state.boards[key] = Board()
        same = boards.same_board(metric, period)
        head = heads.get(same)
        if head is None:
            head = heads[same] = _head(boards, metric, period)
        _publish(state, key, board, head)
        ranked = len(boards.board(metric, period).rows)
        if ranked != board.ranked:
            board.ranked = ranked
            # The number travels with rows, so one row goes out even if none has changed.
            channels.touch_rows(state, channel_of(key), board.traders[:1])


def close_boards(state: State, valuation: Valuation, boards: Boards, day: int) -> None:
    """Make the ranks at the close of a day the previous ranks.

    Call it after the tracks closed the day and while the market clock still shows that day.

    Args:
        state: changed in place.
        valuation: of this state.
        boards: of this state and valuation.
        day: number of the UTC day that every track has just closed.
    """
    boards.close(state, day)
    rank_boards(state, valuation, boards)
    ranks: dict[tuple[str, int], Integers] = {}
    for key, (metric, period) in BOARD_KEYS.items():
        same = boards.same_board(metric, period)
        by_row = ranks.get(same)
        if by_row is None:
            order = boards.order(metric, period)
            by_row = ranks[same] = np.zeros(len(valuation.traders), np.int64)
            by_row[order] = np.arange(1, len(order) + 1)
        board = state.boards[key]
        board.closed_ranks = by_row.astype(RANKS).tobytes()
        previous = [int(by_row[valuation.rows[trader]]) for trader in board.traders]
        changes = zip(board.traders, board.previous, previous, strict=True)
        changed = [trader for trader, before, after in changes if before != after]
        board.previous = previous
        channels.touch_rows(state, channel_of(key), changed)


def closed_ranks(board: Board, rows: Integers) -> list[int]:
    """Return the ranks at the last closed day of some valuation rows; 0 = unranked or later."""
    ranks: Ranks = np.frombuffer(board.closed_ranks, RANKS)
    known = rows < len(ranks)
    found = np.zeros(len(rows), np.int64)
    found[known] = ranks[rows[known]]
    return found.tolist()


def _head(boards: Boards, metric: str, period: str) -> Head:
    rows, values = boards.head(metric, period, BOARD_ROWS_STREAMED_MAX)
    traders, trades = boards.valuation.traders, boards.board(metric, period).trades[rows]
    names = [traders[row] for row in rows.tolist()]
    return Head(rows, names, values.tolist(), trades.tolist())


def _publish(state: State, key: str, board: Board, head: Head) -> None:
    rows, traders, values, trades = head
    if board.traders == traders:
        changes = zip(traders, board.values, values, board.trades, trades, strict=True)
        changed = [trader for trader, v0, v1, t0, t1 in changes if v0 != v1 or t0 != t1]
    else:
        before = dict(zip(board.traders, zip(count(), board.values, board.trades), strict=True))
        here = dict(zip(traders, zip(count(), values, trades), strict=True))
        changed = [trader for trader, row in here.items() if before.get(trader) != row]
        changed.extend(trader for trader in before if trader not in here)
        # Lists are replaced and never changed: boards of equal periods may share them.
        board.traders = traders
        board.previous = closed_ranks(board, rows)
    board.values, board.trades = values, trades
    channels.touch_rows(state, channel_of(key), changed)
