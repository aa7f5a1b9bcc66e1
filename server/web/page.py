"""The page at `/` and its parts: plain files that load nothing from elsewhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from litestar import Response
from litestar.params import FromPath

from server.api.endpoint import endpoint
from server.api.problems import ApiError
from server.api.request import ApiRequest


STATIC: Final = Path(__file__).parent / "static"

MEDIA_TYPES: Final = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
}
"""By ending; the framework adds that text is UTF-8."""

PARTS: Final = ("app.js", "checksum.js", "models.js", "stream.js", "style.css")

TAG = "Page"


@endpoint("GET", "/", tag=TAG, summary="The page", access="open", core=False, limited=False)
async def get_page(request: ApiRequest) -> Response[bytes]:
    """Show the page: marks, a board, books, signals and copies, live."""
    del request
    return _file("index.html")


@endpoint(
    "GET",
    "/static/{name:str}",
    tag=TAG,
    summary="Parts of the page",
    access="open",
    core=False,
    limited=False,
    codes=("NOT_FOUND",),
)
async def get_page_part(request: ApiRequest, name: FromPath[str]) -> Response[bytes]:
    """Serve scripts and style of the page."""
    del request
    if name not in PARTS:
        raise ApiError("NOT_FOUND", "expected a part of the page")
    return _file(name)


def _file(name: str) -> Response[bytes]:
    media_type = MEDIA_TYPES[Path(name).suffix]
    return Response(_read(name), media_type=media_type, headers={"Cache-Control": "no-cache"})


@cache
def _read(name: str) -> bytes:
    return (STATIC / name).read_bytes()


ROUTES = [get_page, get_page_part]
