"""What a user sees when something cannot be: one clear line, exit code 1 or 2, no traceback."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.e2e.processes import Completed, Home


NOWHERE = {
    "OPTIX_DATABASE_URL": "postgresql://optix@127.0.0.1:1/optix",
    "OPTIX_REDIS_URL": "redis://127.0.0.1:1",
}


def refusal(ended: Completed) -> str:
    """Return the one line that was said."""
    lines = ended.errors.splitlines()
    assert len(lines) == 1, ended
    assert lines[0].startswith("optix: ")
    return lines[0].removeprefix("optix: ")


async def test_port_in_use(home: Home) -> None:
    with socket.create_server(("127.0.0.1", home.port)):
        ended = await home.run("serve")
    assert ended.code == 1
    assert refusal(ended) == (
        f"expected to listen on 127.0.0.1:{home.port}, was: address already in use; "
        "stop what listens there, or choose another port (OPTIX_PORT, --port)"
    )
    assert not home.state_dir.exists()


@pytest.mark.parametrize(
    ("host", "reason"),
    [("192.0.2.1", "cannot assign requested address"), ("no.such.host.invalid", "")],
)
async def test_address_that_is_not_ours(home: Home, host: str, reason: str) -> None:
    home.environment = {"OPTIX_HOST": host}
    ended = await home.run("serve")
    assert ended.code == 1
    said = refusal(ended)
    assert said.startswith(f"expected to listen on {host}:{home.port}, was: {reason}")
    assert "OPTIX_HOST" in said


async def test_second_start_beside_a_node(home: Home) -> None:
    async with home.node() as node:
        busy = await Home(home.state_dir).run("serve")
        migrated = await home.run("migrate")
        without_log = Home(
            home.state_dir.with_name("second"),
            OPTIX_DATABASE_URL=home.endpoints().database_url,
            OPTIX_REDIS_URL=NOWHERE["OPTIX_REDIS_URL"],
        )
        unreachable = await without_log.run("serve")
        pid = node.pid
    assert busy.code == 1
    assert refusal(busy) == (
        f"expected {home.state_dir} to be free, was held by process {pid}. "
        "Stop that one, or set OPTIX_STATE_DIR to another directory"
    )
    assert (migrated.code, migrated.output) == (0, "0 applied, the schema is up to date\n")
    assert unreachable.code == 1
    assert "expected a server, was Error 111 connecting to 127.0.0.1:1" in refusal(unreachable)


@pytest.mark.parametrize("command", ["up", "verify"])
async def test_database_unreachable(home: Home, command: str) -> None:
    home.environment = NOWHERE
    ended = await home.run(command)
    assert ended.code == 1
    assert "expected PostgreSQL, was ConnectionRefusedError" in refusal(ended)


async def test_state_directory_that_cannot_be_made(home: Home) -> None:
    home.state_dir.write_text("a file")
    ended = await home.run("serve")
    assert ended.code == 1
    assert refusal(ended).startswith("expected a writable directory, was ")


async def test_settings_that_cannot_be(home: Home) -> None:
    home.environment = {
        "OPTIX_PORT": "seventy",
        "OPTIX_LOG_LEVEL": "loud",
        "OPTIX_DATABASE_URL": "mysql://there",
        "OPTIX_REDIS_URL": "there:6379",
    }
    ended = await home.run("serve")
    assert ended.code == 2
    assert ended.errors.splitlines() == [
        "optix: OPTIX_PORT: Expected `int`, got `str`",
        "optix: OPTIX_LOG_LEVEL: Invalid enum value 'loud'",
        "optix: OPTIX_DATABASE_URL: expected postgresql://…, was mysql://…",
        "optix: OPTIX_REDIS_URL: expected redis://…, was an address without ://",
    ]


async def test_doctor_names_what_is_missing(home: Home) -> None:
    home.environment = NOWHERE
    ended = await home.run("doctor")
    assert (ended.code, ended.errors) == (1, "")
    assert "failed   database" in ended.output
    assert "failed   redis" in ended.output


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("feed", "play", "{file}", "--speed", "max", "--wait", "0"), 1, "no answer from 127.0.0"),
        (("feed", "play", "{file}", "--speed", "backwards"), 2, "expected a number above 0"),
        (("feed", "play", "nowhere.jsonl"), 2, "does not exist"),
        (("serve", "--port", "http"), 2, "is not a valid integer"),
    ],
)
async def test_commands_that_cannot_be(
    home: Home, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    file = tmp_path / "recording.jsonl"
    file.write_text('{"t": 1, "type": "segment", "name": "s"}\n')
    ended = await home.run(*(argument.format(file=file) for argument in arguments))
    assert ended.code == code
    assert said in " ".join(ended.errors.split())
    assert "Traceback" not in ended.errors
