"""What a board looks like from outside: frames of the stream, pages and ranks for reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from zlib import crc32

import numpy as np

from streams.core.leaderboard.boards import Boards
from streams.core.leaderboard.definitions import BOARD_KEYS
from streams.core.leaderboard.heads import NEVER_RANKED, RETURNING, closed_ranks
from streams.core.leaderboard.keys import UNRANKED, VALUE_MICRO
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
    name: str,
    period: str,
    min_trades: int = 0,
    after: int = 0,
    limit: int = 50,
) -> dict[str, Any]:
    """Return a page of a whole board, as it was ranked last.

    Args:
        state: read only.
        boards: of this state.
        name: a key of `BOARDS`.
        period: a key of `PERIOD_DAYS`.
        min_trades: leave traders with fewer round trips in the period out; ranks stay those of
            the whole board, so that they compare with previous ranks.
        after: the last rank that was read; 0 = from the top.
        limit: largest number of rows.

    Returns:
        `rows` as `[trader, rank, value, trades, rank at the last close]`, that rank as in
        `closed_ranks`; `next` is the `after` of the following page, None on the last one; `n`
        counts all ranked traders.
    """
    order, values = boards.order(name, period)
    trades = boards.trades(period)[order]
    ranks = np.flatnonzero(trades[after:] >= min_trades) + after + 1
    more = len(ranks) > limit
    ranks = ranks[:limit]
    places = ranks - 1
    rows = order[places]
    published = state.boards.get(f"{name}:{period}", _EMPTY)
    columns = (ranks.tolist(), values[places].tolist(), trades[places].tolist())
    names = [boards.valuation.traders[row] for row in rows.tolist()]
    found = [
        [trader, rank, _value(value), count, before]
        for trader, rank, value, count, before in zip(
            names, *columns, closed_ranks(published, rows), strict=True
        )
    ]
    return {"rows": found, "next": int(ranks[-1]) if more else None, "n": len(order)}


def ranks_of(state: State, boards: Boards, trader: str) -> dict[str, dict[str, Any]]:
    """Return a trader's place on each board that ranks it, by board key.

    Returns:
        `rank`, `before` (the rank at the last close, as in `closed_ranks`), `value`, `trades` and
        `n`.

    Raises:
        KeyError: no such trader.
    """
    index = boards.valuation.rows[trader]
    answer: dict[str, dict[str, Any]] = {}
    for key, (name, period) in BOARD_KEYS.items():
        keys = boards.keys(name, period)
        if index >= len(keys) or keys[index] == UNRANKED:
            continue
        published = state.boards.get(key, _EMPTY)
        answer[key] = {
            "rank": int(np.count_nonzero(keys > keys[index])) + 1,
            "before": closed_ranks(published, np.array([index]))[0],
            "value": _value(boards.value_of(name, keys[index])),
            "trades": int(boards.trades(period)[index]),
            "n": int(np.count_nonzero(keys != UNRANKED)),
        }
    return answer


def change(rank: int, before: int) -> int | str:
    """Return how many ranks a trader has risen since the last close, or why that is not known.

    Args:
        rank: now.
        before: at the last close, see `closed_ranks`.

    Returns:
        Places risen (fallen < 0); `NEW` for who was on the board at no close, `RE` for who was
        on it at one, but not at the last.
    """
    if before == NEVER_RANKED:
        return "NEW"
    return "RE" if before == RETURNING else before - rank


def previous_rank(before: int) -> int | None:
    """Return the rank at the last close, None for who had none."""
    return None if before in NO_RANKS else before


NO_RANKS = (NEVER_RANKED, RETURNING)

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
        [
            trader,
            rank,
            micro / VALUE_MICRO if micro >= SMALL_MICRO else _value(micro),
            trades,
            previous if previous not in NO_RANKS else None,
        ]
        for rank, (trader, micro, trades, previous) in enumerate(zip(*columns, strict=True), 1)
    ]
