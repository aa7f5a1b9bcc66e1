"""The two dispatch tables: every command has one decider, every event one evolver."""

from __future__ import annotations

from streams.core import (
    days,
    fills,
    ideas,
    instruments,
    messages,
    network,
    orders,
    sentiment,
    settlement,
    social,
    ticks,
)
from streams.core.context import Deciders, Evolvers
from streams.core.copying import (
    charging,
    day_close,
    drift,
    fairness,
    intake,
    levels,
    lifecycle,
    pipeline,
    scopes,
    seeds,
    status,
    stopping,
    suspension,
    upkeep,
)
from streams.core.execution import exits, flows, liquidation, order_edits
from streams.core.integrity import flags, identities, review
from streams.core.leaderboard import seasons


DECIDERS: Deciders = {
    **ticks.DECIDERS,
    **instruments.DECIDERS,
    **settlement.DECIDERS,
    **social.DECIDERS,
    **network.DECIDERS,
    **identities.DECIDERS,
    **seasons.DECIDERS,
    **ideas.DECIDERS,
    **messages.DECIDERS,
    **orders.DECIDERS,
    **order_edits.DECIDERS,
    **exits.DECIDERS,
    **flows.DECIDERS,
    **fills.DECIDERS,
    **lifecycle.DECIDERS,
    **scopes.DECIDERS,
    **suspension.DECIDERS,
    **charging.DECIDERS,
    **seeds.DECIDERS,
}
EVOLVERS: Evolvers = {
    **ticks.EVOLVERS,
    **days.EVOLVERS,
    **instruments.EVOLVERS,
    **settlement.EVOLVERS,
    **social.EVOLVERS,
    **network.EVOLVERS,
    **identities.EVOLVERS,
    **flags.EVOLVERS,
    **review.EVOLVERS,
    **seasons.EVOLVERS,
    **ideas.EVOLVERS,
    **messages.EVOLVERS,
    **sentiment.EVOLVERS,
    **orders.EVOLVERS,
    **exits.EVOLVERS,
    **flows.EVOLVERS,
    **liquidation.EVOLVERS,
    **fills.EVOLVERS,
    **lifecycle.EVOLVERS,
    **charging.EVOLVERS,
    **day_close.EVOLVERS,
    **fairness.EVOLVERS,
    **seeds.EVOLVERS,
    **pipeline.EVOLVERS,
    **status.EVOLVERS,
    **stopping.EVOLVERS,
    **scopes.EVOLVERS,
    **suspension.EVOLVERS,
    **upkeep.EVOLVERS,
    **drift.EVOLVERS,
    **intake.EVOLVERS,
    **levels.EVOLVERS,
}
