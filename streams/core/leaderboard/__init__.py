"""Boards: traders ranked by a metric over a period, streamed by their head, paged as a whole."""

from streams.core.leaderboard.boards import Boards
from streams.core.leaderboard.definitions import BOARD_KEYS, BOARDS, COMPOSITE, PRESETS
from streams.core.leaderboard.ranking import channel_of, close_boards, rank_boards
from streams.core.leaderboard.views import (
    change,
    checksum,
    delta,
    page,
    previous_rank,
    ranks_of,
    snapshot,
)


__all__ = [
    "BOARDS",
    "BOARD_KEYS",
    "COMPOSITE",
    "PRESETS",
    "Boards",
    "change",
    "channel_of",
    "checksum",
    "close_boards",
    "delta",
    "page",
    "previous_rank",
    "rank_boards",
    "ranks_of",
    "snapshot",
]
