"""The tables of docs/reference are what the program serves.

`OPTIX_TEST_WRITE_DOCUMENTS=1` writes them anew instead of comparing.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from server.api.reference import endpoints_table, errors_table
from server.app import create_app
from server.settings import settings_table
from tests.integration.api_node import api_node


REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
TABLE = re.compile(r"(<!-- made by the program -->\n).*(<!-- end -->)", re.DOTALL)


def compare(name: str, table: str) -> None:
    document = REFERENCE / name
    text = document.read_text(encoding="utf-8")
    wanted = TABLE.sub(lambda found: f"{found[1]}{table}\n{found[2]}", text)
    if os.environ.get("OPTIX_TEST_WRITE_DOCUMENTS"):
        document.write_text(wanted, encoding="utf-8")
    else:
        assert wanted == text, f"{name} is old: OPTIX_TEST_WRITE_DOCUMENTS=1 writes it anew"
    assert table in wanted


def test_the_table_of_settings() -> None:
    compare("settings.md", settings_table())


def test_the_table_of_errors() -> None:
    compare("errors.md", errors_table())


async def test_the_table_of_endpoints(tmp_path: Path) -> None:
    async with api_node(tmp_path) as node:
        compare("rest.md", endpoints_table(create_app(node.services)))
