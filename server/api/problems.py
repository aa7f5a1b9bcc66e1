"""Errors as RFC 9457 problems: one shape for every error of REST.

Whatever goes wrong below, the caller gets `application/problem+json` with a code of the closed
list (see `codes`); what it must not know (stack, SQL, addresses of servers) goes to the log only.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from server.api.codes import kind_of
from storage.errors import InvalidCursor, RefreshRefused, StorageError, TextRefused
from streams.ports import CommandError, CommandOutcome, OptixError


PROBLEM_MEDIA_TYPE = "application/problem+json"

RETRY_SECONDS = 1
"""`Retry-After` of a 503 that does not know better."""

CODES_OF_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "RATE_LIMITED",
}
"""Codes of the errors that the framework raises."""


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one field of the request."""

    field: str
    code: str
    detail: str


class Problem(msgspec.Struct, frozen=True):
    """An error, RFC 9457. `code` is one of a closed list; `type` leads to its description."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldError] = []


class ApiError(OptixError):
    """An error of the edge, on its way to becoming a problem.

    Attributes:
        code: see `server.api.codes`.
        detail: what was expected and what it was.
        errors: fields at fault.
        headers: more headers of the answer.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        field: str | None = None,
        errors: list[FieldError] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = errors if errors is not None else []
        if field is not None:
            self.errors = [*self.errors, FieldError(field, code, detail)]
        self.headers = headers or {}


def problem(code: str, detail: str, errors: list[FieldError] | None = None) -> Problem:
    """Return the problem of a code."""
    kind = kind_of(code)
    return Problem(
        type=f"/docs#error-{code.lower()}",
        title=kind.title,
        status=kind.status,
        detail=detail,
        code=code,
        errors=errors or [],
    )


def problem_response(found: Problem, headers: dict[str, str] | None = None) -> Response[bytes]:
    """Return the answer that carries a problem."""
    headers = dict(headers or {})
    if found.status == 401:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="optix"')
    if found.status in (429, 503):
        headers.setdefault("Retry-After", str(RETRY_SECONDS))
    headers["Cache-Control"] = "no-store"
    return Response(
        msgspec.json.encode(found),
        status_code=found.status,
        media_type=PROBLEM_MEDIA_TYPE,
        headers=headers,
    )


def refusal(outcome: CommandOutcome) -> ApiError:
    """Return the error for a command that the core refused."""
    headers = {"X-Log-Offset": outcome.offset}
    if outcome.replayed:
        headers["Idempotent-Replayed"] = "true"
    detail = outcome.message or "the first request with this Idempotency-Key was refused"
    return ApiError(outcome.code, detail, field=outcome.field, headers=headers)


def _command_error(error: CommandError) -> Response[bytes]:
    errors = [FieldError(error.field, error.code, error.message)] if error.field else []
    headers = {}
    if error.retry_ms is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_ms / 1000)))
    return problem_response(problem(error.code, error.message, errors), headers)


def _storage_error(error: StorageError) -> Response[bytes]:
    if isinstance(error, InvalidCursor | RefreshRefused | TextRefused):
        return problem_response(problem(error.code, str(error)))
    structlog.get_logger("server.api").error("storage_failed", error=str(error), code=error.code)
    return problem_response(problem("STORE_UNAVAILABLE", "expected PostgreSQL to answer"))


def _http_error(error: HTTPException) -> Response[bytes]:
    code = CODES_OF_STATUS.get(error.status_code, "INTERNAL")
    errors = []
    if isinstance(error, ValidationException) and isinstance(error.extra, list):
        errors = [
            FieldError(str(item.get("key", "")), code, str(item["message"])) for item in error.extra
        ]
    detail = error.detail
    if errors:
        detail = "; ".join(f"{each.field}: {each.detail}" for each in errors)
    elif code == "NOT_FOUND":
        detail = "expected a documented address"
    return problem_response(problem(code, detail, errors), error.headers)


def on_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Turn any exception into a problem; the only exception handler of the application."""
    match error:
        case ApiError():
            found = problem(error.code, error.detail, error.errors)
            return problem_response(found, error.headers)
        case CommandError():
            return _command_error(error)
        case StorageError():
            return _storage_error(error)
        case HTTPException() if error.status_code < 500:
            return _http_error(error)
        case _:
            structlog.get_logger("server.api").error(
                "request_failed", path=request.url.path, method=request.method, exc_info=error
            )
            return problem_response(problem("INTERNAL", "the request could not be answered"))
