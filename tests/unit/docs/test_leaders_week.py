"""The numbers of docs/explanation/a-leaders-week.md are what playing the week gives."""

from __future__ import annotations

from tests.unit.docs.leaders_week import DOCUMENT, FOLLOWERS, document_with, play, tables


def test_the_written_week_is_the_played_one() -> None:
    week = play()

    text = DOCUMENT.read_text()
    assert text == document_with(text, tables(week)), "run python -m tests.unit.docs.leaders_week"
    for name in FOLLOWERS:
        counted = sum(count for (who, _), count in week.decisions.items() if who == name)
        assert counted == week.copy(name).executed + week.copy(name).skipped
