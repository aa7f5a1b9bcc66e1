"""Among how many records a trader is picked: what deflates a Sharpe ratio.

Every account that ever traded is a trial, closed and blown ones too: opening ten accounts and
showing the best one makes the best one less surprising. Accounts that move together count less,
by their mean correlation.

Source: Bailey and Lopez de Prado (2014); domain.md, sections 3 and 5.
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np

from streams.core.leaderboard.history import History
from streams.core.leaderboard.present import varies
from streams.core.performance.sharpe import Trials, effective_trials
from streams.core.valuation import Floats, Integers


class Crowd(NamedTuple):
    """All accounts as trials.

    Attributes:
        accounts: accounts that ever traded.
        correlation: mean correlation of the daily returns of two of them, 0...1.
        trials: for `sharpe.deflated`; None while fewer than two have a Sharpe ratio.
    """

    accounts: int
    correlation: float
    trials: Trials | None


def crowd(history: History, accounts: int) -> Crowd:
    """Return all accounts as trials, by their closed days.

    Args:
        history: refreshed.
        accounts: how many ever traded.
    """
    window = history.present[history.window_of["all"]].window
    defined = varies(window.low, window.high) & (window.squares > 0.0)
    spread = np.sqrt(np.where(defined, window.squares, 1.0) / np.maximum(window.returns - 1.0, 1.0))
    daily = (window.mean / spread)[defined]
    if len(daily) < 2:
        return Crowd(accounts, 0.0, None)
    correlation = _correlation(history, np.flatnonzero(defined), window.mean, spread)
    deviation = sqrt(float(np.sum((daily - np.mean(daily)) ** 2)) / (len(daily) - 1))
    return Crowd(accounts, correlation, Trials(deviation, effective_trials(accounts, correlation)))


def _correlation(history: History, columns: Integers, mean: Floats, spread: Floats) -> float:
    """Return the mean product of two standardised returns of one day, over all pairs and days."""
    products, pairs = 0.0, 0.0
    returns, valid = history.sample(columns, 0)
    for day in range(len(returns)):
        here = valid[day]
        count = float(np.count_nonzero(here))
        scaled = ((returns[day] - mean[columns]) / spread[columns])[here]
        total = float(np.sum(scaled))
        products += total * total - float(np.sum(scaled * scaled))
        pairs += count * (count - 1.0)
    return min(max(products / pairs, 0.0), 1.0) if pairs else 0.0
