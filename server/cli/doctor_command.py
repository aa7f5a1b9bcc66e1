"""`optix doctor`: what is running where, each check with its remedy.

`--json` names `database_url` and `redis_url`, so that a second node can join embedded stores.
"""

from __future__ import annotations

import asyncio
import json
import platform
import shutil
import sys
from collections.abc import Awaitable, Callable
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple

import rich_click as click

from server.cli.running import settings_or_exit
from server.settings import Settings
from storage.archive_position import read_position
from storage.embedded import find_running
from storage.migrate import migration_status
from storage.pool import open_pool
from streams.log.redis_log import RedisLog
from streams.ports import OptixError


ANSWER_SECONDS_MAX = 3.0
FREE_BYTES_MIN = 1 << 30


class Finding(NamedTuple):
    """One check: `status` is ok, warning or failed; `remedy` says what to do, if anything."""

    name: str
    status: str
    detail: str
    remedy: str = ""


@click.command(name="doctor")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(as_json: bool) -> None:
    """Say what is running where and check it; exit 1 when a check failed."""
    settings = settings_or_exit()
    running = find_running(settings.state_dir)
    database_url = settings.database_url or (running.database_url if running else "")
    redis_url = settings.redis_url or (running.redis_url if running else "")
    findings = [_machine(), _disk(settings), _node(settings)]
    findings += asyncio.run(_stores(database_url, redis_url))
    report = {
        "node": f"http://{settings.host}:{settings.port}",
        "state_dir": str(settings.state_dir.absolute()),
        "database_url": database_url or None,
        "redis_url": redis_url or None,
        "embedded": running is not None,
        "checks": [finding._asdict() for finding in findings],
    }
    if as_json:
        click.echo(json.dumps(report))
    else:
        _print(report, findings)
    sys.exit(1 if any(finding.status == "failed" for finding in findings) else 0)


def _print(report: dict[str, Any], findings: list[Finding]) -> None:
    for name in ("node", "state_dir", "database_url", "redis_url"):
        click.echo(f"{name:<13} {report[name] or '(not running)'}")
    for finding in findings:
        click.echo(f"{finding.status:<8} {finding.name:<10} {finding.detail}")
        if finding.remedy:
            click.echo(f"{'':<8} {'':<10} → {finding.remedy}")


def _machine() -> Finding:
    version = platform.python_version()
    return Finding("python", "ok", f"{version} on {platform.system()} {platform.machine()}")


def _disk(settings: Settings) -> Finding:
    place = (
        settings.state_dir if settings.state_dir.exists() else settings.state_dir.absolute().parent
    )
    free = shutil.disk_usage(place).free
    detail = f"{free / 1e9:.1f} GB free at {place}"
    if free < FREE_BYTES_MIN:
        return Finding("disk", "warning", detail, "free space, or set OPTIX_STATE_DIR elsewhere")
    return Finding("disk", "ok", detail)


def _node(settings: Settings) -> Finding:
    try:
        connection = HTTPConnection(settings.host, settings.port, timeout=ANSWER_SECONDS_MAX)
        connection.request("GET", "/health/ready")
        response = connection.getresponse()
        answer = json.loads(response.read())
    except (OSError, HTTPException, ValueError) as error:
        return Finding(
            "node",
            "warning",
            f"no answer from {settings.host}:{settings.port}: {error}",
            "start one with ./optix up",
        )
    status = "ok" if response.status == 200 else "failed"
    return Finding("node", status, f"{settings.host}:{settings.port} says {answer.get('status')}")


async def _stores(database_url: str, redis_url: str) -> list[Finding]:
    return [
        await _checked("database", database_url, _database),
        await _checked("redis", redis_url, _redis),
    ]


async def _checked(name: str, url: str, check: Callable[[str], Awaitable[Finding]]) -> Finding:
    if not url:
        return Finding(name, "warning", "not running", "it starts with ./optix up")
    try:
        return await check(url)
    except (OptixError, OSError, ValueError) as error:
        return Finding(name, "failed", str(error), f"check that {name} runs and the URL is right")


async def _database(url: str) -> Finding:
    status = await migration_status(url)
    pool = await open_pool(url)
    try:
        if status.ahead:
            return Finding("database", "failed", "schema is of a newer version", "update OPTIX")
        if status.pending:
            return Finding(
                "database",
                "failed",
                f"{len(status.pending)} migrations wait",
                "run ./optix migrate",
            )
        position = await read_position(pool)
    finally:
        await pool.close()
    return Finding("database", "ok", f"schema up to date, archived up to {position.entry_id}")


async def _redis(url: str) -> Finding:
    log = RedisLog(url)
    try:
        epoch = await log.open()
        head, length = await log.head(), await log.length()
    finally:
        await log.close()
    return Finding("redis", "ok", f"epoch {epoch}, {length} entries, head {head}")
