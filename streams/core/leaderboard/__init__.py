"""Boards: traders ranked by a metric over a period, streamed by their head, paged as a whole."""

from streams.core.leaderboard.boards import BOARD_KEYS, METRICS, Boards
from streams.core.leaderboard.ranking import channel_of, close_boards, rank_boards
from streams.core.leaderboard.views import checksum, delta, page, ranks_of, snapshot


__all__ = [
    "BOARD_KEYS",
    "METRICS",
    "Boards",
    "channel_of",
    "checksum",
    "close_boards",
    "delta",
    "page",
    "rank_boards",
    "ranks_of",
    "snapshot",
]
