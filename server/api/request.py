"""The request as handlers see it: services, caller, and a strictly decoded body.

Bodies are JSON or msgpack by `Content-Type`, decoded straight into the handler's struct: unknown
fields and wrong types are refused with the field's name, numbers never become strings or the
other way round.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request

from server.api.exchange import Exchange
from server.api.problems import ApiError
from server.api.rates import RateLimit
from server.services import Services
from streams.core.state import State
from streams.ports import Principal
from streams.protocol.duplicates import duplicate_key


JSON = "application/json"
MSGPACK = "application/msgpack"
MSGPACK_NAMES = (MSGPACK, "application/x-msgpack", "application/vnd.msgpack")


class ApiRequest(Request[Any, Any, Any]):
    """A request of the API."""

    @property
    def services(self) -> Services:
        """Return what the node is made of."""
        services: Services = self.app.state.services
        return services

    @property
    def exchange(self) -> Exchange:
        """Return the record of this request and its answer."""
        exchange: Exchange = self.scope["state"]["exchange"]
        return exchange

    @property
    def attempts(self) -> RateLimit:
        """Return the counts of attempts to get in."""
        attempts: RateLimit = self.app.state.attempts
        return attempts

    @property
    def core(self) -> State:
        """Return the core's state; read only."""
        return self.services.replica.state

    @property
    def principal(self) -> Principal | None:
        """Return who asks, None for nobody known."""
        return self.exchange.principal

    @property
    def caller(self) -> Principal:
        """Return who asks, where admission has made sure that somebody is known."""
        principal = self.exchange.principal
        if principal is None:
            raise ApiError("UNAUTHENTICATED", "expected a credential, was none")
        return principal

    @property
    def wants_msgpack(self) -> bool:
        """Return whether the answer shall be msgpack."""
        accept = self.headers.get("accept", "")
        return any(name in accept for name in MSGPACK_NAMES) and JSON not in accept

    async def body(self) -> bytes:
        """Return the body; an endpoint that takes one reads nothing as an empty object."""
        body = await super().body()
        if not body and "data" in self.route_handler.parsed_fn_signature.parameters:
            return b"{}"
        return body

    async def json(self) -> Any:
        """Decode the body for the framework; named so by it, whatever the body's codec."""
        form = self.route_handler.parsed_fn_signature.parameters["data"].annotation
        name = self.content_type[0].lower()
        body = await self.body()
        try:
            if name in ("", JSON):
                decoded = msgspec.json.decode(body, type=form)
                twice = duplicate_key(body)
                if twice is not None:
                    raise ApiError(
                        "MALFORMED", f"expected each key once, was {twice!r} twice", field=twice
                    )
                return decoded
            if name in MSGPACK_NAMES:
                return msgspec.msgpack.decode(body, type=form)
        except msgspec.ValidationError as error:
            raise invalid_body(error) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ApiError("MALFORMED", f"expected a sound body: {error}") from None
        raise ApiError("UNSUPPORTED_MEDIA_TYPE", f"expected {JSON} or {MSGPACK}, was {name}")


def invalid_body(error: msgspec.ValidationError) -> ApiError:
    """Return the error for a body of the wrong shape, with the field at fault."""
    text, _, path = str(error).partition(" - at `$")
    field = path.rstrip("`").lstrip(".")
    if "field `" in text:
        inner = text.partition("field `")[2].rstrip("`")
        field = f"{field}.{inner}" if field else inner
    return ApiError("INVALID_ARGUMENT", f"{field or 'body'}: {text}", field=field or "body")
