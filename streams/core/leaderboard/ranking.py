"""Publishing of rankings into the state: the streamed head of each board and the previous ranks.

Called by the kernel on ticks and when a day closes. A board whose head did not change costs a
comparison; a changed row is marked as pending in the board's channel.
"""

from __future__ import annotations

import numpy as np

from streams.core import channels
from streams.core.leaderboard.boards import Boards
from streams.core.leaderboard.definitions import BOARD_KEYS
from streams.core.leaderboard.heads import NEVER_RANKED, RANKS, RETURNING, Ranks
from streams.core.state import Board, State


def channel_of(key: str) -> str:
    """Return the channel of a board, without interval."""
    return f"leaderboard:{key}"


def rank_boards(state: State, boards: Boards) -> None:
    """Rank all boards at the present marks and publish what changed in their heads.

    Args:
        state: changed in place: `boards` and the pending rows of their channels.
        boards: of this state.
    """
    for key, (head, previous, changed) in boards.rank(state).items():
        board = state.boards.get(key)
        if board is None:
            board = state.boards[key] = Board()
        board.traders, board.previous = head.traders, previous
        board.values, board.trades, board.ranked = head.values, head.trades, head.ranked
        channels.touch_rows(state, channel_of(key), changed)


def close_boards(state: State, boards: Boards, day: int) -> None:
    """Make the ranks at the close of a day the previous ranks.

    Call it after the tracks closed the day and while the market clock still shows that day.

    Args:
        state: changed in place.
        boards: of this state.
        day: number of the UTC day that every track has just closed.
    """
    boards.close(state, day)
    rank_boards(state, boards)
    valuation = boards.valuation
    ranks: dict[tuple[str, int], Ranks] = {}
    for key, (name, period) in BOARD_KEYS.items():
        same = boards.same_board(name, period)
        ranked = ranks.get(same)
        if ranked is None:
            rows, _ = boards.order(name, period)
            ranked = ranks[same] = np.zeros(len(valuation.traders), RANKS)
            ranked[rows] = np.arange(1, len(rows) + 1)
        board = state.boards.setdefault(key, Board())
        by_row = ranked.copy()
        before: Ranks = np.frombuffer(board.closed_ranks, RANKS)
        left = (by_row[: len(before)] == NEVER_RANKED) & (before != NEVER_RANKED)
        by_row[: len(before)][left] = RETURNING
        board.closed_ranks = by_row.tobytes()
        previous = [int(by_row[valuation.rows[trader]]) for trader in board.traders]
        changes = zip(board.traders, board.previous, previous, strict=True)
        changed = [trader for trader, was, now in changes if was != now]
        board.previous = previous
        channels.touch_rows(state, channel_of(key), changed)
