"""Messages the session answers with, in one place so that they all look alike."""

from __future__ import annotations

from typing import Any

from streams.ports import CommandError
from streams.protocol.codes import ErrorCode
from streams.protocol.effects import Reply
from streams.protocol.operations import RequestId


def with_re(message: dict[str, Any], re: RequestId | None) -> dict[str, Any]:
    """Return the message with `re` in second place, unchanged when there is no request."""
    return message if re is None else {"t": message["t"], "re": re, **message}


def error_reply(
    re: RequestId | None,
    code: str,
    message: str,
    *,
    field: str | None = None,
    retry_ms: int | None = None,
) -> Reply:
    """Return an `err`: a refused request, or without `re` a complaint about what was received.

    Args:
        re: the request's id.
        code: an `ErrorCode`, or a reason code of the core.
        message: what was expected and what was found.
        field: path of the argument at fault.
        retry_ms: milliseconds after which asking again makes sense.
    """
    reply: dict[str, Any] = {"t": "err", "code": str(code), "msg": message}
    if field is not None:
        reply["field"] = field
    if retry_ms is not None:
        reply["retry_ms"] = retry_ms
    return Reply(with_re(reply, re))


def command_error_reply(re: RequestId | None, error: CommandError) -> Reply:
    """Return the `err` for an error of the command port or the authenticator."""
    return error_reply(re, error.code, error.message, field=error.field, retry_ms=error.retry_ms)


def unauthenticated_reply(re: RequestId) -> Reply:
    """Return the `err` for a request that needs a principal."""
    return error_reply(re, ErrorCode.UNAUTHENTICATED, "expected an authenticated socket: send auth")
