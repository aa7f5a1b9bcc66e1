"""What clients see: events and objects as JSON-able data, and the channels events go to.

One rendering serves the stream, REST and history, so that a client meets one spelling of
everything. Functions here only read.
"""

from __future__ import annotations

from streams.core.view.copy_accounts import (
    FollowersResult,
    fee_terms_view,
    statement_view,
    statistics_view,
)
from streams.core.view.facts import channel_data, event_data
from streams.core.view.fairness import date_of, dispatch_view, fairness_view, opening_view
from streams.core.view.idea_objects import comment_view, idea_view, update_view
from streams.core.view.objects import (
    account_view,
    copy_view,
    instrument_view,
    ledger_view,
    mark_row,
    order_view,
    position_view,
    scope_view,
)
from streams.core.view.routes import ROUTES
from streams.core.view.settings import settings_view
from streams.core.view.stake import stake_view
from streams.core.view.traders import profile_view, record_view, trader_view
from streams.core.view.values import format_time


__all__ = [
    "ROUTES",
    "FollowersResult",
    "account_view",
    "channel_data",
    "comment_view",
    "copy_view",
    "date_of",
    "dispatch_view",
    "event_data",
    "fairness_view",
    "fee_terms_view",
    "format_time",
    "idea_view",
    "instrument_view",
    "ledger_view",
    "mark_row",
    "opening_view",
    "order_view",
    "position_view",
    "profile_view",
    "record_view",
    "scope_view",
    "settings_view",
    "stake_view",
    "statement_view",
    "statistics_view",
    "trader_view",
    "update_view",
]
