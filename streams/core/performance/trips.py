"""Sums over closed round trips, extended by one trip or merged day by day.

Squared deviations are floats made of correctly rounded steps, everything else is an integer: the
sums are part of the replicated state.

Source: Welford (1962), Chan, Golub and LeVeque (1979); domain.md, section 3.
"""

from __future__ import annotations

from streams.core.money import divide_half_even
from streams.core.state import Day, Trading, Trips


PPM = 1_000_000
PPB = 1_000_000_000

SHARE_MAX = 10**15
"""Largest share or return that is kept, in its parts: beyond it the sums stay in bounds."""


def share_ppm(part: int, whole: int) -> int:
    """Return a part of a whole in parts per million, 0 of nothing and of less than nothing."""
    if part <= 0 or whole <= 0:
        return 0
    return min(divide_half_even(part * PPM, whole), SHARE_MAX)


def add_trip(trips: Trips, trades: int, before_micros: int, trip_micros: int) -> None:
    """Add the result of a trip.

    Args:
        trips: of the same day, changed in place.
        trades: number of trips in it so far.
        before_micros: sum of their results.
        trip_micros: the result to add.
    """
    if trades == 0:
        trips.best_micros = trips.worst_micros = trip_micros
        return
    from_mean = trip_micros - before_micros / trades
    trips.squares += from_mean * from_mean * (trades / (trades + 1))
    trips.best_micros = max(trips.best_micros, trip_micros)
    trips.worst_micros = min(trips.worst_micros, trip_micros)


def add_return(trips: Trips, trades: int, trip_micros: int, entered_micros: int) -> None:
    """Add a trip's result over what was paid to enter it; 0 where that is not known."""
    gained = divide_half_even(trip_micros * PPB, entered_micros) if entered_micros > 0 else 0
    gained = max(min(gained, SHARE_MAX), -SHARE_MAX)
    trips.returns_ppb += gained
    if trades == 0:
        trips.best_return_ppb = trips.worst_return_ppb = gained
    else:
        trips.best_return_ppb = max(trips.best_return_ppb, gained)
        trips.worst_return_ppb = min(trips.worst_return_ppb, gained)


def add_risk(trips: Trips, trip_micros: int, risk_micros: int) -> None:
    """Add a trip's result over what its first stop risked (an R-multiple)."""
    multiple = divide_half_even(trip_micros * PPM, risk_micros)
    multiple = max(min(multiple, SHARE_MAX), -SHARE_MAX)
    if trips.risked:
        from_mean = multiple - trips.risk_ppm / trips.risked
        trips.risk_squares += from_mean * from_mean * (trips.risked / (trips.risked + 1))
    trips.risked += 1
    trips.risk_ppm += multiple


def add_day(trading: Trading, day: Day) -> None:
    """Add a day to sums over days."""
    if day.trips is not None:
        _add_trips(trading, day, day.trips)
    trading.days += 1
    trading.trades += day.trades
    trading.wins += day.wins
    trading.losses += day.losses
    trading.won_micros += day.won_micros
    trading.lost_micros += day.lost_micros
    trading.traded_ppm += day.traded_ppm
    trading.gross_ppm += day.gross_ppm
    trading.gross_ppm_max = max(trading.gross_ppm_max, day.gross_ppm)
    trading.open_loss_ppm_max = max(trading.open_loss_ppm_max, day.open_loss_ppm)
    trading.exposed_us += day.exposed_us


def _add_trips(trading: Trading, day: Day, added: Trips) -> None:
    trips = trading.trips
    own = trading.won_micros - trading.lost_micros, trading.trades
    other = day.won_micros - day.lost_micros, day.trades
    trips.squares += added.squares + _between(own, other)
    own, other = (trips.risk_ppm, trips.risked), (added.risk_ppm, added.risked)
    trips.risk_squares += added.risk_squares + _between(own, other)
    if trading.trades:
        trips.best_micros = max(trips.best_micros, added.best_micros)
        trips.worst_micros = min(trips.worst_micros, added.worst_micros)
        trips.best_return_ppb = max(trips.best_return_ppb, added.best_return_ppb)
        trips.worst_return_ppb = min(trips.worst_return_ppb, added.worst_return_ppb)
    else:
        trips.best_micros, trips.worst_micros = added.best_micros, added.worst_micros
        trips.best_return_ppb = added.best_return_ppb
        trips.worst_return_ppb = added.worst_return_ppb
    trips.duration_us += added.duration_us
    trips.returns_ppb += added.returns_ppb
    trips.risked += added.risked
    trips.risk_ppm += added.risk_ppm


def _between(own: tuple[int, int], other: tuple[int, int]) -> float:
    """Return what the distance of two means adds to the squared deviations of both parts."""
    (sum_own, count_own), (sum_other, count_other) = own, other
    if not count_own or not count_other:
        return 0.0
    delta = sum_other / count_other - sum_own / count_own
    return delta * delta * (count_own * count_other / (count_own + count_other))
