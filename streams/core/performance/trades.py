"""Trade metrics: from the results of closed round trips, never from days.

Results are money net of fees, of any one unit. A trade that broke even is counted apart: it is in
no denominator of wins and losses.

Source: domain.md, section 3; Wilson (1927) for the lower bound; Van Tharp for SQN.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, sqrt
from typing import NamedTuple

from streams.core.performance.undefined import Metric, undefined


WILSON_Z = 1.959963984540054
"""Standard errors that leave 2.5 % on each side."""

SQN_TRADES_MAX = 100
"""Trades that count for SQN: with more, any small edge would look superb."""

SQN_TRADES_MIN = 30
"""Trades below which SQN is flagged as a guess."""


class Results(NamedTuple):
    """Closed round trips of some time, in sums.

    Attributes:
        trades: number of all, `wins` above 0 and `losses` below 0 among them.
        won: sum of the wins.
        lost: sum of the losses, as a positive number.
        squares: sum of squared deviations of the results from their mean.
        best: the largest result, None without a trade.
        worst: the smallest result, None without a trade.
    """

    trades: int = 0
    wins: int = 0
    losses: int = 0
    won: float = 0.0
    lost: float = 0.0
    squares: float = 0.0
    best: float | None = None
    worst: float | None = None

    @classmethod
    def of(cls, results: Sequence[float]) -> Results:
        """Return the sums over results in any order."""
        if not results:
            return cls()
        middle = fsum(results) / len(results)
        return cls(
            trades=len(results),
            wins=sum(1 for value in results if value > 0),
            losses=sum(1 for value in results if value < 0),
            won=fsum(value for value in results if value > 0),
            lost=-fsum(value for value in results if value < 0),
            squares=fsum((value - middle) * (value - middle) for value in results),
            best=max(results),
            worst=min(results),
        )


def win_rate(wins: int, losses: int) -> Metric:
    """Return the share of wins in wins and losses; trades that broke even are not counted."""
    if wins + losses == 0:
        return undefined("NO_CLOSED_TRADES")
    return wins / (wins + losses)


def wilson_lower_bound(wins: int, losses: int) -> float:
    """Return what the win rate is at least, with 97.5 % confidence; 0 without a win."""
    count = wins + losses
    if wins == 0:
        return 0.0
    share, square = wins / count, WILSON_Z * WILSON_Z
    middle = share + square / (2.0 * count)
    spread = share * (1.0 - share) / count + square / (4.0 * count * count)
    return (middle - WILSON_Z * sqrt(spread)) / (1.0 + square / count)


def profit_factor(results: Results) -> Metric:
    """Return what was won over what was lost; undefined without a loss."""
    if results.losses == 0:
        return undefined("NO_LOSSES" if results.trades else "NO_CLOSED_TRADES")
    return results.won / results.lost


def payoff_ratio(results: Results) -> Metric:
    """Return the mean win over the mean loss; undefined without a loss or without a win."""
    if results.losses == 0:
        return undefined("NO_LOSSES" if results.trades else "NO_CLOSED_TRADES")
    if results.wins == 0:
        return undefined("NO_WINS")
    return results.won / results.wins / (results.lost / results.losses)


def expectancy(results: Results) -> Metric:
    """Return the mean result of a trade, in the unit of the results."""
    if results.trades == 0:
        return undefined("NO_CLOSED_TRADES")
    return (results.won - results.lost) / results.trades


def expectancy_ratio(results: Results) -> Metric:
    """Return the mean result over the mean loss; undefined without a loss."""
    if results.losses == 0:
        return undefined("NO_LOSSES" if results.trades else "NO_CLOSED_TRADES")
    mean = (results.won - results.lost) / results.trades
    return mean / (results.lost / results.losses)


def system_quality(results: Results) -> Metric:
    """Return SQN: root of the number of trades, at most 100, times mean over deviation."""
    if results.trades < 2:
        return undefined("TOO_FEW_TRADES" if results.trades else "NO_CLOSED_TRADES")
    if results.squares == 0.0:
        return undefined("NO_VARIATION")
    mean = (results.won - results.lost) / results.trades
    deviation = sqrt(results.squares / (results.trades - 1))
    return sqrt(min(results.trades, SQN_TRADES_MAX)) * mean / deviation


def kelly(results: Results) -> Metric:
    """Return the Kelly fraction of an edge like this one; for display, never a size."""
    payoff = payoff_ratio(results)
    if not isinstance(payoff, float):
        return payoff
    share = results.wins / (results.wins + results.losses)
    return share - (1.0 - share) / payoff


def trade_metrics(results: Results, risk: Results | None = None) -> dict[str, Metric]:
    """Return every metric that results alone give, by name, in the order they are shown.

    Args:
        results: of closed round trips.
        risk: the same trips over what their stops risked, if every one of them had a stop; SQN is
            told of these then.
    """
    none = undefined("NO_CLOSED_TRADES")
    return {
        "win_rate": win_rate(results.wins, results.losses),
        "win_rate_lower_bound": wilson_lower_bound(results.wins, results.losses),
        "profit_factor": profit_factor(results),
        "payoff_ratio": payoff_ratio(results),
        "expectancy": expectancy(results),
        "expectancy_ratio": expectancy_ratio(results),
        "best_trade": none if results.best is None else results.best,
        "worst_trade": none if results.worst is None else results.worst,
        "system_quality": system_quality(results if risk is None else risk),
        "kelly": kelly(results),
    }
