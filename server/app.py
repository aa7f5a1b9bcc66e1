"""The REST application: routes, one error shape, common headers, one log line a request.

`create_app` builds everything from the services it is given; nothing happens at import.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

import structlog
from litestar import Litestar, Router
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.enums import ScopeType
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import (
    ControllerRouterHandler,
    HTTPScope,
    LifeSpanReceive,
    LifeSpanScope,
    LifeSpanSend,
    Message,
    Receive,
    Scope,
    Send,
)

from server.api import (
    administration,
    analytics,
    copies,
    copy_admin,
    copy_settings,
    documentation,
    fairness,
    feed,
    idea_reactions,
    ideas,
    identity,
    integrity,
    market,
    network,
    notifications,
    operations,
    orders,
    profile,
    seasons,
    sentiment,
    stream_history,
)
from server.api.admission import Admission
from server.api.endpoint import OPEN_RULES, RULES_KEY
from server.api.exchange import Exchange
from server.api.problems import on_error
from server.api.rates import RateLimit
from server.api.request import ApiRequest
from server.services import Services


BODY_BYTES_MAX: Final = 1024 * 1024
"""Body of a request; beyond it 413. The feed has its own bound."""

ATTEMPTS_BURST: Final = 20
"""Attempts to get in that one address or account may make at once."""

API_VERSION: Final = "1.0.0"

SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'",
}

EXPOSED_HEADERS: Final = [
    "ETag",
    "Idempotent-Replayed",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "X-Log-Offset",
    "X-Request-Id",
]

QUIET_ROUTES: Final = ("/health", "/health/ready", "/metrics")
"""Routes whose successes are logged at debug only: they are asked every few seconds."""

ROUTES: Final[list[ControllerRouterHandler]] = [
    *identity.ROUTES,
    *profile.ROUTES,
    *network.ROUTES,
    *feed.ROUTES,
    *notifications.ROUTES,
    *ideas.ROUTES,
    *idea_reactions.ROUTES,
    *market.ROUTES,
    *orders.ROUTES,
    *copies.ROUTES,
    *copy_settings.ROUTES,
    *copy_admin.ROUTES,
    *fairness.ROUTES,
    *analytics.ROUTES,
    *sentiment.ROUTES,
    *stream_history.ROUTES,
    *operations.ROUTES,
    *administration.ROUTES,
    *integrity.ROUTES,
    *seasons.ROUTES,
    *documentation.ROUTES,
]


class Application(Litestar):
    """Litestar with one wrapper outside of routing, so that 404s are counted and marked too."""

    async def __call__(
        self,
        scope: Scope | LifeSpanScope,
        receive: Receive | LifeSpanReceive,
        send: Send | LifeSpanSend,
    ) -> None:
        """Serve one connection."""
        if scope["type"] != ScopeType.HTTP:
            await super().__call__(scope, receive, send)
            return
        http = cast("HTTPScope", scope)
        given = next((value for name, value in http["headers"] if name == b"x-request-id"), None)
        exchange = Exchange(given)
        http.setdefault("state", {})["exchange"] = exchange
        send_message: Any = send

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                _add_headers(message, exchange)
            await send_message(message)

        try:
            await super().__call__(http, receive, send_marked)
        finally:
            self._note(http["method"], exchange)

    def _note(self, method: str, exchange: Exchange) -> None:
        """Count and log an answer that was sent, or 499 when the client went away before."""
        services: Services = self.state.services
        route = exchange.route or "unknown"
        status = exchange.status or 499
        services.meters.answered(method, route, status, exchange.seconds)
        log = structlog.get_logger("server.request")
        quiet = route in QUIET_ROUTES and status < 500
        write = log.debug if quiet else log.info
        write(
            "request",
            method=method,
            route=route,
            status=status,
            duration_ms=round(exchange.seconds * 1000, 3),
            request_id=exchange.request_id,
            trader=exchange.principal.trader if exchange.principal else None,
        )


def _add_headers(message: Any, exchange: Exchange) -> None:
    headers: list[tuple[bytes, bytes]] = list(message.get("headers", ()))
    present = {name.lower() for name, _ in headers}
    for name, value in (*exchange.headers.items(), *SECURITY_HEADERS.items()):
        encoded = name.lower().encode("ascii")
        if encoded not in present:
            headers.append((encoded, value.encode("latin-1")))
    message["headers"] = headers


def create_app(services: Services, routes: Sequence[ControllerRouterHandler] = ()) -> Application:
    """Build the application.

    Args:
        services: the node's parts; they are started and stopped by the composition root.
        routes: further handlers, such as the web terminal at `/`. Each needs rules in its `opt`,
            see `server.api.endpoint`.

    Returns:
        An ASGI application for uvicorn.
    """
    settings = services.settings
    rate = RateLimit(settings.rate_per_second, settings.rate_burst, services.clock.monotonic)
    attempts = RateLimit(
        settings.auth_rate_per_minute / 60, ATTEMPTS_BURST, services.clock.monotonic
    )
    cors = None
    if settings.cors_origins:
        cors = CORSConfig(
            allow_origins=list(settings.cors_origins),
            allow_headers=[
                "Authorization",
                "Content-Type",
                "Idempotency-Key",
                "If-None-Match",
                "X-Min-Log-Offset",
                "X-Request-Id",
            ],
            expose_headers=EXPOSED_HEADERS,
        )
    admission: Any = Admission(rate)  # takes our own class of request
    return Application(
        route_handlers=[*ROUTES, *routes],
        before_request=admission,
        exception_handlers={Exception: on_error},
        request_class=ApiRequest,
        request_max_body_size=BODY_BYTES_MAX,
        state=State({"services": services, "attempts": attempts}),
        cors_config=cors,
        openapi_config=_openapi(),
        logging_config=None,
        debug=False,
    )


def _openapi() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="OPTIX",
        version=API_VERSION,
        description="A social-trading network as one real-time server.",
        use_handler_docstrings=True,
        openapi_router=Router(
            "/schema", route_handlers=[], include_in_schema=False, opt={RULES_KEY: OPEN_RULES}
        ),
        render_plugins=[JsonRenderPlugin()],
        components=Components(
            security_schemes={
                "access_token": SecurityScheme(
                    type="http", scheme="bearer", bearer_format="JWT", description="Access token."
                ),
                "api_key": SecurityScheme(
                    type="apiKey",
                    name="Authorization",
                    security_scheme_in="header",
                    description="`Key optix_…`, an API key.",
                ),
            }
        ),
    )
