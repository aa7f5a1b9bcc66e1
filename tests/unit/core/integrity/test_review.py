"""The daily review, of records made by hand and on a real kernel."""

from streams.core.commands import Tick
from streams.core.events import ConductReviewed, TraderFlagged
from streams.core.integrity import review
from streams.core.integrity.review import dormant, open_losses, style_drift
from streams.core.integrity_state import Flag
from streams.core.market_clock import DAY_US
from streams.core.money import PPM
from streams.core.state import Day, Trader
from tests.unit.core.market import SERVICE, START_MS, Market


def trader(days: list[Day]) -> Trader:
    made = Trader("a", "a", "a", "account", 1)
    made.track.days = days
    return made


def day(number: int, unit: int = 10**9, **more: int) -> Day:
    return Day(number, unit, 10**9, **more)


def test_closed_trades_only_profit_is_seen_in_the_open_losses():
    shown = [day(0, won_micros=100), day(1, open_loss_ppm=300_000)]
    assert open_losses(trader(shown)) == {"open_loss_ppm": 300_000}
    honest = [day(0, lost_micros=100), day(1, open_loss_ppm=300_000)]
    assert open_losses(trader(honest)) == {}
    assert open_losses(trader([day(0, won_micros=1, open_loss_ppm=299_999)])) == {}
    assert open_losses(trader([])) == {}


def test_leverage_that_doubles_is_drift():
    prior = [day(number, gross_ppm=PPM) for number in range(60)]
    doubled = [day(60 + number, gross_ppm=2 * PPM + 1) for number in range(30)]
    assert style_drift(trader(prior + doubled)) == {
        "leverage_ppm": 2 * PPM + 1,
        "leverage_before_ppm": PPM,
    }
    assert style_drift(trader(prior[1:] + doubled)) == {}
    assert style_drift(trader(prior + prior[:30])) == {}


def test_value_at_risk_that_doubles_is_drift():
    calm = [day(number, 10**9 + (number % 2) * 5_000_000) for number in range(90)]
    wild = [day(90 + number, 10**9 + (number % 2) * 50_000_000) for number in range(30)]
    found = style_drift(trader(calm + wild))
    assert list(found) == ["value_at_risk_ppm", "value_at_risk_before_ppm"]
    assert found["value_at_risk_ppm"] == 47_620
    assert style_drift(trader(calm + calm[:30])) == {}
    gone = [day(number, 0) for number in range(120)]
    assert style_drift(trader(gone)) == {}


def test_an_account_that_is_only_parked_is_dormant():
    busy = [day(number, exposed_us=1_000) for number in range(150)]
    assert dormant(trader(busy + [day(150, exposed_us=799)] * 30)) == {"exposure_ppm": 799_000}
    assert dormant(trader(busy + [day(150, exposed_us=800)] * 30)) == {}
    assert dormant(trader(busy)) == {}


def test_reviews_are_spread_over_ticks_and_clear_what_is_over(monkeypatch):
    monkeypatch.setattr(review, "REVIEWED_PER_TICK_MAX", 2)
    names = ("ann", "bob", "cat")
    market = Market(*names)
    for name in names:
        market.fill(name, 100, 10_000)
        market.fill(name, -100, 10_100)
    market.fill("ann", 8_000, 10_000)
    market.quote("BTC", 5_000, 5_000)
    market.ms += DAY_US // 1_000
    market.quote("BTC", 5_000, 5_000)
    assert list(market.state.integrity.due) == list(names)
    number = START_MS // 100 + 10_000_000
    reviewed = []
    for more in range(3):
        market.do(SERVICE, Tick(number + more))
        reviewed += [event.count for event in market.events if isinstance(event, ConductReviewed)]
        if not more:
            flagged = [event for event in market.events if isinstance(event, TraderFlagged)]
            assert [(event.trader, event.flag) for event in flagged] == [("ann", "OPEN_LOSSES")]
    assert reviewed == [2, 1]
    market.state.traders["ann"].track.days.clear()
    market.state.integrity.flags["ann"]["SERIAL_ACCOUNTS"] = Flag(1, {"accounts": 3})
    market.state.integrity.due["ann"] = None
    market.do(SERVICE, Tick(number + 9))
    assert list(market.state.integrity.flags["ann"]) == ["SERIAL_ACCOUNTS"]
