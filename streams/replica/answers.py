"""What a caller is told about its command, built right after it was applied.

A command whose key was answered before gets the first answer again: the code, and the object as
it can still be found (in the state or in recent history).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from operator import itemgetter
from typing import Any

from streams.core.commands import Command
from streams.core.events import Event, ExitLevelsSet, FillBooked
from streams.core.kernel import Applied, Outcome
from streams.core.network.notices import CATEGORIES, level_of, unread
from streams.core.state import State
from streams.core.view import (
    account_view,
    copy_view,
    event_data,
    fee_terms_view,
    idea_view,
    order_view,
    scope_view,
    trader_view,
)
from streams.core.view.values import format_time_or_none
from streams.log.submitter import Submitter
from streams.ports import CommandOutcome
from streams.replica.history import History


Result = dict[str, Any]

EVENTS_SEARCHED_MAX = 10_000
"""Recent events of a channel in which the object of an earlier answer is looked for."""

_command_index = itemgetter(0)


def answer_all(
    submitter: Submitter[Command], state: State, history: History, batch_id: str, applied: Applied
) -> None:
    """Answer whoever waits for a command of an entry of this node's."""
    submitter.batch_seen(batch_id)
    for outcome in applied.outcomes:
        if submitter.waits_for(outcome.envelope):
            brief = submitter.is_brief(outcome.envelope)
            found = answer(state, history, applied, outcome, brief=brief)
            submitter.resolve(outcome.envelope, found)


def answer(
    state: State, history: History, applied: Applied, outcome: Outcome, *, brief: bool = False
) -> CommandOutcome:
    """Return the answer to one command of an entry.

    Args:
        state: after the entry.
        history: recent events, for orders that are done.
        applied: what the entry produced.
        outcome: the command's outcome.
        brief: the caller needs no result.
    """
    offset = outcome.first or f"{applied.ms}-{applied.seq}.{outcome.index}"
    result: Result = {}
    if outcome.code == "OK" and not brief:
        build = RESULTS.get(outcome.name)
        if build is not None:
            events = _events_of(history, applied, outcome)
            result = build(state, outcome, events)
    return CommandOutcome(
        code=outcome.code,
        offset=offset,
        result=result,
        replayed=bool(outcome.first),
        message=outcome.message,
        field=outcome.field or None,
    )


def _events_of(history: History, applied: Applied, outcome: Outcome) -> list[Event]:
    if not outcome.first:
        events, index = applied.events, outcome.index
        # in order of the commands; looking at all of them for each command would be quadratic
        begin = bisect_left(events, index, key=_command_index)
        end = bisect_right(events, index, lo=begin, key=_command_index)
        return [event for _, event in events[begin:end]]
    key = "ideas" if outcome.name == "CommentIdea" else f"account:{outcome.principal}"
    return [kept.event for kept in history.newest_first(key, EVENTS_SEARCHED_MAX)]


def _order(state: State, outcome: Outcome, events: list[Event]) -> Result:
    found = state.orders.get(outcome.result) or state.ended_orders.get(outcome.result)
    if found is None:
        return {"order": {"order": outcome.result, "status": "ended"}}
    order = order_view(state, found)
    for event in events:
        if isinstance(event, FillBooked) and event.order == outcome.result:
            return {"order": order, "fill": event_data(state, event)}
    return {"order": order}


def _levels(state: State, outcome: Outcome, events: list[Event]) -> Result:
    for event in events:
        if isinstance(event, ExitLevelsSet) and event.symbol == outcome.result:
            return {"levels": event_data(state, event)}
    return {"levels": {"symbol": outcome.result}}


def _cash(state: State, outcome: Outcome, _: list[Event]) -> Result:
    return {"account": account_view(state, state.traders[outcome.principal])}


def _fill(state: State, outcome: Outcome, events: list[Event]) -> Result:
    for event in events:
        if isinstance(event, FillBooked) and event.fill == outcome.result:
            return {"fill": event_data(state, event)}
    return {"fill": {"fill": outcome.result}}


def _idea(state: State, outcome: Outcome, _: list[Event]) -> Result:
    idea = state.ideas.get(outcome.result)
    return {"idea": idea_view(state, idea) if idea else {"idea": outcome.result}}


def _copy(state: State, outcome: Outcome, _: list[Event]) -> Result:
    copy = state.copies[outcome.result][outcome.principal]
    return {"copy": copy_view(state, copy)}


def _copy_scope(state: State, outcome: Outcome, _: list[Event]) -> Result:
    scope = state.copy_desk.scopes[outcome.result]
    kind = outcome.result.partition(":")[0]
    return {"scope": scope_view(kind, scope)}


def _fees(state: State, outcome: Outcome, _: list[Event]) -> Result:
    return {"fees": fee_terms_view(state.traders[outcome.principal].fee_terms)}


def _trader(state: State, outcome: Outcome, _: list[Event]) -> Result:
    return {"trader": trader_view(state, state.traders[outcome.result])}


def _target(_: State, outcome: Outcome, __: list[Event]) -> Result:
    return {"trader": outcome.result, "following": outcome.name == "FollowTrader"}


def _season(state: State, outcome: Outcome, _: list[Event]) -> Result:
    season = state.seasons[outcome.result]
    return {
        "season": season.season,
        "status": season.status,
        "entered": outcome.principal in season.entries,
        "entries": len(season.entries),
    }


def _read(state: State, outcome: Outcome, _: list[Event]) -> Result:
    trader = state.traders[outcome.result]
    return {"read_through": trader.about.notices_read, "unread": unread(state, trader)}


def _notification_levels(state: State, outcome: Outcome, _: list[Event]) -> Result:
    trader = state.traders[outcome.result]
    return {"levels": {name: level_of(trader, name) for name in CATEGORIES}}


def _cancel_after(state: State, outcome: Outcome, _: list[Event]) -> Result:
    return {"cancel_at": format_time_or_none(state.cancel_after.get(outcome.result, 0))}


def _message(_: State, outcome: Outcome, __: list[Event]) -> Result:
    return {"message": outcome.result}


def _comment(state: State, outcome: Outcome, events: list[Event]) -> Result:
    for event in events:
        if getattr(event, "comment", None) == outcome.result:
            return {"comment": event_data(state, event)}
    return {"comment": {"comment": outcome.result}}


RESULTS: dict[str, Callable[[State, Outcome, list[Event]], Result]] = {
    "PlaceOrder": _order,
    "CancelOrder": _order,
    "EditOrder": _order,
    "SetExitLevels": _levels,
    "CancelAfter": _cancel_after,
    "MoveCash": _cash,
    "ReportFill": _fill,
    "PublishIdea": _idea,
    "EditIdea": _idea,
    "PublishDraft": _idea,
    "CloseIdea": _idea,
    "UndoIdea": _idea,
    "HideIdea": _idea,
    "VoidIdea": _idea,
    "UpdateIdea": _idea,
    "LikeIdea": _idea,
    "UnlikeIdea": _idea,
    "CommentIdea": _comment,
    "ShareIdea": _idea,
    "ViewIdea": _idea,
    "PostMessage": _message,
    "SetCopy": _copy,
    "SetFeeTerms": _fees,
    "PauseCopy": _copy,
    "ResumeCopy": _copy,
    "CloseOnlyCopy": _copy,
    "StopCopy": _copy,
    "ResyncCopy": _copy,
    "CloseCopyPosition": _copy,
    "SetCopyScope": _copy_scope,
    "RegisterTrader": _trader,
    "UpdateTrader": _trader,
    "VerifyTrader": _trader,
    "CloseTrader": _trader,
    "EnterSeason": _season,
    "ReadNotifications": _read,
    "SetNotificationLevels": _notification_levels,
    "FollowTrader": _target,
    "UnfollowTrader": _target,
}
"""How the result of each command is built; services' commands have none."""
