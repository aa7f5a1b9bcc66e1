"""The page and its parts are served as they are, and nothing else is."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.app import create_app
from server.web.page import MEDIA_TYPES, PARTS, ROUTES, STATIC
from tests.integration.api_node import api_node


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with api_node(tmp_path) as node:
        application: Any = create_app(node.services, ROUTES)
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client


async def test_the_page_and_every_part_it_names(client: httpx.AsyncClient) -> None:
    page = await client.get("/")

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    named = set(re.findall(r'/static/([^"]+)"', page.text))
    assert named
    assert named <= set(PARTS)
    for name in PARTS:
        part = await client.get(f"/static/{name}")
        assert (200, (STATIC / name).read_bytes()) == (part.status_code, part.content)
        assert f"{MEDIA_TYPES[Path(name).suffix]}; charset=utf-8" == part.headers["content-type"]
        assert part.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "name", ["index.html", "none.js", "..%2Fpage.py", "%2e%2e/page.py", "a%00"]
)
async def test_what_is_no_part_is_not_found(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(f"/static/{name}")

    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


def test_every_file_is_served_and_loads_nothing_from_elsewhere() -> None:
    assert sorted([*PARTS, "index.html"]) == sorted(path.name for path in STATIC.iterdir())
    for path in STATIC.iterdir():
        loaded = re.findall(
            r"""(?:src|href|from|import|url)\s*[=( ]\s*["'](https?:)?//""", path.read_text()
        )
        assert loaded == [], path
