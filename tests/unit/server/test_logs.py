"""What the process writes down: JSON lines, or something readable; it never fails by itself."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import structlog

from server.observability.logs import configure_logs


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(capsysbinary: pytest.CaptureFixture[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()]


def test_an_event_is_one_line_with_its_fields(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    configure_logs("info", "json")
    structlog.contextvars.bind_contextvars(correlation_id="c1")
    structlog.get_logger("optix").bind(node="n1").info("ready", offset="1-0.0", path=io.StringIO)

    (line,) = lines(capsysbinary)
    at = datetime.fromisoformat(line.pop("timestamp"))
    assert at.tzinfo is not None
    assert line.pop("path").startswith("<class")
    assert line == {
        "event": "ready",
        "level": "info",
        "node": "n1",
        "offset": "1-0.0",
        "correlation_id": "c1",
    }


@pytest.mark.parametrize(
    ("level", "written"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_levels(capsysbinary: pytest.CaptureFixture[bytes], level: Any, written: list[str]) -> None:
    configure_logs(level, "json")
    log = structlog.get_logger()
    for name in ("debug", "info", "warning", "error"):
        getattr(log, name)(name)

    assert written == [line["event"] for line in lines(capsysbinary)]


def test_an_exception_is_written_in_its_line(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    configure_logs("info", "json")
    try:
        raise KeyError("lost")
    except KeyError:
        structlog.get_logger().exception("failed")

    (line,) = lines(capsysbinary)
    assert "KeyError: 'lost'" in line["exception"]


@pytest.mark.parametrize(
    "value", [2**70, {1: "a"}, "\ud800", float("nan"), {"deep": [2**64, object()]}, {(1, 2): 3}]
)
def test_a_value_that_json_has_not_is_no_failure_of_the_caller(
    capsysbinary: pytest.CaptureFixture[bytes], value: Any
) -> None:
    configure_logs("info", "json")
    structlog.get_logger().info("odd", value=value)

    (line,) = lines(capsysbinary)
    assert line["event"] == "odd"
    assert "value" in line


def test_what_libraries_warn_of_is_written_as_an_event(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    configure_logs("info", "json")
    library = logging.getLogger("some.library")
    library.info("chatter")
    library.warning("odd %s", "frame")
    try:
        raise OSError("gone")
    except OSError:
        library.exception("failed")

    first, second = lines(capsysbinary)
    assert (first["event"], first["level"], first["library"]) == (
        "odd frame",
        "warning",
        "some.library",
    )
    assert (second["event"], second["level"], second["error"]) == (
        "failed",
        "error",
        "OSError('gone')",
    )


@pytest.mark.parametrize(("form", "pretty"), [("auto", True), ("pretty", True), ("json", False)])
def test_a_terminal_is_written_to_readably(
    monkeypatch: pytest.MonkeyPatch, form: Any, pretty: bool
) -> None:
    terminal = Terminal()
    raw = io.BytesIO()
    monkeypatch.setattr(terminal, "buffer", raw, raising=False)
    monkeypatch.setattr(sys, "stdout", terminal)
    configure_logs("info", form)
    structlog.get_logger().info("ready", offset="1-0.0")

    assert pretty == ("ready" in terminal.getvalue())
    assert pretty != (b'"ready"' in raw.getvalue())
