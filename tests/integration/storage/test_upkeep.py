from __future__ import annotations

from datetime import UTC, datetime

import pytest

from storage.partitions import ensure_partitions
from storage.pool import Pool
from storage.upkeep import Upkeep
from tests.manual_clock import ManualClock


MARCH_MS = int(datetime(2026, 3, 15, tzinfo=UTC).timestamp() * 1000)


async def partitions(pool: Pool) -> list[str]:
    rows = await pool.fetch(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits "
        "WHERE inhparent = 'events'::regclass ORDER BY 1"
    )
    return [row["name"] for row in rows]


@pytest.mark.parametrize(
    ("retention_days", "left"),
    [(0, ["events_2026_03", "events_2026_04", "events_2026_05"]), (45, ["events_2026_05"])],
)
async def test_old_months_leave_when_a_retention_is_set(
    pool: Pool, retention_days: int, left: list[str]
) -> None:
    before = set(await partitions(pool))  # other tests share this database
    await ensure_partitions(pool, MARCH_MS, months_ahead=2)
    made = set(await partitions(pool)) - before | set(left)
    clock = ManualClock()
    clock.advance(datetime(2026, 6, 20, tzinfo=UTC).timestamp() - clock.now_us() / 1e6)
    upkeep = Upkeep(pool, clock, retention_days=retention_days)
    await upkeep.once()
    assert left == [name for name in await partitions(pool) if name in made]
    assert upkeep.rounds == 1
