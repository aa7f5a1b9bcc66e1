from __future__ import annotations

from pathlib import Path

import pytest

from storage import queries


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(queries, "SQL", tmp_path)
    queries.load.cache_clear()
    return tmp_path


def test_statements_by_name(folder: Path) -> None:
    (folder / "area.sql").write_text("-- About\n-- name: one\nSELECT 1;\n\n-- name: two\nSELECT 2")

    assert dict(queries.load("area")) == {"one": "SELECT 1", "two": "SELECT 2"}


@pytest.mark.parametrize(
    "text",
    ["SELECT 0\n-- name: one\nSELECT 1", "-- name: one\n\n", "-- name: a\nX\n-- name: a\nY"],
)
def test_odd_files_are_refused(folder: Path, text: str) -> None:
    (folder / "odd.sql").write_text(text)

    with pytest.raises(ValueError, match="expected"):
        queries.load("odd")
