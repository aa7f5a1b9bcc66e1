from streams.core.commands import PlaceOrder, SetCopy, StopCopy, UpdateTrader
from streams.core.idea_state import AuthorRecord, ClassRecord
from streams.core.money import MICROS
from streams.core.view import profile_view, record_view, stake_view
from streams.core.view.traders import reputation
from tests.unit.core.market import Market


def test_a_trader_that_did_nothing_has_reasons_instead_of_numbers() -> None:
    market = Market("ann")
    numbers = record_view(market.state, market.state.traders["ann"])
    assert (numbers["win_rate"], numbers["total_return"]) == (None, None)
    assert numbers["reasons"] == {"win_rate": "NO_CLOSED_TRADES", "total_return": "NO_FILLS"}
    assert (numbers["ideas"], numbers["ideas_by_stage"], numbers["reputation"]) == (0, {}, 0.0)


def test_statistics_of_round_trips_and_ideas() -> None:
    market = Market("ann")
    market.do("ann", PlaceOrder("BTC", "buy", 1_000))
    market.quote("BTC", 11_000, 11_000)
    market.do("ann", PlaceOrder("BTC", "sell", 1_000))
    market.do("ann", PlaceOrder("ETH", "buy", 1_000))
    state = market.state
    scored = ClassRecord(scored=3, decayed_micronats=330_000, decayed_ppm=3_000_000)
    state.author_records["ann"] = AuthorRecord(published=4, stages={"target_hit": 3}, total=scored)
    numbers = record_view(state, state.traders["ann"])
    assert (numbers["trades"], numbers["wins"], numbers["win_rate"]) == (1, 1, 1.0)
    assert (numbers["realised_pnl"], numbers["total_return"]) == ("10", 0.01)
    assert (numbers["open_positions"], numbers["fees"], numbers["reasons"]) == (1, "0", {})
    assert (numbers["ideas"], numbers["ideas_scored"]) == (4, 3)
    assert numbers["ideas_by_stage"] == {"target_hit": 3}
    assert 0 <= numbers["reputation"] <= 0.01 == round(0.33 / 33, 6)
    assert reputation(state, "nobody") == 0.0


def test_a_profile_names_former_handles() -> None:
    market = Market("ann")
    market.do("ann", UpdateTrader(handle="anna"))
    profile = profile_view(market.state, market.state.traders["ann"])
    assert profile["handle"] == "anna"
    assert [each["handle"] for each in profile["former_handles"]] == ["ann"]
    assert profile["record"]["fills"] == 0


def test_the_stake_of_a_leader_is_its_own_part_of_what_it_decides_about() -> None:
    market = Market("lea", "fay")
    leader = market.state.traders["lea"]
    alone = {"own_equity": "1000", "copied_capital": "0", "ratio": 1.0, "reason": None}
    assert alone == stake_view(market.state, leader)
    market.do("fay", SetCopy("lea", allocation_micros=500 * MICROS))
    shared = {"own_equity": "1000", "copied_capital": "500", "ratio": 0.666667, "reason": None}
    assert shared == profile_view(market.state, leader)["stake"]
    market.do("fay", StopCopy("lea"))
    assert alone == stake_view(market.state, leader)
    leader.ledger.cash_micros = -1
    nothing = {"own_equity": "0", "copied_capital": "0", "ratio": None, "reason": "NO_CAPITAL"}
    assert nothing == stake_view(market.state, leader)
