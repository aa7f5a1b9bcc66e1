"""The one way in which `evolve_*` comes to a profile that it may change."""

from __future__ import annotations

from streams.core.profile_state import Profile
from streams.core.state import State


def profile_for_change(state: State, trader_id: str) -> Profile:
    """Return the trader's profile, made now if it had none. Called by `evolve_*` only."""
    trader = state.traders[trader_id]
    if trader.profile is None:
        trader.profile = Profile()
    return trader.profile
