"""Arguments of a request: parsed, or refused with the field's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.core.money import parse_steps
from streams.core.state import Instrument, State
from streams.ports import CommandError


def invalid(field: str, message: str) -> CommandError:
    """Return the error for an argument that cannot be taken."""
    return CommandError("INVALID_ARGUMENT", f"{field}: {message}", field=field)


def parsed_argument(field: str, parse: Callable[..., int], *arguments: Any) -> int:
    """Return what `parse` makes of the arguments.

    Raises:
        CommandError: `INVALID_ARGUMENT` with the field, where `parse` finds no value.
    """
    try:
        return parse(*arguments)
    except (ValueError, ArithmeticError) as error:
        raise invalid(field, str(error)) from None


def instrument_argument(state: State, symbol: str) -> Instrument:
    """Return the instrument of a symbol.

    Raises:
        CommandError: `UNKNOWN_INSTRUMENT`.
    """
    instrument = state.instruments.get(symbol)
    if instrument is None:
        raise CommandError("UNKNOWN_INSTRUMENT", f"no instrument {symbol}", field="symbol")
    return instrument


def price_argument(instrument: Instrument, field: str, text: str | None) -> int:
    """Return a price in ticks, 0 for none.

    Raises:
        CommandError: `INVALID_ARGUMENT` with the field: no decimal, off the tick, or not above 0.
    """
    if text is None:
        return 0
    ticks = parsed_argument(field, parse_steps, text, instrument.tick)
    if ticks <= 0:
        raise invalid(field, f"expected a price above 0, was {text}")
    return ticks
