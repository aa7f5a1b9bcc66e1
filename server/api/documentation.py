"""The API's own description: OpenAPI at /openapi.json, a page that renders it at /docs.

The page is three files of ours; it loads nothing from elsewhere, so it works without a network
and under a strict content security policy.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
from litestar import Response
from litestar.params import FromPath

from server.api.endpoint import endpoint
from server.api.problems import ApiError
from server.api.request import ApiRequest


STATIC: Final = Path(__file__).parent / "static"

PAGES: Final = {
    "docs.html": "text/html; charset=utf-8",
    "docs.js": "text/javascript; charset=utf-8",
    "docs.css": "text/css; charset=utf-8",
}

TAG = "Documentation"


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
    if "openapi_bytes" not in state:
        schema: dict[str, Any] = request.app.openapi_schema.to_schema()
        state["openapi_bytes"] = msgspec.json.encode(schema)
    body: bytes = state["openapi_bytes"]
    return Response(body, media_type="application/json")


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
