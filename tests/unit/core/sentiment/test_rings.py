import pytest

from streams.core.sentiment import addressed, record_reply, record_stance, rings as module
from streams.core.sentiment.rings import RING_REPLIES, RING_US, end_rings
from tests.unit.core.sentiment.crowd import NOW, add_trader, empty


def talk(state, one, other, times, at_us=NOW):
    for _ in range(times):
        record_reply(state, one, other, at_us)


def test_two_who_mostly_answer_each_other_are_a_ring():
    state = empty()
    record_stance(state, "BTC", "a", 1, NOW)
    state.sentiment_due.clear()
    state.sentiment["BTC"].changed = False
    talk(state, "a", "b", RING_REPLIES)
    talk(state, "b", "a", RING_REPLIES - 1)
    assert state.reply_rings == {}
    talk(state, "b", "a", 2)
    assert state.reply_rings == {"b": NOW, "a": NOW}
    assert list(state.sentiment_due) == ["BTC"]


def test_answers_of_one_side_make_no_ring():
    state = empty()
    talk(state, "a", "b", 5 * RING_REPLIES)
    talk(state, "a", "a", 5 * RING_REPLIES)
    assert (state.reply_rings, list(state.replies)) == ({}, ["a b"])


def test_answers_of_another_day_do_not_count():
    state = empty()
    talk(state, "a", "b", RING_REPLIES)
    talk(state, "b", "a", RING_REPLIES, NOW + RING_US + 1)
    assert state.reply_rings == {}
    talk(state, "a", "b", 1, NOW + RING_US + 2)
    assert state.replies["a b"].replies == 1


def test_a_ring_ends_a_day_after_it_was_last_heard():
    state = empty()
    for name in "ab":
        record_stance(state, "BTC", name, 1, NOW)
    talk(state, "a", "b", RING_REPLIES)
    talk(state, "b", "a", RING_REPLIES)
    state.market_at_us = NOW + RING_US
    end_rings(state)
    assert list(state.reply_rings) == ["b", "a"]
    state.market_at_us += 1
    end_rings(state)
    assert state.reply_rings == {}


def test_pairs_are_bounded(monkeypatch):
    monkeypatch.setattr(module, "REPLY_PAIRS_MAX", 2)
    state = empty()
    for other in "bcb":
        talk(state, "a", other, 1)
    talk(state, "a", "d", 1)
    assert list(state.replies) == ["a b", "a d"]


@pytest.mark.parametrize(
    ("text", "trader"),
    [
        ("@bob no", "bob"),
        ("@BOB: no", "bob"),
        ("@bob", "bob"),
        ("@nobody no", None),
        ("hi @bob", None),
        ("@", None),
        ("", None),
    ],
)
def test_a_text_that_begins_with_a_handle_answers(text, trader):
    state = empty()
    add_trader(state, "bob")
    assert addressed(state, text) == trader
