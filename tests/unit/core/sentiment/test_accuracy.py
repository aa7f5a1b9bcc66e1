import pytest

from streams.core.idea_state import AuthorRecord, ClassRecord
from streams.core.sentiment import record_stance
from streams.core.sentiment.accuracy import accuracy_milli
from streams.core.sentiment.tally import read_crowds
from tests.unit.core.sentiment.crowd import NOW, crowd, empty


ACCURACIES = """
# ideas and score of the class, of all; accuracy in thousandths
0     0          0    0            100
30    6_000_000  60   9_000_000    100
30    12_000_000 60   12_000_000   200
9     12_000_000 60   27_000_000   300
60    -9_000_000 60   -9_000_000   100
"""


@pytest.mark.parametrize("row", ACCURACIES.strip().splitlines()[1:])
def test_accuracy_is_the_shrunk_score_of_the_class_or_of_all(row):
    scored, score, all_scored, all_score, expected = map(int, row.split())
    state = empty()
    state.author_records["t0"] = AuthorRecord(
        total=ClassRecord(all_scored, all_score), classes={"perp": ClassRecord(scored, score)}
    )
    assert accuracy_milli(state, "perp")("t0") == expected
    assert accuracy_milli(state, "spot")("nobody") == 100


def test_who_was_right_weighs_more():
    state = crowd(-1, -1)
    state.author_records["t9"] = AuthorRecord(total=ClassRecord(30, 12_000_000))
    record_stance(state, "BTC", "t9", 1, NOW)
    reading = read_crowds(state, "BTC", state.sentiment["BTC"], 0)[0]
    # weights 2, 1 and 1: the crowd is split, and 16 / 6 voices strong
    assert (reading.score_centi, reading.unweighted_centi) == (0, -3_507)
    assert (reading.effective_milli, reading.concentration_ppm) == (2_667, 500_000)
