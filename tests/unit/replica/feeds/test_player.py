"""Recordings are read whole or refused, cut into portions, and paced."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streams.replica.feeds.player import (
    DAY_NS,
    PORTION_MAX,
    PORTION_SECONDS,
    RecordingInvalid,
    play,
    portions,
    read_recording,
    span_ns,
)
from tests.simulation.virtual_loop import passed, run_virtual


SECOND_NS = 1_000_000_000


def record(at_ns: int, kind: str = "mark") -> dict[str, Any]:
    return {"t": at_ns, "type": kind}


def seconds(*at: float) -> list[dict[str, Any]]:
    return [record(round(each * SECOND_NS)) for each in at]


@st.composite
def recordings(draw: st.DrawFn) -> list[dict[str, Any]]:
    gaps = draw(st.lists(st.integers(0, 3 * SECOND_NS), min_size=1, max_size=40))
    kinds = st.sampled_from(["mark", "fill", "settle", "segment"])
    times = itertools.accumulate(gaps)
    made = [record(at, draw(kinds)) for at in times]
    return made * draw(st.sampled_from([1, 1, 30]))  # more than one portion holds


speeds = st.none() | st.floats(0.01, 1e6)


@given(recordings(), speeds, st.integers(0, 3))
def test_portions_cover_every_record_once_in_order(
    records: list[dict[str, Any]], speed: float | None, loop: int
) -> None:
    cut = list(portions(records, speed=speed, loop=loop))

    shift = loop * (span_ns(records) + DAY_NS)
    played = [each for portion in cut for each in portion.records]
    assert [(r["t"] + shift, r["type"]) for r in records] == [(r["t"], r["type"]) for r in played]
    counted = itertools.accumulate((len(p.records) for p in cut), initial=loop * len(records))
    assert list(counted)[:-1] == [portion.first for portion in cut]
    assert all(1 <= len(portion.records) <= PORTION_MAX for portion in cut)
    assert all(r["type"] != "segment" for portion in cut for r in portion.records[1:])


@given(recordings(), st.floats(0.01, 1e6))
def test_a_portion_covers_no_more_time_than_it_may(
    records: list[dict[str, Any]], speed: float
) -> None:
    records.sort(key=lambda each: each["t"])
    for portion in portions(records, speed=speed):
        covered = portion.records[-1]["t"] - portion.records[0]["t"]
        assert covered <= PORTION_SECONDS * speed * 1e9


def test_the_waits_of_a_segment_add_up_to_its_length() -> None:
    records = seconds(0, 0.05, 0.25, 3, 3.05)

    cut = list(portions(records, speed=2.0))

    assert [pytest.approx(portion.wait_seconds) for portion in cut] == [0.125, 1.375, 0.0]


def test_gaps_between_segments_are_skipped() -> None:
    records = [record(0, "segment"), record(1), record(10 * DAY_NS, "segment")]

    assert [portion.wait_seconds for portion in portions(records, speed=1.0)] == [0.0, 0.0]


def test_full_speed_waits_nowhere() -> None:
    cut = list(portions(seconds(*range(2 * PORTION_MAX + 1)), speed=None))

    firsts = [0, PORTION_MAX, 2 * PORTION_MAX]
    assert [(first, 0.0) for first in firsts] == [(each.first, each.wait_seconds) for each in cut]


def test_rounds_follow_each_other_in_market_time() -> None:
    records = seconds(0, 5)

    rounds = [next(portions(records, speed=None, loop=loop)).records for loop in range(3)]

    ends = [(each[0]["t"], each[-1]["t"]) for each in rounds]
    assert all(before[1] < after[0] for before, after in itertools.pairwise(ends))
    assert [each[0].get("loop") for each in rounds] == [None, 1, 2]


def test_nothing_is_no_portion() -> None:
    assert list(portions([], speed=None, loop=1)) == []


async def _played(
    records: list[dict[str, Any]], *, speed: float | None, loop: bool, rounds: int = 1
) -> list[tuple[float, int, list[str]]]:
    running = asyncio.get_running_loop()
    taken: list[tuple[float, int, list[str]]] = []

    async def take(first: int, given: list[dict[str, Any]]) -> None:
        taken.append((round(running.time(), 6), first, [each["type"] for each in given]))

    counts = []
    async for count in play(records, take, speed=speed, loop=loop):
        counts.append(count)
        if len(counts) == rounds:
            break
    assert counts == sorted(counts)
    return taken


def test_playing_waits_as_long_as_the_recording_did() -> None:
    records = seconds(0, 1, 61)

    taken = run_virtual(_played(records, speed=1.0, loop=False, rounds=9))

    assert [(at, first) for at, first, _ in taken] == [(0.0, 0), (1.0, 1), (61.0, 2)]


def test_a_slow_taker_is_not_hurried_by_more_than_a_second() -> None:
    async def work() -> list[float]:
        running = asyncio.get_running_loop()
        at: list[float] = []

        async def take(first: int, given: list[dict[str, Any]]) -> None:
            at.append(round(running.time(), 6))
            if first == 0:
                await passed(30)

        async for _ in play(seconds(*range(6)), take, speed=1.0, loop=False):
            pass
        return at

    assert [pytest.approx(each, abs=1.0) for each in run_virtual(work())] == [
        0.0,
        30.0,
        31.0,
        32.0,
        33.0,
        34.0,
    ]


def test_a_loop_leaves_settlements_out() -> None:
    records = [record(0), record(1, "settle"), record(2)]

    taken = run_virtual(_played(records, speed=None, loop=True, rounds=3))

    assert [t[1:] for t in taken] == [(0, ["mark"] * 2), (2, ["mark"] * 2), (4, ["mark"] * 2)]


@pytest.mark.parametrize("records", [[], [record(1, "settle")]])
def test_a_loop_of_nothing_ends(records: list[dict[str, Any]]) -> None:
    assert run_virtual(_played(records, speed=None, loop=True)) == []


LINES = [
    {"t": 1, "type": "inst", "inst": "X"},
    {"t": 2, "type": "mark", "inst": "X", "px": "1.5"},
]


def _text(*lines: object) -> str:
    return "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_plain_and_packed_files_are_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    data = _text(*LINES).encode()
    path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)

    assert [each.get("tick") for each in read_recording(path)] == ["0.1", None]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "7",
        {"type": "mark"},
        {"t": "1", "type": "mark"},
        {"t": 1},
        {"t": 1, "type": 5},
        {"t": 1, "type": "inst"},
        {"t": 1, "type": "mark", "px": "1"},
        {"t": 1, "type": "mark", "inst": "X", "px": "much"},
        {"t": 1, "type": "mark", "inst": "X", "px": "NaN"},
        {"t": 1, "type": "fill", "inst": "X", "px": "1", "qty": "1"},
        {"t": 1, "type": "fill", "inst": "X", "px": "1", "qty": "1", "trader": 7},
        {"t": 1, "type": "fill", "inst": ["X"], "px": "1", "qty": "1", "trader": "a"},
    ],
)
def test_a_line_that_is_no_record_is_named(tmp_path: Path, line: object) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(_text(*LINES, line))

    with pytest.raises(RecordingInvalid, match=r"a\.jsonl:3: expected"):
        read_recording(path)


def test_a_file_that_is_cut_or_damaged_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(_text(*LINES * 50).encode(), mtime=0)
    for number, data in enumerate((packed[:-9], packed[:30] + b"\xff" * 20 + packed[50:])):
        path = tmp_path / f"{number}.jsonl.gz"
        path.write_bytes(data)
        with pytest.raises(RecordingInvalid, match=r"jsonl\.gz: expected"):
            read_recording(path)
    path = tmp_path / "latin.jsonl"
    path.write_bytes(b'{"t": 1, "type": "\xe9"}\n')
    with pytest.raises(RecordingInvalid, match=r"latin\.jsonl: expected"):
        read_recording(path)


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_recording(tmp_path / "none.jsonl")
