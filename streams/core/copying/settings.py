"""Settings of a copy: defaults, patch-merge and their bounds.

A patch replaces single fields and keeps the rest; every result is a new version and an event.
Source: domain.md, section 4.3 (defaults) and section 0, mistake 1.
"""

from __future__ import annotations

from typing import Any

from streams.core.commands import SetCopy
from streams.core.context import Refusal
from streams.core.copying.expression import parsed
from streams.core.copying.sizing import MODES
from streams.core.limits import MULTIPLIER_PPM_MAX, SYMBOL_LIST_MAX, WINDOWS_MAX
from streams.core.money import format_money
from streams.core.reasons import Reason
from streams.core.state import CopySettings


BOUNDS: dict[str, tuple[int, int]] = {
    "allocation_micros": (1, 2**62),
    "multiplier_ppm": (1, MULTIPLIER_PPM_MAX),
    "copy_ratio_ppm": (1, 10_000 * MULTIPLIER_PPM_MAX),
    "notional_min_micros": (0, 2**62),
    "notional_max_micros": (0, 2**62),
    "position_max_bps": (1, 1_000_000),
    "exposure_max_bps": (1, 1_000_000),
    "leverage_max_ppm": (1, 100_000_000),
    "positions_max": (1, 1_000),
    "slippage_max_bps": (0, 9_999),
    "stale_ms_max": (0, 3_600_000),
    "fixed_quantity_nanos": (0, 2**62),
    "fixed_notional_micros": (0, 2**62),
    "risk_bps": (1, 10_000),
    "var_target_bps": (1, 10_000),
    "quantity_min_nanos": (0, 2**62),
    "symbol_entries_max": (0, 1_000),
    "quote_age_ms_max": (0, 86_400_000),
    "stale_pending_ms_max": (0, 3_600_000),
    "stop_loss_bps": (0, 9_999),
    "take_profit_bps": (0, 1_000_000),
    "open_worse_bps_max": (0, 10_000),
    "copy_stop_bps": (500, 9_500),
    "trailing_stop_bps": (0, 9_500),
    "daily_loss_bps": (0, 9_500),
    "daily_drawdown_bps": (0, 9_500),
    "daily_target_bps": (0, 1_000_000),
    "trades_day_max": (0, 100_000),
    "failures_max": (0, 1_000),
    "cooldown_ms": (0, 30 * 86_400_000),
    "drift_band_bps": (0, 100_000),
    "delay_ms": (0, 600_000),
}
"""Smallest and largest value of each numeric setting, in its own unit."""

CHOICES: dict[str, tuple[str, ...]] = {
    "mode": tuple(MODES),
    "exit_levels": ("absolute", "distance"),
    "tiny": ("skip", "force_min"),
    "sides": ("both", "long", "short"),
    "copy_open_positions": ("no", "all", "only_if_not_worse"),
    "follow_limit_orders": ("on_fill", "on_full_fill", "mirror"),
    "on_stop": ("keep", "close_now", "close_by_position", "close_by_symbol"),
}
"""The values a setting with a name may have."""

LISTS: dict[str, int] = {
    "symbols_allow": SYMBOL_LIST_MAX,
    "symbols_deny": SYMBOL_LIST_MAX,
    "symbols_short_deny": SYMBOL_LIST_MAX,
    "asset_classes_allow": WINDOWS_MAX,
    "symbol_multipliers": SYMBOL_LIST_MAX,
    "symbol_map": SYMBOL_LIST_MAX,
    "session_windows": WINDOWS_MAX,
    "news_windows": WINDOWS_MAX,
    "notify_loss_bps": WINDOWS_MAX,
}
"""Most entries of each list."""

NEEDED = {
    "fixed_quantity": "fixed_quantity_nanos",
    "fixed_notional": "fixed_notional_micros",
    "expression": "expression",
}
"""The setting without which a mode has no size."""


def named_changes(patch: SetCopy) -> dict[str, Any]:
    """Return the settings that a patch names, as `CopySettings` holds them."""
    changes = {}
    for name in CopySettings.__struct_fields__:
        value = getattr(patch, name)
        if value is not None:
            changes[name] = tuple(value) if isinstance(value, list) else value
    return changes


def checked(settings: CopySettings) -> CopySettings | Refusal:
    """Return the settings, or why they are refused: names, bounds, what belongs together."""
    for name, choices in CHOICES.items():
        value = getattr(settings, name)
        if value not in choices:
            return _invalid(name, f"expected one of {', '.join(choices)}, was {value}")
    for name, (least, most) in BOUNDS.items():
        value = getattr(settings, name)
        if not least <= value <= most:
            return _invalid(name, f"expected {name} in {least}…{most}, was {value}")
    for name, most in LISTS.items():
        count = len(getattr(settings, name))
        if count > most:
            return _invalid(name, f"expected at most {most}, was {count}")
    return _related(settings) or _listed(settings) or settings


def _related(settings: CopySettings) -> Refusal | None:
    most, least = settings.notional_max_micros, settings.notional_min_micros
    if most and least > most:
        expected = f"expected at most notional_max {format_money(most)}"
        return _invalid("notional_min", f"{expected}, was {format_money(least)}")
    needed = NEEDED.get(settings.mode)
    if needed is not None and not getattr(settings, needed):
        return _invalid(needed, f"expected {needed} for mode {settings.mode}, was none")
    if settings.expression:
        try:
            parsed(settings.expression)
        except ValueError as error:
            return _invalid("expression", str(error))
    return None


def _listed(settings: CopySettings) -> Refusal | None:
    for symbol, factor in settings.symbol_multipliers.items():
        if not 0 <= factor <= MULTIPLIER_PPM_MAX:
            most = MULTIPLIER_PPM_MAX
            return _invalid("symbol_multipliers", f"expected 0…{most} for {symbol}, was {factor}")
    targets = list(settings.symbol_map.values())
    if len(dict.fromkeys(targets)) < len(targets):
        return _invalid("symbol_map", "expected each target once, was one of them twice")
    for days, first, end in settings.session_windows:
        if not (0 < days < 128 and 0 <= first < end <= 1_440):
            return _invalid(
                "session_windows", f"expected days and from < to within a day, was {first}…{end}"
            )
    for _, from_us, until_us in settings.news_windows:
        if not 0 <= from_us < until_us:
            return _invalid("news_windows", f"expected from < until, was {from_us}…{until_us}")
    for level in settings.notify_loss_bps:
        if not 0 < level < 10_000:
            return _invalid("notify_loss_bps", f"expected levels in 1…9999, was {level}")
    return None


def _invalid(name: str, message: str) -> Refusal:
    return Refusal(Reason.INVALID_SETTINGS, message, name)
