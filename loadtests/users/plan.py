"""What the users are told: one JSON object in the environment, or the defaults of plain locust.

`./optix load` sets `LOAD_PLAN` from the profile; `locust -f loadtests/locustfile.py` alone takes
the defaults, and the number of users from its own options or page.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import msgspec


VARIABLE = "LOAD_PLAN"
SHARES = {"terminal": 3.0, "signal_bot": 1.0, "trader": 3.0, "reader": 3.0}
"""Of plain locust."""


class UsersPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Who the users are.

    Attributes:
        accounts: how many accounts act; user n is account n modulo their number.
        credentials: values of `Authorization`, one an account; empty: `Dev` handles.
        shares: weight of each kind of user.
        pause_seconds: shortest and longest pause of a user between two actions.
        steps: (seconds, users at their end); empty: locust's own options decide.
        report: file descriptor that takes the report, None for none.
    """

    accounts: int = 100
    credentials: list[str] = []
    shares: dict[str, float] = msgspec.field(default_factory=lambda: dict(SHARES))
    pause_seconds: tuple[float, float] = (1.0, 3.0)
    steps: list[tuple[float, int]] = []
    report: int | None = None


def users_plan(environ: Mapping[str, str] = os.environ) -> UsersPlan:
    """Return the plan of this process.

    Raises:
        msgspec.ValidationError: the variable holds something else.
    """
    text = environ.get(VARIABLE)
    return UsersPlan() if text is None else msgspec.json.decode(text, type=UsersPlan)


def users_at(steps: Sequence[tuple[float, int]], seconds: float) -> int | None:
    """Return how many users there are at a time: even change within a step; None at the end."""
    before, begun = 0, 0.0
    for length, users in steps:
        if seconds < begun + length:
            return round(before + (users - before) * (seconds - begun) / length)
        before, begun = users, begun + length
    return None
