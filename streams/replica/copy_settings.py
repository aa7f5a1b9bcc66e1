"""Settings of a copy from what a client writes to what the log carries.

The table of `streams.core.view.settings` says how each is spelled, so that what is shown can be
sent back unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from streams.core.money import BPS, PPM, parse_decimal, parse_money, parse_parts
from streams.core.view.settings import NANOS_DIGITS, SETTINGS, WEEKDAYS, Kind
from streams.replica.arguments import invalid, parsed_argument
from streams.replica.requests import CopySettingsPatch, NewsWindow, SessionWindow


def _quantity(text: str) -> int:
    scaled = parse_decimal(text).scaleb(NANOS_DIGITS)
    if scaled != int(scaled):
        raise ValueError(f"expected at most {NANOS_DIGITS} decimal places, was {text}")
    return int(scaled)


def _minute(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _session(window: SessionWindow) -> tuple[int, int, int]:
    days = 0
    for name in window.days:
        days |= 1 << WEEKDAYS.index(name)
    return days, _minute(window.first), _minute(window.end)


def _instant(field: str, time: datetime) -> int:
    if time.tzinfo is None:
        raise invalid(field, f"expected a time with its zone, was {time.isoformat()}")
    since = time.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _news(field: str, window: NewsWindow) -> tuple[str, int, int]:
    return window.symbol, _instant(field, window.first), _instant(field, window.end)


def _ppm(field: str, value: float | str) -> int:
    return parsed_argument(field, parse_parts, str(value), PPM)


_READERS: dict[Kind, Callable[[str, Any], Any]] = {
    "money": lambda field, text: parsed_argument(field, parse_money, text),
    "quantity": lambda field, text: parsed_argument(field, _quantity, text),
    "ppm": _ppm,
    "bps": lambda field, value: parsed_argument(field, parse_parts, str(value), BPS),
    "plain": lambda _, value: value,
    "list": lambda _, values: values,
    "factors": lambda field, factors: {name: _ppm(field, one) for name, one in factors.items()},
    "names": lambda _, names: names,
    "sessions": lambda _, windows: [_session(window) for window in windows],
    "news": lambda field, windows: [_news(field, window) for window in windows],
}


def copy_patch(patch: CopySettingsPatch) -> dict[str, Any]:
    """Return the fields of a `SetCopy` command that a patch names.

    Raises:
        CommandError: `INVALID_ARGUMENT` with the name of the setting.
    """
    found: dict[str, Any] = {}
    for name, field, kind, _ in SETTINGS:
        value = getattr(patch, name)
        if value is not None:
            found[field] = _READERS[kind](name, value)
    return found
