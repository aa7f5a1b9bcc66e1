"""The API's own description: OpenAPI at /openapi.json, a page that renders it at /docs.

The page is three files of ours; it loads nothing from elsewhere, so it works without a network
and under a strict content security policy.
"""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
from litestar import Litestar, Response
from litestar.params import FromPath

from server.api.codes import KINDS, RULE
from server.api.endpoint import endpoint
from server.api.problems import ApiError
from server.api.request import JSON, MSGPACK, ApiRequest
from streams.core.reasons import Reason


STATIC: Final = Path(__file__).parent / "static"

PAGES: Final = {
    "docs.html": "text/html",
    "docs.js": "text/javascript",
    "docs.css": "text/css",
}

TAG = "Documentation"

RULES: Final = {
    reason.value: RULE for reason in Reason if reason.value not in (*KINDS, "OK", "EXECUTED")
}
"""Reasons of the core that are plain refusals, and codes of decisions."""


@endpoint(
    "GET",
    "/openapi.json",
    tag=TAG,
    summary="OpenAPI 3.1 description of this API",
    access="open",
    core=False,
    limited=False,
)
async def get_openapi(request: ApiRequest) -> Response[bytes]:
    """Describe every endpoint, with its parameters, bodies and problems."""
    state = request.app.state
    if "describing" not in state:
        state["describing"] = asyncio.create_task(
            asyncio.to_thread(describe, request.app), name="describe-api"
        )
    body: bytes = await asyncio.shield(state["describing"])
    return Response(body, media_type=JSON)


def describe(app: Litestar) -> bytes:
    """Write the description, which takes some hundred milliseconds: once, when it is asked for."""
    schema: dict[str, Any] = app.openapi_schema.to_schema()
    for operations in schema["paths"].values():
        for operation in operations.values():
            _offer_msgpack(operation)
    schema["x-error-codes"] = [
        {"code": code, **kind._asdict()} for code, kind in {**KINDS, **RULES}.items()
    ]
    return msgspec.json.encode(schema)


def _offer_msgpack(operation: dict[str, Any]) -> None:
    """Name the second codec of bodies and answers."""
    described = [operation.get("requestBody", {}), *operation["responses"].values()]
    for each in described:
        content = each.get("content", {})
        if JSON in content:
            content[MSGPACK] = content[JSON]


@endpoint(
    "GET", "/docs", tag=TAG, summary="This API for people", access="open", core=False, limited=False
)
async def get_docs(request: ApiRequest) -> Response[bytes]:
    """Show the documentation page; it needs no network."""
    del request
    return _page("docs.html")


@endpoint(
    "GET",
    "/docs/{name:str}",
    tag=TAG,
    summary="Parts of the documentation page",
    access="open",
    core=False,
    limited=False,
    codes=("NOT_FOUND",),
)
async def get_docs_part(request: ApiRequest, name: FromPath[str]) -> Response[bytes]:
    """Serve script and style of the page."""
    del request
    return _page(name)


def _page(name: str) -> Response[bytes]:
    media_type = PAGES.get(name)
    if media_type is None:
        raise ApiError("NOT_FOUND", "expected a part of the documentation page")
    return Response(_read(name), media_type=media_type, headers={"Cache-Control": "no-cache"})


@cache
def _read(name: str) -> bytes:
    return (STATIC / name).read_bytes()


ROUTES = [get_openapi, get_docs, get_docs_part]
