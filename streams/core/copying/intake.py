"""Stage 1 at a venue that numbers its fills: each is booked once and in order.

A number that was seen is a duplicate. A number ahead of the next one is held until the gap fills,
or until it has waited `HELD_FILL_AGE_US_MAX`; then it is booked in the order of numbers. Fills made
here, and of venues without numbers, are in order by the log.
Source: domain.md, section 4.4 (`DUPLICATE_SIGNAL`, `OUT_OF_ORDER`).
"""

from __future__ import annotations

from streams.core.commands import ReportFill
from streams.core.context import Context, Evolvers, Refusal
from streams.core.events import FillHeld
from streams.core.limits import HELD_FILL_AGE_US_MAX, HELD_FILLS_MAX
from streams.core.reasons import Reason
from streams.core.state import HeldFill, State


def out_of_order(ctx: Context, trader: str, command: ReportFill, at_us: int) -> Refusal | bool:
    """Refuse a repeated fill, or hold one that came too early.

    Returns:
        A refusal, or whether it is held; False lets it be booked.
    """
    desk, number = ctx.state.copy_desk, command.sequence
    if number == 0 or command.source != "venue":
        return False
    last, held = desk.sequences.get(trader, 0), desk.held.get(trader, {})
    if number <= last or number in held:
        return Refusal(
            Reason.DUPLICATE_SIGNAL, f"expected a number above {last}, was {number}", "sequence"
        )
    # The first number that is ever seen begins the count.
    if number == last + 1 or trader not in desk.sequences:
        return False
    if len(held) >= HELD_FILLS_MAX:
        return Refusal(Reason.LIMIT_REACHED, f"at most {HELD_FILLS_MAX} fills wait", "sequence")
    ctx.emit(
        FillHeld(
            trader,
            number,
            command.symbol,
            command.lots,
            command.price_ticks,
            command.fee_micros,
            command.execution,
            command.test,
            Reason.OUT_OF_ORDER.value,
            at_us,
        )
    )
    return True


def next_held(state: State, trader: str, now_us: int) -> int:
    """Return the number of the held fill that may be booked now, 0 = none.

    Args:
        state: read only.
        trader: whose account.
        now_us: log time; a fill that waited too long no longer waits for the gap.
    """
    desk = state.copy_desk
    held = desk.held.get(trader)
    if not held:
        return 0
    number = min(held)
    due = now_us - held[number].held_at_us > HELD_FILL_AGE_US_MAX
    return number if due or number == desk.sequences[trader] + 1 else 0


def evolve_fill_held(state: State, event: FillHeld) -> None:
    """Keep the fill until its turn; log time is the entry's."""
    state.copy_desk.held.setdefault(event.trader, {})[event.sequence] = HeldFill(
        event.symbol,
        event.lots,
        event.price_ticks,
        event.fee_micros,
        event.execution,
        event.test,
        event.at_us,
        state.entry_ms * 1000,
    )


def evolve_sequence(state: State, trader: str, number: int) -> None:
    """Count a numbered fill that was booked. Called by `evolve_*` only."""
    desk = state.copy_desk
    desk.sequences[trader] = max(number, desk.sequences.get(trader, 0))
    held = desk.held.get(trader)
    if held is not None:
        held.pop(number, None)
        if not held:
            del desk.held[trader]


EVOLVERS: Evolvers = {FillHeld: evolve_fill_held}
