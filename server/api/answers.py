"""How answers are made: codec by `Accept`, offset, entity tag, and the answer to a command.

Invariants:
    * What comes from the core carries `X-Log-Offset`, the offset it is true at.
    * An entity tag is a digest of the body, so two nodes with equal data give equal tags, and a
      quiet board stays unmodified while the log goes on.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

import msgspec
import structlog
from litestar import Response

from server.api.problems import refusal
from server.api.request import JSON, MSGPACK, ApiRequest


_log = structlog.get_logger("server.api")


def answer(
    request: ApiRequest,
    data: Any,
    *,
    status: int = 200,
    offset: str | None = None,
    tagged: bool = False,
    core: bool = True,
    headers: dict[str, str] | None = None,
) -> Response[Any]:
    """Return an answer in the codec that the caller accepts.

    Args:
        request: what is answered.
        data: JSON-able value or struct.
        status: HTTP status.
        offset: the offset it is true at; the newest one when None.
        tagged: whether it may be revalidated by `If-None-Match`.
        core: whether it comes from the replica.
        headers: more headers.
    """
    packed = request.wants_msgpack
    body = msgspec.msgpack.encode(data) if packed else msgspec.json.encode(data)
    found = {"Vary": "Accept, Authorization", "Cache-Control": "no-store", **(headers or {})}
    if core:
        found["X-Log-Offset"] = offset or request.services.replica.offset
    if tagged:
        tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        found["ETag"] = tag
        found["Cache-Control"] = "no-cache"
        if _matches(request.headers.get("if-none-match"), tag):
            return Response(b"", status_code=304, headers=found, media_type=JSON)
    return Response(body, status_code=status, headers=found, media_type=MSGPACK if packed else JSON)


def page(
    request: ApiRequest,
    items: list[Any],
    next_cursor: str | None,
    *,
    tagged: bool = False,
    core: bool = True,
    **more: Any,
) -> Response[Any]:
    """Return a page of a list.

    Args:
        request: what is answered.
        items: the rows.
        next_cursor: cursor of the next page, None on the last one.
        tagged: see `answer`.
        core: see `answer`.
        more: further fields beside the items.
    """
    data = {"items": items, "next_cursor": next_cursor, **more}
    return answer(request, data, tagged=tagged, core=core)


async def command(
    request: ApiRequest, name: str, args: dict[str, Any], *, status: int = 200
) -> Response[Any]:
    """Hand in a command of the caller and answer with its result.

    Args:
        request: names the caller and its idempotency key.
        name: see `streams.replica.building.REQUESTS`.
        args: its arguments.
        status: of success.

    Raises:
        ApiError: the core refused.
        CommandError: it was not accepted, or the outcome is unknown.
    """
    caller = request.caller
    # Without a key the request can't be repeated safely, but over REST that is the caller's choice.
    key = request.headers.get("idempotency-key") or secrets.token_hex(16)
    outcome = await request.services.edge.execute(caller, name, args, key)
    _log.debug(
        "command",
        name=name,
        code=outcome.code,
        offset=outcome.offset,
        trader=caller.trader,
        replayed=outcome.replayed,
        request_id=request.exchange.request_id,
    )
    if outcome.code != "OK":
        raise refusal(outcome)
    headers = {"Idempotent-Replayed": "true"} if outcome.replayed else {}
    return answer(request, outcome.result, status=status, offset=outcome.offset, headers=headers)


def _matches(header: str | None, tag: str) -> bool:
    if header is None:
        return False
    candidates = [part.strip().removeprefix("W/") for part in header.split(",")]
    return "*" in candidates or tag in candidates
