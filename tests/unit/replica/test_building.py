"""Requests become commands of ticks, lots and micro-units, or are refused by the field at fault."""

from __future__ import annotations

import ast
import json
import math
from typing import Any

import pytest

from streams.core import commands
from streams.core.limits import TITLE_LENGTH_MAX
from streams.core.state import State
from streams.ports import CommandError
from streams.replica.building import REQUESTS, build_command, find_trader
from streams.replica.requests import CancelOrder
from tests.unit.core.market import Market


@pytest.fixture(scope="module")
def state() -> State:
    market = Market("lea", "ann")
    for publish in (True, False):
        market.do(
            "lea",
            commands.PublishIdea(
                "title", "a long thesis", "BTC", "buy", 0, 0, 0, "", 0, 0, [], publish
            ),
        )
    market.do("ann", commands.PlaceOrder("BTC", "buy", 1_000, 9_000))
    return market.state


IDEA = '"title": "About BTC", "thesis": "it will go up", "symbol": "BTC", "trade_type": "buy"'

# each row: a command's name, its arguments, and the command's fields that are told
BUILT = """
open_order    {"symbol":"BTC","side":"buy","quantity":"0.5","type":"market"} -> PlaceOrder lots=500 limit_ticks=0 idea=''
open_order    {"symbol":"BTC","side":"short","quantity":"1","type":"limit","limit_price":"99.5","client_order_id":"c"} -> PlaceOrder limit_ticks=9950 client_order_id='c'
open_order    {"symbol":"BTC","side":"buy","quantity":"1","type":"limit","limit_price":"99","stop_loss":"90","take_profit":"120","expires_at":"2026-02-01T12:00:00.5Z"} -> PlaceOrder stop_ticks=9000 take_ticks=12000 expires_at_us=1769947200500000
edit_order    {"order":"O","quantity":"2","take_profit":null} -> EditOrder lots=2000 limit_ticks=None stop_ticks=None take_ticks=0
edit_order    {"order":"O","limit_price":"98.5","stop_loss":"80"} -> EditOrder lots=None limit_ticks=9850 stop_ticks=8000 take_ticks=None
set_exit_levels {"symbol":"BTC","stop_loss":"90"} -> SetExitLevels symbol='BTC' stop_ticks=9000 take_ticks=None leader=''
set_exit_levels {"symbol":"BTC","take_profit":null,"leader":"@lea"} -> SetExitLevels stop_ticks=None take_ticks=0 leader='lea'
deposit       {"amount":"12.5"} -> MoveCash amount_micros=12500000
withdraw      {"amount":"12.5"} -> MoveCash amount_micros=-12500000
cancel_order  {"order":"o1"} -> CancelOrder order='o1'
cancel_after  {"ms":5000}    -> CancelAfter ms=5000
report_trade  {"symbol":"BTC","side":"cover","quantity":"2","price":"100"} -> ReportFill lots=2000 price_ticks=10000 fee_micros=0 source='self_reported' trader=''
report_trade  {"symbol":"BTC","side":"short","quantity":"2","price":"100","fee":"-0.5"} -> ReportFill lots=-2000 fee_micros=-500000
create_idea   {IDEA, "publish":true} -> PublishIdea entry_ticks=0 confidence_bps=0 stance=0 tags=[] publish=True
create_idea   {IDEA, "publish":false,"entry":"100","target":"110.01","stop":"90","confidence":70.5,"sentiment":"bearish","tags":["a"]} -> PublishIdea entry_ticks=10000 target_ticks=11001 stop_ticks=9000 confidence_bps=7050 stance=-1 tags=['a']
edit_idea     {"idea":"I","title":"  Cafe\\u0301s "} -> EditIdea title='Caf\xe9s' thesis=None stance=None entry_ticks=None confidence_bps=None
edit_idea     {"idea":"I","symbol":"ETH","entry":"10.5","confidence":1,"sentiment":"neutral"} -> EditIdea symbol='ETH' entry_ticks=1050 confidence_bps=100 stance=0
create_idea   {IDEA, "publish":true,"targets":[{"price":"110"},{"price":"120"},{"price":"130"}],"breakeven_after":1} -> PublishIdea target_ticks=11000 targets=[(11000,3333),(12000,3333),(13000,3334)] breakeven_after=1
create_idea   {IDEA, "publish":true,"targets":[{"price":"110","weight":0.25},{"price":"120","weight":"0.75"}]} -> PublishIdea target_ticks=11000 targets=[(11000,2500),(12000,7500)]
edit_idea     {"idea":"I","targets":[{"price":"110"}]} -> EditIdea target_ticks=11000 targets=[(11000,10000)] breakeven_after=None
edit_idea     {"idea":"I","targets":[]} -> EditIdea target_ticks=None targets=[]
publish_idea  {"idea":"I"} -> PublishDraft
undo_idea     {"idea":"I"} -> UndoIdea
delete_idea   {"idea":"I"} -> HideIdea
update_idea   {"idea":"I","text":" more "} -> UpdateIdea text='more'
share_idea    {"idea":"I"} -> ShareIdea
view_idea     {"idea":"I"} -> ViewIdea
close_idea    {"idea":"I","reason":"done","exit_price":"101"} -> CloseIdea reason='done' exit_ticks=10100
close_idea    {"idea":"I"} -> CloseIdea reason='' exit_ticks=0
like_idea     {"idea":"I"} -> LikeIdea
unlike_idea   {"idea":"I"} -> UnlikeIdea
comment_idea  {"idea":"I","text":" so "} -> CommentIdea text='so' parent=''
comment_idea  {"idea":"I","text":"so","parent_id":"c1"} -> CommentIdea parent='c1'
post_message  {"text":" up ","symbols":["BTC","ETH"],"sentiment":"bullish"} -> PostMessage text='up' symbols=['BTC','ETH'] stance=1
post_message  {"text":"to the moon 🚀🚀🚀 more calls","symbols":["BTC"],"horizon":"position"} -> PostMessage stance=0 horizon=2 withdraws=False
post_message  {"text":"to the moon 🚀🚀🚀","symbols":["BTC"],"sentiment":"neutral"} -> PostMessage stance=0 withdraws=True text_score_milli=0
post_message  {"text":"down","symbols":["BTC"],"sentiment":"bearish","probability":75} -> PostMessage stance=-1 percent=75 text_score_milli=0
post_message  {"text":"hm","symbols":["BTC"]} -> PostMessage stance=0
follow_trader {"trader":"@LEA"} -> FollowTrader trader='lea'
unfollow_trader {"trader":"lea"} -> UnfollowTrader trader='lea'
update_profile {} -> UpdateTrader name=None bio=None signals_access=None
update_profile {"display_name":" Ann ","bio":"b","signals_access":"followers"} -> UpdateTrader name='Ann' bio='b' signals_access='followers'
set_copy      {"leader":"@lea","allocation":"500","multiplier":1.5,"copy_ratio":"0.25","position_max":1,"reverse":true} -> SetCopy leader='lea' allocation_micros=500000000 multiplier_ppm=1500000 copy_ratio_ppm=250000 position_max_bps=10000 reverse=True mode=None
set_copy      {"leader":"lea","settings":{"notional_min":"1","exposure_max":"0.5","leverage_max":2}} -> SetCopy notional_min_micros=1000000 exposure_max_bps=5000 leverage_max_ppm=2000000 allocation_micros=None
enter_season  {"season":"spring"} -> EnterSeason season='spring'
update_profile {"bio":"","links":["https://a.example"],"tags":["#Macro"],"handle":"@Leander"} -> UpdateTrader bio='' links=['https://a.example'] tags=['macro'] handle='leander' name=None
close_account {"reason":"tired"} -> CloseTrader reason='tired' trader=''
read_notifications {"through":3} -> ReadNotifications through=3
set_notification_levels {"ideas":"off"} -> SetNotificationLevels levels={'ideas':'off'}
set_fees      {"performance":0.1,"management":"0.02","flat":"1.5","basis":"total","period":"monthly"} -> SetFeeTerms performance_ppm=100000 management_ppm=20000 flat_micros=1500000 basis='total' period='monthly'
set_fees      {} -> SetFeeTerms performance_ppm=None flat_micros=None
pause_copy    {"leader":"lea"} -> PauseCopy leader='lea'
resume_copy   {"leader":"@lea"} -> ResumeCopy leader='lea'
close_only_copy {"leader":"lea"} -> CloseOnlyCopy
stop_copy     {"leader":"lea"} -> StopCopy on_stop=''
resync_copy   {"leader":"@lea"} -> ResyncCopy leader='lea'
close_copy_position {"leader":"@lea","symbol":"BTC"} -> CloseCopyPosition leader='lea' symbol='BTC'
set_copy_scope {"scope":"leader","risk":0.02} -> SetCopyScope scope='leader'
stop_copy     {"leader":"lea","on_stop":"keep"} -> StopCopy on_stop='keep'
"""  # noqa: E501 - a table

# each row: a command's name, its arguments, then code and field of the refusal
REFUSED = """
create_idea   {IDEA, "publish":true,"targets":[{"price":"110","weight":1},{"price":"120"}]} -> INVALID_ARGUMENT targets
create_idea   {IDEA, "publish":true,"targets":[{"price":"0"}]} -> INVALID_ARGUMENT targets
open_order    {"symbol":"NO","side":"buy","quantity":"1","type":"market"} -> UNKNOWN_INSTRUMENT symbol
open_order    {"symbol":"BTC","side":"buy","quantity":"1","type":"limit"} -> INVALID_ARGUMENT limit_price
open_order    {"symbol":"BTC","side":"buy","quantity":"1","type":"market","limit_price":"1"} -> INVALID_ARGUMENT limit_price
open_order    {"symbol":"BTC","side":"buy","quantity":"1","type":"limit","limit_price":"0"} -> INVALID_ARGUMENT limit_price
open_order    {"symbol":"BTC","side":"buy","quantity":"1","type":"limit","limit_price":"1.001"} -> INVALID_ARGUMENT limit_price
open_order    {"symbol":"BTC","side":"buy","quantity":"0","type":"market"} -> INVALID_ARGUMENT quantity
open_order    {"symbol":"BTC","side":"buy","quantity":"-1","type":"market"} -> INVALID_ARGUMENT quantity
open_order    {"symbol":"BTC","side":"buy","quantity":"NaN","type":"market"} -> INVALID_ARGUMENT quantity
open_order    {"symbol":"BTC","side":"buy","quantity":"1e30","type":"market"} -> INVALID_ARGUMENT quantity
open_order    {"symbol":"BTC","side":"up","quantity":"1","type":"market"} -> INVALID_ARGUMENT side
open_order    {"symbol":"BTC","side":"buy","quantity":1,"type":"market"} -> INVALID_ARGUMENT quantity
open_order    {"symbol":"BTC","side":"buy","type":"market"} -> INVALID_ARGUMENT quantity
open_order    {"symbol":"BTC","side":"buy","quantity":"1","type":"market","x":1} -> INVALID_ARGUMENT x
open_order    [] -> INVALID_ARGUMENT args
open_order    null -> INVALID_ARGUMENT args
open_order    {"symbol":"BTC","side":"buy","quantity":"1","type":"market","expires_at":"2026-02-01T12:00:00Z"} -> INVALID_ARGUMENT expires_at
open_order    {"symbol":"BTC","side":"buy","quantity":"1","type":"limit","limit_price":"1","expires_at":"2026-02-01T12:00:00"} -> INVALID_ARGUMENT expires_at
open_order    {"symbol":"BTC","side":"buy","quantity":"1","type":"market","stop_loss":"0"} -> INVALID_ARGUMENT stop_loss
edit_order    {"order":"none"} -> UNKNOWN_ORDER order
edit_order    {"order":"O","limit_price":null} -> INVALID_ARGUMENT limit_price
set_exit_levels {"symbol":"NO"} -> UNKNOWN_INSTRUMENT symbol
set_exit_levels {"symbol":"BTC","leader":"@no"} -> UNKNOWN_TRADER leader
deposit       {"amount":"0"} -> INVALID_ARGUMENT amount
withdraw      {"amount":"-1"} -> INVALID_ARGUMENT amount
report_trade  {"symbol":"BTC","side":"buy","quantity":"1","price":"1","fee":"0.0000001"} -> INVALID_ARGUMENT fee
report_trade  {"symbol":"BTC","side":"buy","quantity":"1","price":"-1"} -> INVALID_ARGUMENT price
create_idea   {IDEA, "publish":true,"confidence":100.5} -> INVALID_ARGUMENT confidence
create_idea   {IDEA, "publish":true,"tags":["a",5]} -> INVALID_ARGUMENT tags[1]
create_idea   {IDEA, "publish":true,"stop":"x"} -> INVALID_ARGUMENT stop
create_idea   {"title":"         ","thesis":"it will go up","symbol":"BTC","trade_type":"buy","publish":true} -> INVALID_ARGUMENT title
create_idea   {"title":"About","thesis":" up           ","symbol":"BTC","trade_type":"buy","publish":true} -> INVALID_ARGUMENT thesis
edit_idea     {"idea":"none"} -> UNKNOWN_IDEA idea
edit_idea     {"idea":"I","symbol":"NO"} -> UNKNOWN_INSTRUMENT symbol
edit_idea     {"idea":"I","title":"      "} -> INVALID_ARGUMENT title
edit_idea     {"idea":"I","thesis":"            "} -> INVALID_ARGUMENT thesis
edit_idea     {"idea":"I","target":"1.001"} -> INVALID_ARGUMENT target
close_idea    {"idea":"none"} -> UNKNOWN_IDEA idea
comment_idea  {"idea":"I","text":"  "} -> INVALID_ARGUMENT text
post_message  {"text":"  ","symbols":["BTC"]} -> INVALID_ARGUMENT text
post_message  {"text":"up","symbols":["BTC","NO"]} -> UNKNOWN_INSTRUMENT symbol
post_message  {"text":"up","symbols":[]} -> INVALID_ARGUMENT symbols
post_message  {"text":"down","symbols":["BTC"],"probability":75} -> INVALID_ARGUMENT probability
post_message  {"text":"down","symbols":["BTC"],"sentiment":"neutral","probability":75} -> INVALID_ARGUMENT probability
follow_trader {"trader":"@nobody"} -> UNKNOWN_TRADER trader
follow_trader {"trader":"nobody"} -> UNKNOWN_TRADER trader
update_profile {"display_name":"  "} -> INVALID_ARGUMENT display_name
update_profile {"tags":["a b"]} -> INVALID_ARGUMENT tags[0]
update_profile {"links":["ftp://a.example"]} -> INVALID_ARGUMENT links[0]
update_profile {"handle":"root"} -> HANDLE_TAKEN handle
read_notifications {"through":-1} -> INVALID_ARGUMENT through
set_notification_levels {"account":"off"} -> INVALID_ARGUMENT account
set_copy      {"leader":"nobody"} -> UNKNOWN_TRADER leader
set_copy      {"leader":"lea","multiplier":"x"} -> INVALID_ARGUMENT multiplier
set_copy      {"leader":"lea","multiplier":0.0000001} -> INVALID_ARGUMENT multiplier
set_copy      {"leader":"lea","multiplier":true} -> INVALID_ARGUMENT multiplier
set_copy      {"leader":"lea","settings":{"allocation":"x"}} -> INVALID_ARGUMENT allocation
set_copy      {"leader":"lea","settings":{"no":1}} -> INVALID_ARGUMENT settings
set_copy      {"leader":"lea","allocation":"1e999990"} -> INVALID_ARGUMENT allocation
set_copy      {"leader":"lea","multiplier":1e300} -> INVALID_ARGUMENT multiplier
set_copy      {"leader":"lea","positions_max":1000000000000000000000000000000} -> INVALID_ARGUMENT positions_max
set_copy      {"leader":"lea","settings":{"stale_ms_max":-18446744073709551616}} -> INVALID_ARGUMENT settings.stale_ms_max
stop_copy     {"leader":"@no"} -> UNKNOWN_TRADER leader
dance         {} -> UNKNOWN_COMMAND name
"""  # noqa: E501 - a table


def rows(table: str) -> list[tuple[str, str, str]]:
    parted = [line.partition(" -> ") for line in table.strip().splitlines()]
    return [(*line.split(maxsplit=1), told) for line, _, told in parted]  # type: ignore[misc]


def build(state: State, name: str, text: str) -> commands.Command:
    text = text.replace("IDEA", IDEA).replace('"I"', f'"{next(iter(state.ideas))}"')
    args = json.loads(text.replace('"O"', f'"{next(iter(state.orders))}"'))
    return build_command(state, name, args)


@pytest.mark.parametrize(("name", "text", "told"), rows(BUILT))
def test_built(state: State, name: str, text: str, told: str) -> None:
    command = build(state, name, text)

    wanted, *fields = told.split(" ")
    assert wanted == type(command).__name__
    for field in fields:
        key, _, value = field.partition("=")
        assert f"{key}={ast.literal_eval(value)!r}" == f"{key}={getattr(command, key)!r}"


@pytest.mark.parametrize(("name", "text", "told"), rows(REFUSED))
def test_refused(state: State, name: str, text: str, told: str) -> None:
    with pytest.raises(CommandError) as caught:
        build(state, name, text)

    assert told.split() == [caught.value.code, caught.value.field]
    assert caught.value.message


def test_every_request_is_built_once_at_least() -> None:
    assert set(REQUESTS) == {name for name, _, _ in rows(BUILT)}


def test_trading_is_keyed_and_every_scope_is_known() -> None:
    keyed = {name for name, kind in REQUESTS.items() if kind.keyed}

    assert {name for name in REQUESTS if "order" in name or "_copy" in name} <= keyed
    assert {kind.scope for kind in REQUESTS.values()} == {"trade", "copy"}


@pytest.mark.parametrize("confidence", [math.nan, math.inf, -0.01])
def test_a_number_that_is_none_is_refused(state: State, confidence: float) -> None:
    args: dict[str, Any] = {**json.loads(f"{{{IDEA}}}"), "publish": True, "confidence": confidence}

    with pytest.raises(CommandError, match="Expected"):
        build_command(state, "create_idea", args)


def test_a_text_that_its_one_spelling_makes_too_long_is_refused(state: State) -> None:
    args = {**json.loads(f"{{{IDEA}}}"), "publish": True, "title": "\u0958" * TITLE_LENGTH_MAX}

    with pytest.raises(CommandError) as caught:
        build_command(state, "create_idea", args)
    assert caught.value.field == "title"


def test_a_request_struct_is_taken_as_it_is(state: State) -> None:
    assert commands.CancelOrder("o") == build_command(state, "cancel_order", CancelOrder("o"))


def test_find_trader_names_the_field(state: State) -> None:
    assert find_trader(state, "@Ann") == "ann"
    with pytest.raises(CommandError) as caught:
        find_trader(state, "zed", "leader")
    assert caught.value.field == "leader"
