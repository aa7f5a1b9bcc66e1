"""`optix verify --fairness URL`: rechecks a day's fairness report over the public REST surface.

It needs no credential, no store and no settings: an outsider runs it against somebody else's node.
"""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import msgspec

from streams.client.fairness import Opening, Recheck, Report, Signal
from streams.ports import OptixError


PAGE_ITEMS = 200
ANSWER_BYTES_MAX = 8 * 1024 * 1024
TIMEOUT_SECONDS = 30
TRIES_MAX = 20
"""Times that one request is sent while the node asks for patience (429, 503)."""

PATIENCE_SECONDS_MAX = 60.0

T = TypeVar("T")


class FairnessUnreachable(OptixError):
    """The node did not answer, or with something else than a fairness report."""

    code = "FAIRNESS_UNREACHABLE"


class Days(msgspec.Struct, frozen=True):
    """`GET /v1/fairness`."""

    items: list[Report]


class Openings(msgspec.Struct, frozen=True):
    """`GET /v1/fairness/{day}/openings`."""

    items: list[Opening | Signal]
    next_cursor: str | None


def recheck(
    address: str,
    day: str | None,
    commitment: str | None,
    on_progress: Callable[[int], None],
) -> tuple[str, Recheck]:
    """Fetch a day's report and its openings, and check one from the other.

    Args:
        address: of a node, such as `https://optix.example`.
        day: UTC day such as `2026-02-01`; None = the newest that has ended.
        commitment: what was published before that day, hexadecimal, when it was kept.
        on_progress: told the number of openings, page by page.

    Returns:
        The day and what was found.

    Raises:
        FairnessUnreachable: there is no such report, or no answer.
    """
    if urlsplit(address).scheme not in ("http", "https"):
        raise FairnessUnreachable(f"expected an address such as http://host:8000, was {address}")
    base = f"{address.rstrip('/')}/v1/fairness"
    report = _newest(base) if day is None else _fetch(f"{base}/{day}", Report)
    checked = Recheck(report, commitment)
    cursor: str | None = None
    while True:
        query = {"limit": PAGE_ITEMS} | ({} if cursor is None else {"cursor": cursor})
        found = _fetch(f"{base}/{report.day}/openings?{urlencode(query)}", Openings)
        checked.take(found.items)
        on_progress(checked.openings)
        cursor = found.next_cursor
        if cursor is None:
            checked.finish()
            return report.day, checked


def _newest(base: str) -> Report:
    for report in _fetch(base, Days).items:
        if report.closed:
            return report
    raise FairnessUnreachable("expected a day that has ended, was none")


def _fetch(url: str, kind: type[T]) -> T:
    request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310
    body = b""
    for _ in range(TRIES_MAX):
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                body = answer.read(ANSWER_BYTES_MAX + 1)
            break
        except urllib.error.HTTPError as error:
            _wait(url, error)
        except (OSError, ValueError) as error:
            raise FairnessUnreachable(f"{url}: {error}") from error
    if not body or len(body) > ANSWER_BYTES_MAX:
        raise FairnessUnreachable(f"{url}: expected 1 to {ANSWER_BYTES_MAX} bytes")
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FairnessUnreachable(f"{url}: {error}") from error


def _wait(url: str, error: Any) -> None:
    """Wait as the node asks.

    Raises:
        FairnessUnreachable: it did not ask to wait.
    """
    if error.code not in (429, 503):
        detail = error.read(2_000).decode("utf-8", "replace")
        raise FairnessUnreachable(f"{url}: {error.code} {detail}") from error
    asked = error.headers.get("Retry-After", "1")
    time.sleep(min(float(asked) if asked.isdigit() else 1.0, PATIENCE_SECONDS_MAX))
