"""Users for locust: `locust -f loadtests/locustfile.py --host http://127.0.0.1:8000`.

`./optix load` runs the same file with the users of a profile. Kinds of users without a share, and
the ramp when a profile has none, are left out: locust takes what it finds in this module.
"""

from __future__ import annotations

from typing import Any

from locust import events

from loadtests.users import kinds
from loadtests.users.acting import PLAN
from loadtests.users.recorder import Recorder


_USERS = (kinds.Terminal, kinds.SignalBot, kinds.Trader, kinds.Reader)
globals().update({each.__name__: each for each in _USERS if each.weight})

if PLAN.steps:
    from loadtests.users.ramp import Ramp  # noqa: F401  # locust looks for it here


@events.init.add_listener
def record(environment: Any, **_: Any) -> None:
    """Record every request of this run."""
    Recorder(environment, PLAN.report)
