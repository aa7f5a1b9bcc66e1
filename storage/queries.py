"""SQL in files: `sql/<area>.sql`, statements named by a line `-- name: find_by_email`.

Each statement ends at the next name. Comments inside stay, so they show in the server's log.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from types import MappingProxyType


SQL = Path(__file__).parent / "sql"

_HEADER = re.compile(r"^-- name: ([a-z0-9_]+)$", re.MULTILINE)


@cache
def load(area: str) -> MappingProxyType[str, str]:
    """Return the statements of one file by name; the file is read once.

    Raises:
        ValueError: text stands before the first name, or a name is doubled or empty.
    """
    parts = _HEADER.split((SQL / f"{area}.sql").read_text(encoding="utf-8"))
    if any(line and not line.startswith("--") for line in parts[0].splitlines()):
        raise ValueError(f"expected only comments before the first name in {area}.sql")
    statements: dict[str, str] = {}
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        if name in statements or not text.strip():
            raise ValueError(f"expected one statement named {name} in {area}.sql")
        statements[name] = text.strip().rstrip(";")
    return MappingProxyType(statements)
