"""Small parts of the client, by tables."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from streams.client import ClientSettings, CommandRefused, ResumePoint, connect
from streams.client.closing import Return, Verdict, judge_close, retry_ms_of, wait_s
from streams.client.commands import Commands
from streams.client.credentials import auth_fields
from streams.client.items import Answer, Delta, Item, Reset, Snap
from streams.client.views import BookView, MarksView
from streams.core.books.frames import book_checksum, position_checksum
from streams.protocol.checksum import book_crc, positions_crc


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("Bearer abc", {"token": "abc"}),
        ("bearer  abc ", {"token": "abc"}),
        ("abc", {"token": "abc"}),
        ("Dev bot1", {"token": "Dev bot1"}),
        ("dev bot1", {"token": "Dev bot1"}),
        ("Key optix_live_x", {"key": "optix_live_x"}),
    ],
)
def test_tokens(token: str, expected: dict[str, str]) -> None:
    assert auth_fields(token) == expected


@pytest.mark.parametrize("token", ["", "Bearer ", "Basic abc"])
def test_tokens_that_are_none(token: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        auth_fields(token)


@pytest.mark.parametrize(
    ("failures", "expected_s"), [(1, 0.2), (2, 0.4), (3, 0.8), (7, 12.8), (8, 15.0), (99, 15.0)]
)
def test_backoff_doubles_up_to_its_bound(failures: int, expected_s: float) -> None:
    backoff = Verdict(Return.BACKOFF)
    assert wait_s(backoff, failures, ClientSettings(), lambda: 1.0) == expected_s
    assert wait_s(backoff, failures, ClientSettings(), lambda: 0.0) == 0.0


def test_a_drain_is_spread_over_its_time() -> None:
    verdict = judge_close(4000, "", 5_000)
    assert isinstance(verdict, Verdict)
    assert wait_s(verdict, 1, ClientSettings(), lambda: 0.5) == 2.5
    assert judge_close(4000, "", None) == Verdict(Return.BACKOFF)


@pytest.mark.parametrize(
    ("reason", "expected"), [("retry_ms=250", 250), ("x, retry_ms=10000", 10_000), ("busy", 1_000)]
)
def test_waits_in_reasons(reason: str, expected: int) -> None:
    assert retry_ms_of(reason) == expected
    assert judge_close(4005, reason, None) == Verdict(Return.BACKOFF, expected)


@pytest.mark.parametrize(
    ("url", "codec"), [("http://x/v1/stream", "json"), ("ws://x/v1/stream", "xml")]
)
def test_what_connect_refuses_at_once(url: str, codec: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        connect(url, codec=codec)


def snap(data: Any, seq: int = 1) -> Item:
    return Snap(channel="c", epoch="e", seq=seq, ts_us=5, data=data)


def delta(data: Any, seq: int) -> Item:
    return Delta(channel="c", epoch="e", seq=seq, ts_us=6, data=data)


def test_a_view_is_not_ready_after_a_reset() -> None:
    view = MarksView("BTC", "raw")
    assert view.channel == "marks:BTC@raw"
    view.apply(snap({"rows": [["BTC", "1", "2", None]]}))
    view.apply(delta({"rows": [["BTC", "1", "3", None]]}, 2))
    assert (view.ready, view.seq, view.ts_us) == (True, 2, 6)
    view.apply(
        Reset(channel="c", why="EPOCH", epoch="f", seq=0, after=ResumePoint("e", 2)),
    )
    assert not view.ready


def test_checksums_are_those_of_the_core() -> None:
    buys = [[str(100 - n), f"{n}.5", n] for n in range(40)]
    sells = [[str(101 + n), f"{n}.25", n] for n in range(40)]
    assert book_crc(buys, sells) == book_checksum(buys, sells)
    rows = [[str(n), str(n), "0"] for n in range(40)]
    assert positions_crc(rows) == position_checksum(rows)


def test_prices_of_a_book_are_compared_as_numbers() -> None:
    view = BookView("BTC")
    view.apply(snap({"b": [["9", "1", 1], ["10", "1", 1]], "s": [["100.50", "1", 1]]}))
    view.apply(delta({"b": [["9.5", "1", 1]], "s": [["100.5", "0", 0], ["7", "0", 0]]}, 2))
    assert [row[0] for row in view.buys] == ["10", "9.5", "9"]
    assert view.sells == []


class Recorder(Commands):
    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    async def command(self, name: str, args: Any = None, *, key: str | None = None) -> Answer:
        self.calls.append((name, args))
        return Answer("1-0.0", {}, False, key)


async def test_every_command_of_the_server_has_a_method_whose_arguments_it_takes() -> None:
    import msgspec

    from streams.replica.building import REQUESTS

    client = Recorder()
    await client.open_order("BTC", "buy", "1", limit_price="2", client_order_id="c", idea_id="i")
    await client.cancel_order("o")
    await client.cancel_after(5_000)
    await client.edit_order("o", quantity=2, limit_price="3", stop_loss=1, take_profit=5)
    await client.set_exit_levels("BTC", "90", None, leader="@a")
    await client.deposit("10")
    await client.withdraw("5.5")
    await client.report_trade("BTC", "sell", 1, Decimal("2.50"))
    await client.create_idea(
        "A title long enough",
        "A thesis that is long enough for everybody to understand it.",
        "BTC",
        "buy",
        entry=1,
        confidence=50,
        sentiment="bullish",
        tags=["x"],
        targets=[(2, "0.5"), ("3", Decimal("0.5"))],
        breakeven_after=1,
    )
    await client.publish_idea("i")
    await client.undo_idea("i")
    await client.delete_idea("i")
    await client.update_idea("i", "more")
    await client.share_idea("i")
    await client.view_idea("i")
    await client.close_idea("i", reason="done", exit_price="1")
    await client.like_idea("i")
    await client.unlike_idea("i")
    await client.comment_idea("i", "yes", parent_id="c")
    await client.post_message("up", ["BTC"], sentiment="bullish")
    await client.follow_trader("@a")
    await client.unfollow_trader("@a")
    await client.update_profile(display_name="A", bio="b", signals_access="followers")
    await client.enter_season("spring")
    await client.close_account(reason="done")
    await client.read_notifications(3)
    await client.set_notification_levels(ideas="off")
    await client.set_copy("@a", allocation="10", multiplier="2", symbols_deny=["X"], reverse=False)
    await client.set_fees(performance="0.1", management="0.02", flat=1, basis="min")
    await client.pause_copy("@a")
    await client.resume_copy("@a")
    await client.close_only_copy("@a")
    await client.stop_copy("@a", on_stop="keep")
    await client.resync_copy("@a")
    await client.close_copy_position("@a", "BTC")
    await client.set_copy_scope("portfolio", {"copy_stop": "0.2"})
    await client.edit_idea("i", title="A title long enough", stop="3")
    for name, args in client.calls:
        msgspec.convert(args, REQUESTS[name].form)
    assert sorted(name for name, _ in client.calls) == sorted(REQUESTS)


async def test_a_float_is_no_amount() -> None:
    amount: Any = 0.1
    with pytest.raises(TypeError, match=r"0\.1"):
        await Recorder().open_order("BTC", "buy", amount)


def test_errors_print_what_happened() -> None:
    assert str(CommandRefused("SELF_COPY", "expected another")) == "SELF_COPY: expected another"
