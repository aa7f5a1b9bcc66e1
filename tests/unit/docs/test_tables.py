"""Tables of the reference say what the code says."""

from __future__ import annotations

import pytest

from tests.unit.docs.tables import MADE, MAKERS, ROOT


@pytest.mark.parametrize("source", MAKERS)
def test_tables_are_made_from_the_code(source: str) -> None:
    document, make = MAKERS[source]
    tables = {found[1]: found[2] for found in MADE.findall((ROOT / document).read_text())}
    assert make(source) == tables[source], "Run python -m tests.unit.docs.tables"
