"""Settings of a copy as clients see and send them."""

from __future__ import annotations

from typing import Any

from streams.core.money import BPS, PPM
from streams.core.state import CopySettings
from streams.core.view.values import money


def settings_view(settings: CopySettings) -> dict[str, Any]:
    """Return the settings with money as decimal strings and ratios as numbers (1.0 = 100 %).

    `notional_max` is null when there is no maximum.
    """
    return {
        "allocation": money(settings.allocation_micros),
        "mode": settings.mode,
        "multiplier": settings.multiplier_ppm / PPM,
        "copy_ratio": settings.copy_ratio_ppm / PPM,
        "symbols_allow": list(settings.symbols_allow),
        "symbols_deny": list(settings.symbols_deny),
        "notional_min": money(settings.notional_min_micros),
        "notional_max": money(settings.notional_max_micros)
        if settings.notional_max_micros
        else None,
        "position_max": settings.position_max_bps / BPS,
        "exposure_max": settings.exposure_max_bps / BPS,
        "leverage_max": settings.leverage_max_ppm / PPM,
        "positions_max": settings.positions_max,
        "slippage_max_bps": settings.slippage_max_bps,
        "stale_ms_max": settings.stale_ms_max,
        "reverse": settings.reverse,
    }
