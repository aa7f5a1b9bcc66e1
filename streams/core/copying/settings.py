"""Settings of a copy: defaults, patch-merge and their bounds.

A patch replaces single fields and keeps the rest; every result is a new version and an event.
Source: domain.md, section 4.3 (defaults) and section 0, mistake 1.
"""

from __future__ import annotations

import msgspec

from streams.core.commands import SetCopy
from streams.core.context import Refusal
from streams.core.limits import MULTIPLIER_PPM_MAX, SYMBOL_LIST_MAX
from streams.core.reasons import Reason
from streams.core.state import CopySettings


MODES = ("equity_ratio", "quantity_ratio")

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
    "slippage_max_bps": (0, 10_000),
    "stale_ms_max": (0, 3_600_000),
}
"""Smallest and largest value of each numeric setting, in its own unit."""


def merged(before: CopySettings | None, command: SetCopy) -> CopySettings | Refusal:
    """Return the settings after a patch, or why they are refused.

    Args:
        before: the present settings; None at the start of a relationship.
        command: fields that are None stay as they are.
    """
    if before is None:
        if command.allocation_micros is None:
            return Refusal(
                Reason.INVALID_SETTINGS, "expected an allocation at the start", "allocation"
            )
        before = CopySettings(allocation_micros=command.allocation_micros)
    changes = {}
    for name in CopySettings.__struct_fields__:
        value = getattr(command, name)
        if value is not None:
            changes[name] = tuple(value) if isinstance(value, list) else value
    after = msgspec.structs.replace(before, **changes)
    return _checked(after)


def _checked(settings: CopySettings) -> CopySettings | Refusal:
    if settings.mode not in MODES:
        return Refusal(
            Reason.INVALID_SETTINGS,
            f"expected one of {', '.join(MODES)}, was {settings.mode}",
            "mode",
        )
    for name, (least, most) in BOUNDS.items():
        value = getattr(settings, name)
        if not least <= value <= most:
            return Refusal(
                Reason.INVALID_SETTINGS, f"expected {name} in {least}…{most}, was {value}", name
            )
    for name in ("symbols_allow", "symbols_deny"):
        count = len(getattr(settings, name))
        if count > SYMBOL_LIST_MAX:
            return Refusal(
                Reason.INVALID_SETTINGS, f"expected at most {SYMBOL_LIST_MAX}, was {count}", name
            )
    return settings
