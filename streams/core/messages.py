"""Messages: what traders say about symbols. The archive keeps the text, the core the stance.

A stance counts for registered instruments only, so that voices stay bounded; a message may name
other symbols all the same. Where none is declared, what the edge read out of the text counts in a
crowd of its own. A message that begins with `@handle` answers that trader.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.core import sentiment
from streams.core.commands import Command, PostMessage
from streams.core.context import Context, Decision
from streams.core.events import Event, MessagePosted
from streams.core.social import unknown_trader
from streams.core.state import State


def decide_post_message(ctx: Context, command: PostMessage) -> Decision:
    """Post a message. Checks: UNKNOWN_TRADER."""
    trader = ctx.actor(command.trader)
    if trader not in ctx.state.traders:
        return unknown_trader(trader)
    message = ctx.new_id("m")
    ctx.emit(
        MessagePosted(
            message=message,
            trader=trader,
            text=command.text,
            symbols=list(dict.fromkeys(command.symbols)),
            stance=command.stance,
            external_id=command.external_id,
            at_us=ctx.time(command.at_us),
            horizon=command.horizon,
            percent=command.percent,
            withdraws=command.withdraws,
            text_score_milli=command.text_score_milli,
        )
    )
    return message


def evolve_message_posted(state: State, event: MessagePosted) -> None:
    """Count the message and hear its author: a declared stance, or what the text was read as."""
    state.totals.messages += 1
    answered = sentiment.addressed(state, event.text)
    if answered is not None:
        sentiment.record_reply(state, event.trader, answered, event.at_us)
    for symbol in event.symbols:
        if symbol in state.instruments:
            _hear(state, symbol, event)


def _hear(state: State, symbol: str, event: MessagePosted) -> None:
    spoken_of = sentiment.sentiment_of(state, symbol)
    sentiment.count_message(spoken_of, event.at_us)
    sentiment.mark_changed(state, symbol, spoken_of)
    if event.stance or event.withdraws:
        sentiment.record_stance(
            state,
            symbol,
            event.trader,
            event.stance,
            event.at_us,
            crowd=event.horizon,
            percent=event.percent,
            text=event.text,
        )
    elif event.text_score_milli:
        sentiment.record_stance(
            state,
            symbol,
            event.trader,
            1 if event.text_score_milli > 0 else -1,
            event.at_us,
            crowd=sentiment.TEXT,
            percent=50 + abs(event.text_score_milli) // 20,
            text=event.text,
        )


DECIDERS: dict[type[Command], Callable[..., Decision]] = {PostMessage: decide_post_message}

EVOLVERS: dict[type[Event], Callable[[State, Any], None]] = {MessagePosted: evolve_message_posted}
