"""States with a crowd in them, and a plain way to weigh it."""

from __future__ import annotations

from math import exp, log

from streams.core.money import Step
from streams.core.sentiment import SWING, record_stance
from streams.core.sentiment.horizons import HALF_LIVES_US
from streams.core.state import Instrument, State, Trader


HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
NOW = 20_000 * DAY_US


def empty(*symbols: str) -> State:
    state = State(market_at_us=NOW)
    for symbol in symbols or ("BTC", "ETH"):
        state.instruments[symbol] = Instrument(
            symbol, symbol, "hl", "perp", Step(1, 0), Step(1, 0), 0, 100, 100, 100
        )
    return state


def add_trader(state: State, name: str, **fields: object) -> Trader:
    fields = {"origin": "account", "joined_at_us": 0, **fields}
    trader = Trader(name, name, name, **fields)  # type: ignore[arg-type]
    state.traders[name], state.handles[name] = trader, name
    return trader


def crowd(*stances: int, at_us: int = NOW) -> State:
    state = empty()
    for number, stance in enumerate(stances):
        record_stance(state, "BTC", f"t{number}", stance, at_us)
    return state


def plain_score(voices: list[tuple[float, float, int]], crowd: int = SWING) -> float:
    """Return the score of (probability of a rise, age in us, cluster size) by the formula."""
    weights = [2.0 ** (-age / HALF_LIVES_US[crowd]) / size for _, age, size in voices]
    pooled = sum(w * log(p / (1 - p)) for w, (p, _, _) in zip(weights, voices, strict=True))
    return 100 * (2 / (1 + exp(-pooled / sum(weights))) - 1)
