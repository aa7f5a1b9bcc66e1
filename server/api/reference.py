"""The reference documents as text, made from what the program itself uses.

docs/reference/rest.md and errors.md contain these tables; a test compares them, so that a change
of the program without its document does not pass.
"""

from __future__ import annotations

from collections.abc import Iterable

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from server.api.codes import KINDS
from server.api.documentation import RULES
from server.api.endpoint import RULES_KEY, EndpointRules


METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

ACCESS_TEXT = {"open": "", "read": "optional", "account": "required", "service": "service"}


def errors_table() -> str:
    """Return all codes with status, meaning and remedy as a Markdown table."""
    lines = ["| Code | Status | Meaning | What to do |", "|--|--|--|--|"]
    for code, kind in {**KINDS, **RULES}.items():
        lines.append(f"| `{code}` | {kind.status} | {kind.title} | {kind.remedy} |")
    return "\n".join(lines)


def endpoints_table(app: Litestar) -> str:
    """Return all endpoints by chapter as Markdown tables."""
    chapters: dict[str, list[str]] = {}
    for path, method, handler in _endpoints(app):
        rules = handler.opt[RULES_KEY]
        if not isinstance(rules, EndpointRules):
            continue
        credential = ACCESS_TEXT[rules.access]
        if rules.access == "account":
            credential += f", `{rules.scope}`"
        tag = (handler.tags or ["Other"])[0]
        chapters.setdefault(tag, []).append(
            f"| `{method} {path}` | {handler.summary} | {credential} | {handler.status_code} |"
        )
    parts = []
    for tag, rows in chapters.items():
        parts.append(f"### {tag}\n")
        parts.append("| Call | Does | Credential, scope | Success |\n|--|--|--|--|")
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts).rstrip()


def _endpoints(app: Litestar) -> Iterable[tuple[str, str, HTTPRouteHandler]]:
    for route in app.routes:
        handlers = getattr(route, "route_handler_map", {})
        for method in METHODS:
            handler = handlers.get(method, (None, None))[0]
            if handler is not None and RULES_KEY in handler.opt and handler.summary:
                yield route.path_format, method, handler
