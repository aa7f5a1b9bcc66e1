from __future__ import annotations

import pytest

from storage.pool import backoff_s, parse_database_url


@pytest.mark.parametrize(
    ("url", "dsn", "pgbouncer"),
    [
        ("postgresql://u:p@h:5432/d", "postgresql://u:p@h:5432/d", False),
        ("postgres://u@h/d?pgbouncer=true", "postgres://u@h/d", True),
        ("postgresql://h/d?pgbouncer=0&sslmode=require", "postgresql://h/d?sslmode=require", False),
        (
            "postgresql://u:p@/d?host=/run/optix&pgbouncer=1",
            "postgresql://u:p@/d?host=/run/optix",
            True,
        ),
        ("postgresql://u:p%40x@h/d", "postgresql://u:p%40x@h/d", False),
    ],
)
def test_our_parameter_is_taken_out(url: str, dsn: str, pgbouncer: bool) -> None:
    assert (dsn, pgbouncer) == parse_database_url(url)


@pytest.mark.parametrize("url", ["mysql://h/d", "h/d", "postgresql://h/d?pgbouncer=maybe"])
def test_bad_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_database_url(url)


def test_backoff_grows_up_to_its_bound() -> None:
    for attempt in (0, 1, 5, 1_000):
        ceiling = min(5.0, 0.1 * 2 ** min(attempt, 30))
        assert all(ceiling / 2 <= backoff_s(attempt) <= ceiling for _ in range(50))
