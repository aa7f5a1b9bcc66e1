"""Metrics of how an account trades, from the sums over its days: round trips, exposure, leverage.

Leverage and the open loss are taken at each close and now, not in between.

Source: domain.md, section 3; docs/reference/performance.md lists every name.
"""

from __future__ import annotations

from streams.core.performance.trades import Results, trade_metrics
from streams.core.performance.trips import PPB, PPM
from streams.core.performance.undefined import Metric, undefined
from streams.core.state import Trading


SECOND_US = 1_000_000


def results_of(trading: Trading) -> Results:
    """Return results in micro-units."""
    trips, trades = trading.trips, trading.trades
    return Results(
        trades=trades,
        wins=trading.wins,
        losses=trading.losses,
        won=trading.won_micros,
        lost=trading.lost_micros,
        squares=trips.squares,
        best=float(trips.best_micros) if trades else None,
        worst=float(trips.worst_micros) if trades else None,
    )


def risk_of(trading: Trading) -> Results | None:
    """Return results over what the first stops risked, None unless every trip had a stop.

    Only number, sum and spread are known of them.
    """
    trips = trading.trips
    if not trips.risked or trips.risked < trading.trades:
        return None
    return Results(trades=trips.risked, won=trips.risk_ppm, squares=trips.risk_squares)


def trading_metrics(trading: Trading, elapsed_us: int) -> dict[str, Metric]:
    """Return every metric of trading by name; results are in micro-units.

    Args:
        trading: sums over the days of the period, today's among them.
        elapsed_us: length of the period, or of the record if that is younger.
    """
    return {
        **trade_metrics(results_of(trading), risk_of(trading)),
        **_trips(trading),
        **_exposure(trading, elapsed_us),
    }


def _trips(trading: Trading) -> dict[str, Metric]:
    trips, trades = trading.trips, trading.trades
    none = undefined("NO_CLOSED_TRADES")
    no_stop = undefined("NO_INITIAL_STOP") if trades else none
    return {
        "average_trade_return": trips.returns_ppb / trades / PPB if trades else none,
        "best_trade_return": trips.best_return_ppb / PPB if trades else none,
        "worst_trade_return": trips.worst_return_ppb / PPB if trades else none,
        "average_duration_s": trips.duration_us / trades / SECOND_US if trades else none,
        "average_risk_multiple": trips.risk_ppm / trips.risked / PPM if trips.risked else no_stop,
        "stopless_share": (trades - trips.risked) / trades if trades else none,
    }


def _exposure(trading: Trading, elapsed_us: int) -> dict[str, Metric]:
    exposed: Metric = undefined("NO_RECORD")
    if elapsed_us > 0:
        exposed = min(trading.exposed_us / elapsed_us, 1.0)
    return {
        "exposure": exposed,
        "average_leverage": trading.gross_ppm / trading.days / PPM,
        "max_leverage": trading.gross_ppm_max / PPM,
        "turnover": trading.traded_ppm / PPM,
        "open_loss_share": trading.open_loss_ppm_max / PPM,
    }
