import zlib

import pytest

from streams.protocol.checksum import book_crc, leaderboard_crc, positions_crc


def test_the_example_of_the_protocol() -> None:
    bids = [["101.5", "3", 1], ["101", "7.25", 2]]
    asks = [["102", "1", 1], ["102.5", "4", 3]]
    assert 1300841892 == book_crc(bids, asks) == zlib.crc32(b"101.5:3|101:7.25|102:1|102.5:4")


def test_a_book_is_summed_over_the_best_25_levels_of_either_side() -> None:
    bids = [[str(price), "1"] for price in range(200, 100, -1)]
    asks = [[str(price), "2"] for price in range(300, 400)]
    assert book_crc(bids[:25], asks[:25]) == book_crc(bids, asks)
    assert book_crc(bids[:24], asks[:25]) != book_crc(bids, asks)


def test_an_empty_book_has_the_sum_of_nothing() -> None:
    assert 0 == book_crc([], []) == positions_crc([]) == leaderboard_crc([])


def test_a_position_book_is_summed_with_both_weights() -> None:
    levels = [["99", "5", "0"], ["100.5", "1", "2"]]
    assert zlib.crc32(b"99:5:0|100.5:1:2") == positions_crc(levels)


def test_a_board_is_summed_over_rank_trader_and_value_of_100_rows() -> None:
    rows = [[f"t_{rank}", rank, "1.5", 7, None] for rank in range(1, 151)]
    expected = "|".join(f"{rank}:t_{rank}:1.5" for rank in range(1, 101))
    assert zlib.crc32(expected.encode()) == leaderboard_crc(rows)


@pytest.mark.parametrize(("value", "sent"), [(1.5, "1.5"), (1e16, "1e16"), (None, "null")])
def test_a_number_is_summed_as_it_is_sent(value: float | None, sent: str) -> None:
    assert zlib.crc32(f"1:t_1:{sent}".encode()) == leaderboard_crc([["t_1", 1, value]])
