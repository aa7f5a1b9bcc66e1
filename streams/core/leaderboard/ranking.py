"""Publishing of rankings into the state: the streamed head of each board and the previous ranks.

Called by the kernel once a second and when a day closes. A board whose head did not change costs a
comparison; a changed row is marked as pending in the board's channel.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from streams.core import channels
from streams.core.leaderboard.boards import BOARD_KEYS, Boards
from streams.core.limits import BOARD_ROWS_STREAMED_MAX
from streams.core.state import Board, BoardRow, State
from streams.core.valuation import Integers, Valuation


RANKS = np.dtype("<u4")
"""Element of `Board.previous`."""

Ranks = npt.NDArray[np.uint32]

Head = list[tuple[int, int, int]]
"""(valuation row, value in millionths, trades) by rank."""


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
        _publish(state, key, board, head, valuation.traders)
        ranked = len(boards.board(metric, period).rows)
        if ranked != board.ranked:
            board.ranked = ranked
            # The number travels with rows, so one row goes out even if none has changed.
            if board.rows:
                channels.touch(state, channel_of(key), board.rows[0].trader)


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
        board.previous = by_row.astype(RANKS).tobytes()
        for row in board.rows:
            previous = int(by_row[valuation.rows[row.trader]])
            if previous != row.previous:
                row.previous = previous
                channels.touch(state, channel_of(key), row.trader)


def previous_ranks(board: Board) -> Ranks:
    """Return the ranks at the last closed day by valuation row; later traders are not in it."""
    return np.frombuffer(board.previous, RANKS)


def _head(boards: Boards, metric: str, period: str) -> Head:
    rows, values = boards.head(metric, period, BOARD_ROWS_STREAMED_MAX)
    trades = boards.board(metric, period).trades[rows]
    return list(zip(rows.tolist(), values.tolist(), trades.tolist(), strict=True))


def _publish(state: State, key: str, board: Board, head: Head, traders: list[str]) -> None:
    before = {row.trader: row for row in board.rows}
    previous = previous_ranks(board)
    rows: list[BoardRow] = []
    changed: list[str] = []
    entered = 0
    for rank, (index, value, trades) in enumerate(head, 1):
        trader = traders[index]
        row = before.get(trader)
        if row is None:
            entered += 1
            row = BoardRow(trader, rank, value, trades, _previous(previous, index))
            changed.append(trader)
        elif row.value_micro != value or row.rank != rank or row.trades != trades:
            row.rank, row.value_micro, row.trades = rank, value, trades
            changed.append(trader)
        rows.append(row)
    if len(rows) - entered < len(before):
        here = {row.trader: None for row in rows}
        changed.extend(trader for trader in before if trader not in here)
    board.rows = rows
    channels.touch_rows(state, channel_of(key), changed)


def _previous(previous: Ranks, index: int) -> int:
    return int(previous[index]) if index < len(previous) else 0
