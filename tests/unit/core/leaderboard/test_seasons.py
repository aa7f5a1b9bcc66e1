"""Seasons on a real kernel: entry, frozen list, scores, and a board that anybody can hash."""

from hashlib import blake2b

from streams.core.commands import EnterSeason, OpenSeason, Tick
from streams.core.events import SeasonClosed, SeasonScored, SeasonStood
from streams.core.integrity_state import Flag
from streams.core.leaderboard import seasons
from streams.core.leaderboard.seasons import board_digest, season_score
from streams.core.market_clock import DAY_US
from streams.core.state import Day, Season, Trader
from streams.core.view import event_data
from tests.unit.core.market import SERVICE, START_MS, Market


TODAY = START_MS * 1_000 // DAY_US


def pass_day(market: Market, days: int = 1) -> None:
    market.ms += days * DAY_US // 1_000
    market.do(SERVICE, Tick(market.ms // 100))


def test_rules_of_opening_and_entering(monkeypatch):
    market = Market("ann", "bob")
    opened = OpenSeason("spring", "Spring", TODAY + 1, TODAY + 4)
    assert market.code("ann", opened) == "NOT_ALLOWED"
    assert market.code(SERVICE, OpenSeason("s", "S", TODAY, TODAY + 9)) == "INVALID_SETTINGS"
    assert market.code(SERVICE, OpenSeason("s", "S", TODAY + 1, TODAY + 2)) == "INVALID_SETTINGS"
    market.do(SERVICE, opened)
    assert event_data(market.state, market.events[0])["start"] == "2026-02-02T00:00:00.000000Z"
    assert market.code(SERVICE, opened) == "SEASON_EXISTS"
    monkeypatch.setattr(seasons, "SEASONS_MAX", 1)
    assert market.code(SERVICE, OpenSeason("s", "S", TODAY + 1, TODAY + 9)) == "LIMIT_REACHED"
    assert market.code("nobody", EnterSeason("spring")) == "UNKNOWN_TRADER"
    assert market.code("ann", EnterSeason("summer")) == "UNKNOWN_SEASON"
    monkeypatch.setattr(seasons, "SEASON_ENTRIES_MAX", 1)
    market.do("ann", EnterSeason("spring"))
    market.do("ann", EnterSeason("spring"))
    assert market.events == []
    assert market.code("bob", EnterSeason("spring")) == "LIMIT_REACHED"
    market.do(SERVICE, Tick(market.ms // 100))
    assert market.state.seasons["spring"].status == "OPEN"
    market.ms += DAY_US // 1_000
    assert market.code("bob", EnterSeason("spring")) == "SEASON_FROZEN"
    pass_day(market)
    assert market.state.seasons["spring"].status == "RUNNING"
    assert market.code("bob", EnterSeason("spring")) == "SEASON_FROZEN"


def run_season(market: Market, percents: list[dict[str, int]]) -> None:
    """Let days pass; each trader's marked price moves its one lot of 1,000."""
    market.do(SERVICE, OpenSeason("spring", "Spring", TODAY + 1, TODAY + 1 + len(percents)))
    for name in percents[0]:
        market.do(name, EnterSeason("spring"))
    pass_day(market)
    for day in percents:
        for name, ticks in day.items():
            market.fill(name, 1_000, 10_000)
            market.fill(name, -1_000, 10_000 + ticks)
        pass_day(market)


def test_a_lottery_at_the_end_does_not_win(monkeypatch):
    monkeypatch.setattr(seasons, "SCORED_PER_TICK_MAX", 2)
    market = Market("steady", "lottery", "cheat", "idle", cash=1_000)
    for name in ("steady", "lottery", "cheat", "idle"):
        market.fill(name, 100, 10_000)
        market.fill(name, -100, 10_000)
    market.state.integrity.flags["cheat"] = {"MARTINGALE": Flag(market.ms * 1_000, {})}
    days = [
        {"steady": 20 + day % 3, "cheat": 90 + day, "idle": 0, "lottery": -5} for day in range(10)
    ]
    days[-1]["lottery"] = 5_000
    run_season(market, days)
    season = market.state.seasons["spring"]
    assert season.status == "SCORING"
    assert [type(event) for event in market.events if isinstance(event, SeasonScored)]
    market.do(SERVICE, Tick(market.ms // 100 + 1))
    closed = [event for event in market.events if isinstance(event, SeasonClosed)]
    assert len(closed) == 1
    assert [name for name, _ in season.rows] == ["steady", "lottery", "cheat", "idle"]
    assert [score is None for _, score in season.rows] == [False, False, True, True]
    grown = {
        name: market.state.traders[name].track.days[-1].unit_ppb for name in ("steady", "lottery")
    }
    assert grown["lottery"] > grown["steady"]
    text = "|".join(
        f"{rank}:{name}:{'-' if score is None else score}"
        for rank, (name, score) in enumerate(season.rows, 1)
    )
    assert season.digest == blake2b(text.encode(), digest_size=16).hexdigest()
    assert season.digest == board_digest(season.rows)
    data = event_data(market.state, closed[0])
    assert (data["rows"][2]["score"], data["digest"]) == (None, season.digest)
    assert season.status == "CLOSED"
    assert market.state.seasons_running == {}
    pass_day(market)
    assert market.events[-1].__class__.__name__ == "Ticked"


def test_a_season_that_runs_stands_after_each_closed_day(monkeypatch):
    monkeypatch.setattr(seasons, "SCORED_PER_TICK_MAX", 1)
    market = Market("fast", "slow", cash=1_000)
    for name in ("fast", "slow"):
        market.fill(name, 100, 10_000)
        market.fill(name, -100, 10_000)
    days = [{"slow": 10 + day, "fast": 90 + day % 2} for day in range(3)]
    market.do(SERVICE, OpenSeason("spring", "Spring", TODAY + 1, TODAY + 9))
    for name in ("slow", "fast"):
        market.do(name, EnterSeason("spring"))
    pass_day(market)
    season = market.state.seasons["spring"]
    # The day before the first one is no day of the season.
    assert (season.stood_day, season.rows) == (0, [])
    for day in days:
        for name, ticks in day.items():
            market.fill(name, 1_000, 10_000)
            market.fill(name, -1_000, 10_000 + ticks)
        pass_day(market)
        if day is days[1]:
            market.do(SERVICE, Tick(market.ms // 100 + 1))
    # What was scored of the first day was worth nothing when the second one closed. One entry of
    # the third day is scored: the standings are still those of the second one.
    assert (season.scored_day, season.stood_day, len(season.scores)) == (TODAY + 3, TODAY + 2, 1)
    market.do(SERVICE, Tick(market.ms // 100 + 1))
    stood = [event for event in market.events if isinstance(event, SeasonStood)]
    assert [event.day for event in stood] == [TODAY + 3]
    assert season.rows == [("fast", season.scores[1]), ("slow", season.scores[0])]
    assert season.status == "RUNNING"
    told = event_data(market.state, stood[0])
    assert (told["entries"], told["day"], told["rows"][0]["trader"]) == (2, "2026-02-04", "fast")
    market.do(SERVICE, Tick(market.ms // 100 + 2))
    assert [type(event).__name__ for event in market.events] == ["Ticked"]


def test_a_season_nobody_entered_closes_empty():
    market = Market("ann")
    market.do(SERVICE, OpenSeason("void", "Void", TODAY + 1, TODAY + 3))
    pass_day(market)
    pass_day(market, 2)
    market.do(SERVICE, Tick(market.ms // 100 + 1))
    season = market.state.seasons["void"]
    assert (season.status, season.rows, season.digest) == ("CLOSED", [], board_digest([]))


def test_only_the_days_of_the_season_count():
    season = Season("s", "s", 10, 13, "RUNNING")
    trader = Trader("a", "a", "a", "account", 1)
    units = {8: 5, 9: 1_000, 10: 1_010, 11: 1_030, 12: 1_040, 13: 1}
    trader.track.days = [Day(day, unit, 1) for day, unit in units.items()]
    inside = season_score(trader, season)
    trader.track.days = trader.track.days[1:-1]
    assert season_score(trader, season) == inside
    trader.track.days = trader.track.days[:1]
    assert season_score(trader, season) is None
