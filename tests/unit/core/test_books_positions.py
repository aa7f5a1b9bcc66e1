import zlib

import pytest

from streams.core.books import position_book
from streams.core.books.frames import position_crc, position_delta, position_snapshot
from streams.core.state import State
from tests.unit.core.support import desk


@pytest.fixture
def state() -> State:
    return desk().state


def test_lots_stand_on_their_side_and_leave_without_a_trace(state: State) -> None:
    position_book.add(state, "BTC", 2_000, 120_000)
    position_book.add(state, "BTC", -500, 120_000)
    position_book.add(state, "BTC", 1, 119_900)
    position_book.add(state, "BTC", 0, 119_800)
    assert position_snapshot(state, "BTC") == {
        "rows": [["59950", "0.001", "0"], ["60000", "2", "0.5"]]
    }
    position_book.remove(state, "BTC", 2_000, 120_000)
    position_book.remove(state, "BTC", -500, 120_000)
    position_book.remove(state, "BTC", 0, 119_900)
    assert position_snapshot(state, "BTC") == {"rows": [["59950", "0.001", "0"]]}
    assert list(state.position_books["BTC"].longs) == [119_900]
    assert state.position_books["BTC"].shorts == {}


def test_a_change_touches_its_row_and_the_delta_tells_the_newest_values(state: State) -> None:
    position_book.add(state, "BTC", 2_000, 120_000)
    position_book.add(state, "BTC", 5, 119_900)
    position_book.remove(state, "BTC", 5, 119_900)
    touched = state.conflated["positions:BTC"].pending[0]
    assert list(touched) == [120_000, 119_900]
    assert position_delta(state, "BTC", touched) == {
        "rows": [["60000", "2", "0"], ["59950", "0", "0"]]
    }


def test_removing_more_than_was_added_stops_the_writer(state: State) -> None:
    position_book.add(state, "BTC", 2, 120_000)
    with pytest.raises(AssertionError, match="expected at least 3 lots at BTC 120000"):
        position_book.remove(state, "BTC", 3, 120_000)


def test_checksum_covers_the_lowest_25_prices(state: State) -> None:
    assert position_crc(state, "BTC") == 0
    for step in range(30):
        position_book.add(state, "BTC", 1_000 * (step + 1), 120_000 - 100 * step)
    rows = position_snapshot(state, "BTC")["rows"]
    assert len(rows) == 30
    text = "|".join(":".join(row) for row in rows[:25])
    assert text.startswith("58550:30:0|58600:29:0|")
    assert position_crc(state, "BTC") == zlib.crc32(text.encode())


def test_an_empty_book_has_no_rows(state: State) -> None:
    assert position_snapshot(state, "ETH") == {"rows": []}
    assert position_delta(state, "ETH", [5]) == {"rows": [["0.05", "0", "0"]]}
