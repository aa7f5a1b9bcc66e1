"""The number of users over time, by the steps of a profile."""

from __future__ import annotations

from typing import ClassVar

from locust import LoadTestShape

from loadtests.users.plan import users_at, users_plan


SPAWNED_PER_SECOND_MAX = 200.0


class Ramp(LoadTestShape):
    """Follows the steps and ends the test after the last one."""

    steps: ClassVar[list[tuple[float, int]]] = users_plan().steps

    def tick(self) -> tuple[int, float] | None:
        """Return (users, spawned a second); None ends the test."""
        users = users_at(self.steps, self.get_run_time())
        return None if users is None else (users, SPAWNED_PER_SECOND_MAX)
