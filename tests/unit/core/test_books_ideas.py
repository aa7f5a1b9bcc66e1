import zlib

import pytest

from streams.core.books import idea_book
from streams.core.books.frames import book_checksum, book_crc, book_delta, book_snapshot
from streams.core.idea_state import Idea, IdeaFrozen
from streams.core.state import State
from tests.unit.core.support import desk


def idea_of(
    name: str,
    trade_type: str,
    entry: int,
    target: int,
    stop: int,
    confidence: int = 0,
    symbol: str = "BTC",
) -> Idea:
    return Idea(
        name, "alice", "Title", "Thesis", symbol, trade_type, entry, target, stop, "1d",
        confidence, 0, [], "published", 1, frozen=IdeaFrozen(weight_bps=confidence or 5_000),
    )  # fmt: skip


@pytest.fixture
def state() -> State:
    return desk().state


def test_entries_and_exits_stand_on_opposite_sides(state: State) -> None:
    idea_book.add(state, idea_of("i1", "buy", 120_000, 125_000, 118_000, 8_000))
    idea_book.add(state, idea_of("i2", "short", 124_999, 120_099, 126_000))
    assert book_snapshot(state, "BTC") == {
        "b": [["63000", "0.5", 1], ["60000", "1.3", 2]],
        "s": [["59000", "0.8", 1], ["62450", "0.5", 1], ["62500", "0.8", 1]],
    }


@pytest.mark.parametrize(
    ("trade_type", "sides"), [("buy", "b"), ("cover", "b"), ("sell", "s"), ("short", "s")]
)
def test_the_trade_type_tells_the_side(state: State, trade_type: str, sides: str) -> None:
    idea_book.add(state, idea_of("i1", trade_type, 120_000, 0, 0))
    snapshot = book_snapshot(state, "BTC")
    assert [side for side in "bs" if snapshot[side]] == list(sides)


def test_an_idea_leaves_as_it_came(state: State) -> None:
    first = idea_of("i1", "buy", 120_000, 125_000, 118_000)
    second = idea_of("i2", "buy", 120_001, 0, 0, 10_000)
    idea_book.add(state, first)
    idea_book.add(state, second)
    idea_book.remove(state, first)
    assert book_snapshot(state, "BTC") == {"b": [["60000", "1", 1]], "s": []}
    touched = state.conflated["book:BTC"].pending[0]
    assert list(touched) == [240_000, 250_001, 236_001]
    assert book_delta(state, "BTC", touched) == {
        "b": [["60000", "1", 1]],
        "s": [["62500", "0", 0], ["59000", "0", 0]],
    }


def test_an_idea_that_was_not_there_stops_the_writer(state: State) -> None:
    with pytest.raises(AssertionError, match="expected an idea at BTC 120000, i1 was not there"):
        idea_book.remove(state, idea_of("i1", "buy", 120_000, 0, 0))


def test_the_first_price_named_fixes_the_width(state: State) -> None:
    idea_book.add(state, idea_of("i1", "buy", 0, 0, 0, symbol="ETH"))
    assert state.instruments["ETH"].level_ticks == 0
    idea_book.add(state, idea_of("i1", "buy", 0, 315_015, 0, symbol="ETH"))
    assert state.instruments["ETH"].level_ticks == 200
    assert book_snapshot(state, "ETH") == {"b": [], "s": [["3150", "0.5", 1]]}


def test_the_checksum_of_the_protocol_document() -> None:
    buys = [["101", "7.25", 2], ["101.5", "3", 1]][::-1]
    sells = [["102", "1", 1], ["102.5", "4", 5]]
    assert book_checksum(buys, sells) == zlib.crc32(b"101.5:3|101:7.25|102:1|102.5:4")
    assert book_checksum(buys, sells) == 1300841892


def test_checksum_covers_the_best_25_levels_a_side(state: State) -> None:
    assert book_crc(state, "BTC") == 0
    for step in range(30):
        idea_book.add(state, idea_of(f"b{step}", "buy", 120_000 - 100 * step, 0, 0, step + 1))
        idea_book.add(state, idea_of(f"s{step}", "sell", 120_100 + 100 * step, 0, 0, step + 1))
    snapshot = book_snapshot(state, "BTC")
    best = [*snapshot["b"][:25], *snapshot["s"][:25]]
    text = "|".join(f"{price}:{weight}" for price, weight, _ in best)
    assert text.startswith("60000:0.0001|59950:0.0002|")
    assert text.endswith("|61250:0.0025")
    assert book_crc(state, "BTC") == zlib.crc32(text.encode())
    assert book_snapshot(state, "BTC", 25) == {"b": best[:25], "s": best[25:]}


def test_an_empty_book_has_no_rows(state: State) -> None:
    assert book_snapshot(state, "ETH") == {"b": [], "s": []}
    assert book_delta(state, "ETH", [20, 21]) == {"b": [["0.1", "0", 0]], "s": [["0.1", "0", 0]]}
