"""Messages: what traders say about symbols. The archive keeps the text, the core the stance.

A stance counts for registered instruments only, so that voices stay bounded; a message may name
other symbols all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.core.commands import Command, PostMessage
from streams.core.context import Context, Decision
from streams.core.events import Event, MessagePosted
from streams.core.sentiment import record_stance
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
        )
    )
    return message


def evolve_message_posted(state: State, event: MessagePosted) -> None:
    """Count the message and hear its author, if a stance is declared."""
    state.totals.messages += 1
    if event.stance == 0:
        return
    for symbol in event.symbols:
        if symbol in state.instruments:
            record_stance(state, symbol, event.trader, event.stance, event.at_us)


DECIDERS: dict[type[Command], Callable[..., Decision]] = {PostMessage: decide_post_message}

EVOLVERS: dict[type[Event], Callable[[State, Any], None]] = {MessagePosted: evolve_message_posted}
