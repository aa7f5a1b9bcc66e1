"""Arguments of commands on their way to the wire: decimal strings, and nothing that is absent."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias


Amount: TypeAlias = str | int | Decimal


def amount_text(amount: Amount | None) -> str | None:
    """Return an amount as the wire spells it, None for none.

    Raises:
        TypeError: a float, which is rarely the number that was meant.
    """
    if isinstance(amount, float):
        raise TypeError(f"expected str, int or Decimal, was the float {amount!r}")
    return f"{amount:f}" if isinstance(amount, Decimal) else None if amount is None else str(amount)


def given(args: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that are not None."""
    return {name: value for name, value in args.items() if value is not None}
