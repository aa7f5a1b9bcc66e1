"""Whether this node can serve, check by check."""

from __future__ import annotations

import asyncio
from typing import Any

from server.services import Services
from storage.errors import StorageError
from storage.pool import acquired
from streams.ports import OptixError


CHECK_S_MAX = 1.0
"""Longest wait for one check; a slower store counts as away."""

ARCHIVE_LAG_S_MAX = 30.0
"""Archive lag above which the node calls itself degraded."""


async def check_health(services: Services) -> dict[str, Any]:
    """Ask every part how it is.

    Returns:
        `status` is `unavailable` when live data cannot be served (replica or log), `degraded`
        when only history or identity suffer (database, archive), else `ready`; `checks` has
        `ok` and `detail` of each.
    """
    log_check, database_check = await asyncio.gather(_log(services), _database(services))
    checks = {
        "replica": _replica(services),
        "log": log_check,
        "database": database_check,
        "archive": _archive(services),
    }
    serving = checks["replica"]["ok"] and checks["log"]["ok"]
    whole = all(check["ok"] for check in checks.values())
    status = "ready" if whole else "degraded" if serving else "unavailable"
    return {
        "status": status,
        "node": services.settings.node_name,
        "offset": services.replica.offset,
        "epoch": services.replica.epoch,
        "checks": checks,
    }


def _check(ok: bool, detail: str) -> dict[str, Any]:
    return {"ok": ok, "detail": detail}


def _replica(services: Services) -> dict[str, Any]:
    replica = services.replica
    if replica.ready:
        return _check(True, f"caught up at {replica.offset}")
    return _check(False, f"catching up, at {replica.offset}")


async def _log(services: Services) -> dict[str, Any]:
    """Check that this node is in contact with the log."""
    submitter = services.submitter
    if submitter is not None and not submitter.accepting:
        return _check(False, "not in contact with the log")
    if services.log is None:
        return _check(True, "in contact")
    try:
        async with asyncio.timeout(CHECK_S_MAX):
            length = await services.log.length()
    except (OptixError, TimeoutError) as error:
        return _check(False, f"no answer: {type(error).__name__}")
    return _check(True, f"{length} entries held")


async def _database(services: Services) -> dict[str, Any]:
    if services.pool is None:
        return _check(True, "none on this node")
    try:
        async with asyncio.timeout(CHECK_S_MAX):
            async with acquired(services.pool, "check health") as connection:
                await connection.fetchval("SELECT 1")
    except (StorageError, TimeoutError) as error:
        return _check(False, f"no answer: {type(error).__name__}")
    return _check(True, "answers")


def _archive(services: Services) -> dict[str, Any]:
    archiver = services.archiver
    if archiver is None:
        return _check(True, "none on this node")
    lag_s = archiver.lag_s
    detail = f"{archiver.state}, {archiver.lag_entries} entries and {lag_s:.1f} s behind"
    return _check(lag_s <= ARCHIVE_LAG_S_MAX, detail)
