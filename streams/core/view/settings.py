"""Settings of a copy as clients see and send them: one table for both directions.

Money and quantities are decimal strings, ratios numbers (1.0 = 100 %), what is switched off null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple

from streams.core.money import BPS, PPM, format_scaled
from streams.core.state import CopySettings
from streams.core.view.values import format_time, money


Kind = Literal[
    "money", "quantity", "ppm", "bps", "plain", "list", "factors", "names", "sessions", "news"
]
"""How a value is spelled; `plain` values are the same inside and outside."""

NANOS_DIGITS = 9
"""Decimal places of a quantity that belongs to no instrument yet."""


class Setting(NamedTuple):
    """A setting of a copy.

    Attributes:
        name: as clients write it.
        field: of `CopySettings` and of the command `SetCopy`.
        kind: how the value is spelled.
        optional: 0 inside is null outside.
    """

    name: str
    field: str
    kind: Kind
    optional: bool = False


SETTINGS = (
    Setting("allocation", "allocation_micros", "money"),
    Setting("mode", "mode", "plain"),
    Setting("multiplier", "multiplier_ppm", "ppm"),
    Setting("copy_ratio", "copy_ratio_ppm", "ppm"),
    Setting("symbols_allow", "symbols_allow", "list"),
    Setting("symbols_deny", "symbols_deny", "list"),
    Setting("notional_min", "notional_min_micros", "money"),
    Setting("notional_max", "notional_max_micros", "money", optional=True),
    Setting("position_max", "position_max_bps", "bps"),
    Setting("exposure_max", "exposure_max_bps", "bps"),
    Setting("leverage_max", "leverage_max_ppm", "ppm"),
    Setting("positions_max", "positions_max", "plain"),
    Setting("slippage_max_bps", "slippage_max_bps", "plain"),
    Setting("stale_ms_max", "stale_ms_max", "plain"),
    Setting("reverse", "reverse", "plain"),
    Setting("symbol_multipliers", "symbol_multipliers", "factors"),
    Setting("fixed_quantity", "fixed_quantity_nanos", "quantity", optional=True),
    Setting("fixed_notional", "fixed_notional_micros", "money", optional=True),
    Setting("risk", "risk_bps", "bps"),
    Setting("var_target", "var_target_bps", "bps"),
    Setting("expression", "expression", "plain"),
    Setting("quantity_min", "quantity_min_nanos", "quantity"),
    Setting("tiny", "tiny", "plain"),
    Setting("symbol_map", "symbol_map", "names"),
    Setting("symbols_short_deny", "symbols_short_deny", "list"),
    Setting("asset_classes_allow", "asset_classes_allow", "list"),
    Setting("sides", "sides", "plain"),
    Setting("session_windows", "session_windows", "sessions"),
    Setting("news_windows", "news_windows", "news"),
    Setting("symbol_entries_max", "symbol_entries_max", "plain", optional=True),
    Setting("quote_age_ms_max", "quote_age_ms_max", "plain", optional=True),
    Setting("stale_pending_ms_max", "stale_pending_ms_max", "plain"),
    Setting("copy_stop_loss", "copy_stop_loss", "plain"),
    Setting("copy_take_profit", "copy_take_profit", "plain"),
    Setting("stop_loss_distance", "stop_loss_bps", "bps", optional=True),
    Setting("take_profit_distance", "take_profit_bps", "bps", optional=True),
    Setting("copy_open_positions", "copy_open_positions", "plain"),
    Setting("open_worse_bps_max", "open_worse_bps_max", "plain"),
    Setting("follow_limit_orders", "follow_limit_orders", "plain"),
    Setting("copy_stop", "copy_stop_bps", "bps"),
    Setting("trailing_stop", "trailing_stop_bps", "bps", optional=True),
    Setting("daily_loss", "daily_loss_bps", "bps", optional=True),
    Setting("daily_drawdown", "daily_drawdown_bps", "bps", optional=True),
    Setting("daily_target", "daily_target_bps", "bps", optional=True),
    Setting("trades_day_max", "trades_day_max", "plain", optional=True),
    Setting("failures_max", "failures_max", "plain", optional=True),
    Setting("cooldown_ms", "cooldown_ms", "plain"),
    Setting("on_stop", "on_stop", "plain"),
    Setting("drift_band", "drift_band_bps", "bps"),
    Setting("notify_losses", "notify_loss_bps", "list"),
    Setting("exit_levels", "exit_levels", "plain"),
    Setting("delay_ms", "delay_ms", "plain"),
)
"""Every setting, in the order of `CopySettings`."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def clock(minute: int) -> str:
    """Return a minute of the day as `HH:MM`; the end of the day is `24:00`."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _sessions(windows: tuple[tuple[int, int, int], ...]) -> list[dict[str, Any]]:
    return [
        {
            "days": [name for place, name in enumerate(WEEKDAYS) if days >> place & 1],
            "from": clock(first),
            "to": clock(end),
        }
        for days, first, end in windows
    ]


def _news(windows: tuple[tuple[str, int, int], ...]) -> list[dict[str, Any]]:
    return [
        {"symbol": symbol, "from": format_time(from_us), "to": format_time(until_us)}
        for symbol, from_us, until_us in windows
    ]


_SPELLINGS: dict[Kind, Callable[[Any], Any]] = {
    "money": money,
    "quantity": lambda nanos: format_scaled(nanos, NANOS_DIGITS),
    "ppm": lambda ppm: ppm / PPM,
    "bps": lambda bps: bps / BPS,
    "plain": lambda value: value,
    "list": list,
    "factors": lambda factors: {symbol: ppm / PPM for symbol, ppm in factors.items()},
    "names": dict,
    "sessions": _sessions,
    "news": _news,
}


_NAMES = {setting.field: setting.name for setting in SETTINGS}


def own_settings(fields: Iterable[str]) -> list[str]:
    """Return the names, as clients write them, of settings that were set at some place."""
    return [_NAMES[field] for field in fields]


def settings_view(settings: CopySettings) -> dict[str, Any]:
    """Return the settings as clients write them."""
    data: dict[str, Any] = {}
    for name, field, kind, optional in SETTINGS:
        value = getattr(settings, field)
        data[name] = None if optional and value == 0 else _SPELLINGS[kind](value)
    return data
