"""Arguments of a request that cannot be taken, refused with the field's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
