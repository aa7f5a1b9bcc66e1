"""The two dispatch tables: every command has one decider, every event one evolver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.core import (
    days,
    fills,
    ideas,
    instruments,
    messages,
    orders,
    settlement,
    social,
    ticks,
)
from streams.core.commands import Command
from streams.core.context import Context, Decision
from streams.core.copying import lifecycle, pipeline
from streams.core.events import Event
from streams.core.state import State


DECIDERS: dict[type[Command], Callable[[Context, Any], Decision]] = {
    **ticks.DECIDERS,
    **instruments.DECIDERS,
    **settlement.DECIDERS,
    **social.DECIDERS,
    **ideas.DECIDERS,
    **messages.DECIDERS,
    **orders.DECIDERS,
    **fills.DECIDERS,
    **lifecycle.DECIDERS,
}
EVOLVERS: dict[type[Event], Callable[[State, Any], None]] = {
    **ticks.EVOLVERS,
    **days.EVOLVERS,
    **instruments.EVOLVERS,
    **settlement.EVOLVERS,
    **social.EVOLVERS,
    **ideas.EVOLVERS,
    **messages.EVOLVERS,
    **orders.EVOLVERS,
    **fills.EVOLVERS,
    **lifecycle.EVOLVERS,
    **pipeline.EVOLVERS,
}
