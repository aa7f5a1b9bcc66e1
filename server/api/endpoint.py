"""How an endpoint is declared: who may call it, what it needs, which problems it answers with.

Invariant: a route without rules is not served; admission looks at nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec

from server.api.codes import KINDS, RULE
from server.api.problems import PROBLEM_MEDIA_TYPE, Problem


Access = Literal["open", "read", "account", "service"]
"""`open`: credentials are not looked at; `read`: optional; `account`: required; `service`: of this
machine or an administrator."""

RULES_KEY = "rules"

SECURITY: list[dict[str, list[str]]] = [{"access_token": []}, {"api_key": []}]


class EndpointRules(msgspec.Struct, frozen=True, kw_only=True):
    """What admission checks before a handler runs.

    Attributes:
        access: who may call it.
        scope: what the credential must allow, where one is required.
        core: whether the answer comes from the replica, so that it must have caught up.
        limited: whether requests are counted against the rate.
    """

    access: Access
    scope: str = "read"
    core: bool = True
    limited: bool = True


OPEN_RULES = EndpointRules(access="open", core=False, limited=False)
"""For pages and files that everybody may have."""


def endpoint(
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"],
    path: str | list[str],
    *,
    tag: str,
    summary: str,
    access: Access = "read",
    scope: str = "read",
    core: bool = True,
    limited: bool = True,
    status: int = 200,
    codes: Sequence[str] = (),
    body_bytes_max: int | None = None,
) -> Callable[[Callable[..., Any]], HTTPRouteHandler]:
    """Declare an endpoint.

    Args:
        method: HTTP method.
        path: with typed parameters.
        tag: its chapter of the documentation.
        summary: one line for the documentation.
        access: see `EndpointRules`.
        scope: see `EndpointRules`.
        core: see `EndpointRules`.
        limited: see `EndpointRules`.
        status: of success.
        codes: error codes besides those that every endpoint of its kind may answer.
        body_bytes_max: size of the body, when it differs from the application's.
    """
    options: dict[str, Any] = {}
    if body_bytes_max is not None:
        options["request_max_body_size"] = body_bytes_max
    rules = EndpointRules(access=access, scope=scope, core=core, limited=limited)
    return HTTPRouteHandler(
        path,
        http_method=method,
        status_code=status,
        summary=summary,
        tags=[tag],
        opt={RULES_KEY: rules},
        security=None if access == "open" else SECURITY,
        responses=_responses(method, rules, codes),
        **options,
    )


def _responses(method: str, rules: EndpointRules, codes: Sequence[str]) -> dict[int, ResponseSpec]:
    """Return the documented problems of an endpoint by status."""
    found = ["INVALID_ARGUMENT", "UNKNOWN_PARAMETER", "INTERNAL", *codes]
    if rules.access != "open":
        found.append("UNAUTHENTICATED")
    if rules.access in ("account", "service"):
        found.append("FORBIDDEN")
    if rules.limited:
        found.append("RATE_LIMITED")
    if rules.core:
        found += ["NOT_READY", "NOT_CAUGHT_UP"]
    if method in ("POST", "PUT", "PATCH"):
        found += ["MALFORMED", "TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"]
    if method != "GET" and rules.core:
        found += ["LOG_FULL", "OUTCOME_UNKNOWN", "LIMIT_REACHED"]
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys(found):
        by_status.setdefault(KINDS.get(code, RULE).status, []).append(code)
    return {
        status: ResponseSpec(
            Problem,
            generate_examples=False,
            description=", ".join(f"`{code}`" for code in sorted(group)),
            media_type=PROBLEM_MEDIA_TYPE,
        )
        for status, group in sorted(by_status.items())
    }
