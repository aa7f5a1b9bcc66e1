"""Amounts, fees and times of requests that need no instrument to be understood."""

from __future__ import annotations

from streams.core import commands
from streams.core.money import PPM, bounded, parse_money, parse_parts
from streams.replica.arguments import invalid, parsed_argument
from streams.replica.requests import CashAmount, OpenOrder, Ratio, SetFees


def expiry_us(request: OpenOrder) -> int:
    """Return the microseconds at which a limit order ends, 0 = never."""
    expires_at = request.expires_at
    if expires_at is None:
        return 0
    if request.type != "limit":
        raise invalid("expires_at", "expected none for a market order")
    if expires_at.tzinfo is None:
        raise invalid("expires_at", "expected a time with an offset, such as ...Z")
    return parsed_argument("expires_at", bounded, round(expires_at.timestamp() * 1_000_000))


def amount_micros(request: CashAmount) -> int:
    """Return the micro-units of an amount above 0."""
    amount = parsed_argument("amount", parse_money, request.amount)
    if amount <= 0:
        raise invalid("amount", f"expected an amount above 0, was {request.amount}")
    return amount


def fee_terms(request: SetFees) -> commands.SetFeeTerms:
    """Return the command that sets what a leader asks for; absent fields are None."""

    def share(field: str, value: Ratio | None) -> int | None:
        if value is None:
            return None
        return parsed_argument(field, parse_parts, str(value), PPM)

    flat = request.flat
    return commands.SetFeeTerms(
        performance_ppm=share("performance", request.performance),
        management_ppm=share("management", request.management),
        flat_micros=None if flat is None else parsed_argument("flat", parse_money, flat),
        basis=request.basis,
        period=request.period,
    )
