import pytest

from streams.core.channels import pending
from streams.core.commands import Command, MarkRow, PublishMarks, RegisterInstrument
from streams.core.context import Refusal
from streams.core.events import DayClosed, MarksPublished
from streams.core.market_clock import DAY_US, day_of
from streams.core.money import Step
from streams.core.reasons import Reason
from tests.unit.core.support import SERVICE, START_US, Desk, check_table, desk


def command_of(verb: str, arguments: list[str]) -> Command:
    match verb:
        case "register":
            return RegisterInstrument(arguments[0], "", "hl", "perp", Step(1, 0), Step(1, 0))
        case "marks":
            rows = [row.split("/") for row in arguments]
            return PublishMarks([MarkRow(name, *map(int, prices)) for name, *prices in rows])
    raise AssertionError(verb)


def test_rules_of_instruments_and_marks() -> None:
    check_table(
        Desk(),
        """
        # principal verb  symbol/bid/ask/last        expected
        alice   register  BTC                        NOT_ALLOWED
        feed    register  BTC                        OK
        feed    register  BTC                        INSTRUMENT_EXISTS
        feed    register  hl:ETH                     OK
        alice   marks     BTC/10/11/10               NOT_ALLOWED
        feed    marks     BTC/10/11/10  SOL/1/1/1    UNKNOWN_INSTRUMENT
        feed    marks     BTC/0/11/10                INVALID_PRICE
        feed    marks     BTC/12/11/10               INVALID_PRICE
        feed    marks     BTC/10/11/-1               INVALID_PRICE
        feed    marks     BTC/10/4611686018427387905/0  INVALID_PRICE
        feed    marks     BTC/10/10/0                OK
        feed    marks     BTC/10/11/10  hl:ETH/3/4/0 OK
        """,
        command_of,
    )


def test_limits_of_instruments_and_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.core.instruments.INSTRUMENTS_MAX", 2)
    monkeypatch.setattr("streams.core.instruments.MARKS_PER_COMMAND_MAX", 1)
    check_table(
        desk(),
        """
        feed    register  SOL                        LIMIT_REACHED
        feed    marks     BTC/1/1/1  ETH/1/1/1       LIMIT_REACHED
        """,
        command_of,
    )


def test_a_refused_batch_names_the_row() -> None:
    at = desk()
    rows = [MarkRow("BTC", 1, 1, 1), MarkRow("SOL", 1, 1, 1)]
    refusal = at.refusal(SERVICE, PublishMarks(rows))
    assert refusal == Refusal(
        Reason.UNKNOWN_INSTRUMENT, "expected a registered instrument, was SOL", "rows[1].symbol"
    )


def test_only_changed_rows_are_recorded() -> None:
    at = desk()
    same = MarkRow("BTC", 120_000, 120_002, 120_001)
    at.do(SERVICE, PublishMarks([same, MarkRow("ETH", 300_000, 300_010, 0)]))
    assert at.events[-1] == MarksPublished(
        [MarkRow("ETH", 300_000, 300_010, 0)], START_US, recorded=False
    )
    at.do(SERVICE, PublishMarks([same]))
    assert at.events[-1] == MarksPublished([], START_US, recorded=False)
    at.do(SERVICE, PublishMarks([MarkRow("BTC", 1, 1, 1), same]))
    assert at.events[-1] == MarksPublished([], START_US, recorded=False)


def test_a_row_without_last_price_keeps_it() -> None:
    at = desk()
    at.do(SERVICE, PublishMarks([MarkRow("BTC", 120_010, 120_012, 0)]))
    instrument = at.state.instruments["BTC"]
    assert (instrument.bid_ticks, instrument.ask_ticks) == (120_010, 120_012)
    assert instrument.last_ticks == 120_001
    assert instrument.mark_ticks == 120_011


def test_a_settled_instrument_keeps_its_quote() -> None:
    at = desk()
    at.state.instruments["BTC"].settled = True
    at.do(SERVICE, PublishMarks([MarkRow("BTC", 1, 1, 1)]))
    assert at.state.instruments["BTC"].bid_ticks == 120_000


def test_marks_touch_their_channels() -> None:
    at = desk()
    assert list(pending(at.state, 0)) == ["marks", "marks:BTC"]
    assert list(at.state.conflated["marks"].pending[1]) == ["BTC"]


def test_the_first_mark_fixes_the_width_of_levels() -> None:
    at = desk()
    assert at.state.instruments["BTC"].level_ticks == 100
    assert at.state.instruments["ETH"].level_ticks == 0
    at.do(SERVICE, PublishMarks([MarkRow("BTC", 9, 9, 9), MarkRow("ETH", 30_000, 30_000, 0)]))
    assert at.state.instruments["BTC"].level_ticks == 100
    assert at.state.instruments["ETH"].level_ticks == 20


def test_the_market_clock_moves_with_every_batch_and_never_back() -> None:
    at = desk()
    at.do(SERVICE, PublishMarks([], START_US + 5, recorded=True))
    assert at.state.market_at_us == START_US + 5
    assert at.state.recorded_market
    at.do(SERVICE, PublishMarks([MarkRow("BTC", 1, 1, 1)], START_US - 5, recorded=True))
    assert at.state.market_at_us == START_US + 5
    assert at.state.instruments["BTC"].marked_at_us == START_US + 5
    at.do(SERVICE, PublishMarks([]))
    assert at.state.recorded_market


def test_a_day_closes_once_before_the_marks_of_the_next() -> None:
    at = desk()
    at.do(SERVICE, PublishMarks([], START_US + DAY_US, recorded=True))
    at.do(SERVICE, PublishMarks([], START_US + DAY_US + 1, recorded=True))
    closed = [event for event in at.events if isinstance(event, DayClosed)]
    assert closed == [DayClosed(day_of(START_US), (day_of(START_US) + 1) * DAY_US)]
    assert isinstance(at.events[-3], DayClosed)


def test_a_gap_of_days_closes_the_day_it_began_in() -> None:
    at = desk()
    at.do(SERVICE, PublishMarks([], START_US + 90 * DAY_US, recorded=True))
    assert [DayClosed] == [type(event) for event in at.events if isinstance(event, DayClosed)]
