"""Which boards there are: a metric or a preset over each period.

A preset is a metric with a condition on who is ranked.

Source: api.md, "Analytics"; domain.md, sections 0 and 5.
"""

from __future__ import annotations

from typing import NamedTuple

from streams.core.performance.periods import PERIOD_DAYS


class Definition(NamedTuple):
    """What a board ranks.

    Attributes:
        metric: whose values it shows.
        trades_min: round trips closed in the period that a trader needs.
        record_days_max: age of the record, in days, beyond which a trader is no longer ranked;
            0 = any age.
    """

    metric: str
    trades_min: int = 0
    record_days_max: int = 0


COMPOSITE = "composite"
"""The blend of several numbers, scored when a day closes, see `composite`."""

METRICS = (
    "total_return",
    "sharpe",
    "sortino",
    "win_rate",
    "profit_factor",
    "max_drawdown",
    "consistency",
)
"""Metrics that have a board."""

LOWEST_FIRST = frozenset({"max_drawdown"})
"""Metrics of which less is better: the smallest drawdown has rank 1."""

PRESETS = {
    "top_performers": Definition("total_return", trades_min=5),
    "most_consistent": Definition("consistency", trades_min=20),
    "best_risk_adjusted": Definition("sharpe", trades_min=15),
    "rising_stars": Definition("total_return", trades_min=5, record_days_max=90),
}
"""Boards that are a metric with a condition."""

BOARDS = {
    COMPOSITE: Definition(COMPOSITE),
    **{metric: Definition(metric) for metric in METRICS},
    **PRESETS,
}
"""Every board by its name."""

BOARD_KEYS = {f"{name}:{period}": (name, period) for name in BOARDS for period in PERIOD_DAYS}
"""Key of each board in `State.boards` with its name and period."""
