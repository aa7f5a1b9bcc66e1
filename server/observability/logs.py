"""Structured logs: JSON lines on stdout, something readable on a terminal.

An event has a name and fields; one line a request, one a socket, none a frame. Names of fields
are full words; nothing personal is logged.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import orjson
import structlog

from server.settings import LogFormat, LogLevel


LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


def configure_logs(level: LogLevel = "info", form: LogFormat = "auto") -> None:
    """Set structlog up for this process; to be called once, by the composition root.

    Args:
        level: least severe level that is written.
        form: `auto` is pretty on a terminal and JSON elsewhere.
    """
    pretty = form == "pretty" or (form == "auto" and sys.stdout.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if pretty:
        processors = [*shared, structlog.dev.ConsoleRenderer()]
        factory: Any = structlog.PrintLoggerFactory(sys.stdout)
    else:
        processors = [
            *shared,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_to_json),
        ]
        factory = structlog.BytesLoggerFactory(sys.stdout.buffer)
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[LibraryHandler()], force=True)


class LibraryHandler(logging.Handler):
    """Writes what libraries log as structured events: one line each, an error as its text."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record under its logger's name."""
        fields: dict[str, Any] = {"library": record.name}
        if record.exc_info and record.exc_info[1] is not None:
            fields["error"] = repr(record.exc_info[1])
        journal = structlog.get_logger("library")
        write = journal.error if record.levelno >= logging.ERROR else journal.warning
        write(record.getMessage(), **fields)


def _to_json(value: Any, default: Any = None, **_: Any) -> bytes:
    try:
        return orjson.dumps(value, default=default or str)
    except TypeError:
        return orjson.dumps({name: _shown(field) for name, field in value.items()})


def _shown(field: Any) -> str:
    """Return what JSON has no form for (an integer beyond 64 bits, half a surrogate) as text.

    Writing a line down must never be what fails.
    """
    return field if isinstance(field, str) and field.isascii() else ascii(field)
