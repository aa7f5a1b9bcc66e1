"""An archiver as a process of its own, to be killed: `python -m … URL COUNT`."""

from __future__ import annotations

import asyncio
import sys

from storage import archiver as archiver_module
from storage.archiver import Archiver
from storage.pool import open_pool
from tests.integration.storage.archive_units import make_units, reread_from


async def main(url: str, count: int) -> None:
    archiver_module.ROWS_PER_TRANSACTION_MAX = 60
    units = make_units(count)
    pool = await open_pool(url, size_max=2)
    archiver = Archiver(pool, reread_from(units), linger_s=0)
    for unit in units:
        archiver.put(unit)
    running = asyncio.create_task(archiver.run())
    await archiver.archived(units[-1].entry_id)
    running.cancel()
    await asyncio.wait((running,))
    await pool.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
