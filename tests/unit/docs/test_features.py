"""The list of features names files and tests that exist, and leaves no row of the domain out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest


ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "features.md"
COMPARED_ROWS = 30
"""Rows of the domain's comparison with other products."""

MISTAKES = 10
CLAIM = re.compile(r"([\w/.-]+\.py)?(?:::(\w+(?:::\w+)*))?")


def _rows() -> list[tuple[str, str, str]]:
    found = []
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip().replace("`", "") for cell in line.strip("|").split(" | ")]
        if line.startswith("|") and not line.startswith("|--") and cells[0] != "Feature":
            assert len(cells) == 3, line
            found.append((cells[0], cells[1], cells[2]))
    return found


def _numbers(word: str) -> set[int]:
    """Return the numbers that follow a word on the page; a dash between two means all between."""
    found: set[int] = set()
    for text in re.findall(rf"{word}s? ([\d\u2013,/ ]+)", PAGE.read_text()):
        for first, last in re.findall(r"(\d+)(?:\u2013(\d+))?", text):
            found.update(range(int(first), int(last or first) + 1))
    return found


def _spelled(path: str) -> list[str]:
    """Return what `a/{b,c}.py` stands for."""
    braces = re.fullmatch(r"(.*)\{(.*)\}(.*)", path)
    if braces is None:
        return [path]
    return [f"{braces[1]}{name}{braces[3]}" for name in braces[2].split(",")]


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row[0][:60])
def test_a_feature_is_where_it_says_and_its_test_exists(row: tuple[str, str, str]) -> None:
    _, where, tests = row
    for path in re.findall(r"(?:streams|server|storage)/[\w/.{},-]*\.py", where):
        assert [name for name in _spelled(path) if not (ROOT / name).is_file()] == []
    assert ".py" in tests
    current = ROOT
    for claim in re.split(r"[;,]\s*", tests):
        found = CLAIM.fullmatch(claim)
        assert found is not None, claim
        if found[1] is not None:  # a file alone may stand beside the one named before it
            current = _existing(found[1], current.parent)
        for name in (found[2] or "").split("::"):
            assert re.search(rf"(def |class |^){name}\b", current.read_text(), re.MULTILINE), claim


def _existing(path: str, folder: Path) -> Path:
    there = ROOT / path
    if not there.is_file():
        there = folder / path
    assert there.is_file(), path
    return there


def test_no_row_of_the_domain_and_no_mistake_is_left_out() -> None:
    assert set(range(1, COMPARED_ROWS + 1)) - _numbers("row") == set()
    assert set(range(1, MISTAKES + 1)) - _numbers("mistake") == set()
