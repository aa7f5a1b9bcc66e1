"""The fan-out benchmark runs and reports; what it measures is judged elsewhere, never here."""

from __future__ import annotations

import shutil

import pytest

from server.bench import fanout


@pytest.mark.parametrize("compiler", [True, False], ids=["c", "python"])
def test_the_benchmark_reports_both_sides(compiler: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if compiler and not shutil.which("gcc"):
        pytest.skip("no C compiler")
    if not compiler:
        monkeypatch.setattr(fanout.shutil, "which", lambda name: None)
    result = fanout.measure(sockets=20, rounds=2, blocks=2)
    assert (20, 200, 4, "c" if compiler else "python") == (
        result["sockets"],
        result["frame_bytes"],
        result["rounds"],
        result["floor"],
    )
    assert result["gateway_ns"] > 0 < result["floor_ns"]
