"""What every request passes before its handler runs.

In this order: query parameters are known, a credential is what it claims to be, the rate allows
it, the credential may do this, the replica has caught up and reached the offset asked for.
"""

from __future__ import annotations

from typing import Any, Final

from litestar.handlers import HTTPRouteHandler

from server.api.addresses import client_address
from server.api.endpoint import RULES_KEY, EndpointRules
from server.api.problems import ApiError, FieldError
from server.api.rates import RateLimit
from server.api.request import ApiRequest
from streams.ports import Offset, Principal


OFFSET_WAIT_S: Final = 2.0
"""Longest wait for `X-Min-Log-Offset`."""

_HANDLER_KEYWORDS = ("request", "data")


class Admission:
    """The application's `before_request` hook.

    Args:
        rate: requests of one account or address.
    """

    def __init__(self, rate: RateLimit) -> None:
        self._rate = rate
        self._parameters: dict[int, frozenset[str]] = {}

    async def __call__(self, request: ApiRequest) -> None:
        """Admit a request.

        Raises:
            ApiError, CommandError: it is refused.
        """
        if request.method == "OPTIONS":
            return
        exchange = request.exchange
        exchange.route = request.scope["path_template"]
        rules = request.route_handler.opt.get(RULES_KEY)
        if not isinstance(rules, EndpointRules):
            raise ApiError("FORBIDDEN", "expected an endpoint with rules, was one without")
        self._check_parameters(request)
        services = request.services
        client = request.client
        address = client_address(
            client.host if client is not None else "",
            request.headers.get("x-forwarded-for"),
            services.settings.trusted_proxies,
        )
        exchange.address = address
        authorization = request.headers.get("authorization")
        if rules.access != "open" and authorization is not None:
            exchange.principal = await services.authenticator.authenticate_header(
                authorization, address
            )
        if rules.limited:
            self._check_rate(request, address)
        check_access(rules, exchange.principal)
        if rules.core:
            await _check_offset(request)

    def _check_parameters(self, request: ApiRequest) -> None:
        handler = request.route_handler
        known = self._parameters.get(id(handler))
        if known is None:
            known = self._parameters[id(handler)] = query_parameters(
                handler, request.scope["path_params"]
            )
        unknown = [name for name in request.query_params if name not in known]
        if unknown:
            expected = ", ".join(sorted(known)) or "none"
            raise ApiError(
                "UNKNOWN_PARAMETER",
                f"expected query parameters among {expected}, was {unknown[0]}",
                errors=[
                    FieldError(name, "UNKNOWN_PARAMETER", f"expected one of {expected}")
                    for name in unknown
                ],
            )

    def _check_rate(self, request: ApiRequest, address: str) -> None:
        principal = request.exchange.principal
        if principal is not None and "service" in principal.roles:
            return
        subject = f"address:{address}" if principal is None else f"account:{principal.trader}"
        allowance = self._rate.take(subject)
        headers = allowance.headers()
        request.exchange.headers.update(headers)
        if not allowance.allowed:
            request.services.meters.rate_limited += 1
            raise ApiError(
                "RATE_LIMITED",
                f"expected at most {allowance.limit} requests at once, "
                f"come back in {allowance.retry_s} s",
                headers=headers,
            )


def query_parameters(handler: HTTPRouteHandler, path_parameters: dict[str, Any]) -> frozenset[str]:
    """Return the names of the query parameters that a handler takes."""
    names = []
    for name, field in handler.parsed_fn_signature.parameters.items():
        if name in _HANDLER_KEYWORDS or name in path_parameters:
            continue
        alias = getattr(field.kwarg_definition, "name", None)
        names.append(alias or name)
    return frozenset(names)


def check_access(rules: EndpointRules, principal: Principal | None) -> None:
    """Check that a principal may call an endpoint.

    Raises:
        ApiError: `UNAUTHENTICATED` or `FORBIDDEN`.
    """
    if principal is None:
        if rules.access in ("account", "service"):
            raise ApiError("UNAUTHENTICATED", "expected a credential, was none")
        return
    if rules.access == "service":
        if not {"service", "admin"} & set(principal.roles):
            raise ApiError("FORBIDDEN", "expected the credential of a service")
    elif rules.access == "account" and rules.scope not in principal.scopes:
        raise ApiError("FORBIDDEN", f"expected a credential with scope {rules.scope}")


async def _check_offset(request: ApiRequest) -> None:
    replica = request.services.replica
    if not replica.ready:
        raise ApiError("NOT_READY", "this node is catching up with the log")
    text = request.headers.get("x-min-log-offset")
    if text is None:
        return
    try:
        wanted = Offset.parse(text)
    except ValueError:
        raise ApiError(
            "INVALID_ARGUMENT",
            "expected an offset like 1767225600000-3.2, was something else",
            field="X-Min-Log-Offset",
        ) from None
    if not await replica.applied(wanted.entry_id, seconds_max=OFFSET_WAIT_S):
        raise ApiError(
            "NOT_CAUGHT_UP",
            f"expected {text} within {OFFSET_WAIT_S:g} s, was at {replica.offset}",
            headers={"X-Log-Offset": replica.offset},
        )
