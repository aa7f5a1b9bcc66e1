"""Rows wait in each interval until that interval is cut, in whatever order the cuts come."""

from __future__ import annotations

import pytest

from streams.core import channels
from streams.core.channels import RAW, SECONDS, TENTHS
from streams.core.state import State


def waiting(state: State) -> tuple[list[int | str], ...]:
    """Return the rows of `marks` that wait for each interval's cut."""
    return tuple(list(rows) for rows in state.conflated["marks"].pending)


@pytest.mark.parametrize(
    ("cut_before", "expected"),
    [
        pytest.param([], (["a"], ["a"], ["a"]), id="none"),
        # An entry holds several commands: a tick among them cuts before the entry's own cut.
        pytest.param([TENTHS], (["a"], ["a"], ["a"]), id="tick-within-an-entry"),
        pytest.param([TENTHS, SECONDS], (["a"], ["a"], ["a"]), id="second-within-an-entry"),
        pytest.param([RAW], (["a"], ["a"], ["a"]), id="entry-before-the-tick"),
        pytest.param([RAW, TENTHS], (["a"], ["a"], ["a"]), id="entry-and-tick"),
    ],
)
def test_a_row_touched_again_waits_everywhere(
    cut_before: list[int], expected: tuple[list[str], ...]
) -> None:
    state = State()
    channels.touch(state, "marks", "a")
    for interval in cut_before:
        channels.cut(state, interval)
    channels.touch(state, "marks", "a")
    assert expected == waiting(state)
    assert [list(channels.pending(state, each)) for each in range(3)] == [["marks"]] * 3


def test_a_cut_numbers_what_waits_and_nothing_else() -> None:
    state = State()
    channels.touch(state, "marks", "a")
    channels.cut(state, RAW)
    channels.cut(state, RAW)
    assert state.conflated["marks"].seqs == [1, 0, 0]
    assert waiting(state) == ([], ["a"], ["a"])
