"""What a board looks like from outside: frames of the stream, pages and ranks for reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from zlib import crc32

import numpy as np

from streams.core.leaderboard.boards import BOARD_KEYS, VALUE_MICRO, Boards
from streams.core.leaderboard.ranking import closed_ranks
from streams.core.money import divide_half_even
from streams.core.state import Board, State


def delta(state: State, key: str, pending_traders: Iterable[int | str]) -> dict[str, Any]:
    """Return the change of a board's streamed head.

    Args:
        state: read only.
        key: `{metric}:{period}`.
        pending_traders: whose rows changed since the last cut of this channel.

    Returns:
        `rows` as `[trader, rank, value, trades, previous rank or None]` in order of rank, `left`
        the traders that are no longer in the head, `n` all ranked traders.
    """
    board = state.boards.get(key, _EMPTY)
    pending = dict.fromkeys(pending_traders)
    rows = [row for row in _rows(board) if row[0] in pending]
    for row in rows:
        del pending[row[0]]
    return {"rows": rows, "left": list(pending), "n": board.ranked}


def snapshot(state: State, key: str) -> dict[str, Any]:
    """Return a board's whole streamed head: `rows` as in `delta`, and `n`."""
    board = state.boards.get(key, _EMPTY)
    return {"rows": _rows(board), "n": board.ranked}


def checksum(state: State, key: str) -> int:
    """Return the CRC-32 of a board's streamed head.

    Over `rank:trader:value` joined by `|`, the value as JSON and Python write it alike.
    Source: wire-protocol.md, "Checksums".
    """
    board = state.boards.get(key, _EMPTY)
    parts = (f"{rank}:{trader}:{value!r}" for trader, rank, value, *_ in _rows(board))
    return crc32("|".join(parts).encode())


def page(
    state: State,
    boards: Boards,
    metric: str,
    period: str,
    min_trades: int = 0,
    after: int = 0,
    limit: int = 50,
) -> dict[str, Any]:
    """Return a page of a whole board, as it was ranked last.

    Args:
        state: read only.
        boards: of this state.
        metric: a member of `METRICS`.
        period: a key of `PERIOD_DAYS`.
        min_trades: leave traders with fewer round trips in the period out; ranks stay those of
            the whole board, so that they compare with previous ranks.
        after: the last rank that was read; 0 = from the top.
        limit: largest number of rows.

    Returns:
        `rows` as in `delta`; `next` is the `after` of the following page, None on the last one;
        `n` counts all ranked traders.
    """
    board, order = boards.board(metric, period), boards.order(metric, period)
    trades = board.trades[order]
    ranks = np.flatnonzero(trades[after:] >= min_trades) + after + 1
    more = len(ranks) > limit
    ranks = ranks[:limit]
    rows = order[ranks - 1]
    values = board.values[np.searchsorted(board.rows, rows)]
    published = state.boards.get(f"{metric}:{period}", _EMPTY)
    columns = (ranks.tolist(), values.tolist(), board.trades[rows].tolist())
    names = [boards.valuation.traders[row] for row in rows.tolist()]
    found = [
        [trader, rank, _value(value), count, before or None]
        for trader, rank, value, count, before in zip(
            names, *columns, closed_ranks(published, rows), strict=True
        )
    ]
    return {"rows": found, "next": int(ranks[-1]) if more else None, "n": len(order)}


def ranks_of(state: State, boards: Boards, trader: str) -> dict[str, dict[str, Any]]:
    """Return a trader's place on each board that ranks it, by board key.

    Returns:
        `rank`, `previous_rank` (None when new), `value`, `trades` and `n`.

    Raises:
        KeyError: no such trader.
    """
    index = boards.valuation.rows[trader]
    seniority = boards.seniority
    answer: dict[str, dict[str, Any]] = {}
    for key, (metric, period) in BOARD_KEYS.items():
        board = boards.board(metric, period)
        place = int(np.searchsorted(board.rows, index))
        if place == len(board.rows) or board.rows[place] != index:
            continue
        published = state.boards.get(key, _EMPTY)
        value = int(board.values[place])
        tied = board.rows[board.values == value]
        ahead = np.count_nonzero(board.values > value)
        ahead += np.count_nonzero(seniority[tied] < seniority[index])
        answer[key] = {
            "rank": int(ahead) + 1,
            "previous_rank": closed_ranks(published, np.array([index]))[0] or None,
            "value": _value(value),
            "trades": int(board.trades[index]),
            "n": len(board.rows),
        }
    return answer


_EMPTY = Board()

SMALL_MICRO = VALUE_MICRO // 10_000
"""Values nearer to 0 than this, in millionths, are published in whole multiples of it."""


def _value(micro: int) -> float:
    """Return a value as it is published.

    Below a ten-thousandth languages write numbers in different ways (0.00005, 5e-05), and the
    checksum is over text: so close to 0 a value is published in whole ten-thousandths. Ranks are
    by the exact value.
    """
    if -SMALL_MICRO < micro < SMALL_MICRO:
        micro = divide_half_even(micro, SMALL_MICRO) * SMALL_MICRO
    return micro / VALUE_MICRO


def _rows(board: Board) -> list[list[Any]]:
    columns = (board.traders, board.values, board.trades, board.previous)
    return [
        [trader, rank, _value(value), trades, previous or None]
        for rank, (trader, value, trades, previous) in enumerate(zip(*columns, strict=True), 1)
    ]
