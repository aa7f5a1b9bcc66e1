"""A result as one HTML page that needs nothing beside it: no script, no network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any, Final

from loadtests.plots import Values, line_plot
from loadtests.result import Result


STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 780px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin-bottom: 0 } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% } td, th { text-align: right; padding: .2rem .5rem }
td:first-child, th:first-child { text-align: left } tr { border-bottom: 1px solid var(--line) }
svg { width: 100%; height: auto } svg text { font-size: 11px; fill: currentColor; opacity: .75 }
.grid { stroke: var(--line) } .legend { display: flex; flex-wrap: wrap; gap: 1rem; margin: 0 }
.legend i { display: inline-block; width: .8rem; height: .2rem; margin-right: .4rem;
  vertical-align: middle }
.met { color: #3f7d20 } .missed { color: #c2410c; font-weight: 600 } .note { opacity: .7 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem } dd { margin: 0 }
code { overflow-wrap: anywhere }
"""


def page(result: Result) -> str:
    """Return the page of a result."""
    verdict = f'<span class="{_verdict(result.met)}">{_verdict(result.met)}</span>'
    return "\n".join(
        (
            '<!doctype html><html lang="en"><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>OPTIX load test {escape(result.profile)}</title>",
            f"<style>{STYLE}</style>",
            f"<h1>Load test <code>{escape(result.profile)}</code>: {verdict}</h1>",
            f"<p>{escape(result.about)}</p>",
            _facts(result),
            _checks(result),
            _swarm(result),
            _users(result),
            _plots(result),
            "</html>",
        )
    )


def _verdict(met: bool) -> str:
    return "met" if met else "missed"


def _facts(result: Result) -> str:
    facts = {
        "Machine": result.machine,
        "Commit": result.commit,
        "Date": result.date,
        "Node": result.target,
        "Population": ", ".join(f"{count:,} {kind}" for kind, count in result.population.items()),
        "Repeat": result.command,
    }
    rows = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in facts.items())
    return f"<dl>{rows}</dl>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = "".join(f"<th>{escape(text)}</th>" for text in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in rows
    )
    return f"<table><tr>{cells}</tr>{body}</table>"


def _checks(result: Result) -> str:
    rows = "".join(
        f"<tr><td>{escape(check.name)}</td><td>{_number(check.value)} {escape(check.unit)}</td>"
        f"<td>≤ {check.most:g}</td>"
        f'<td class="{_verdict(check.met)}">{_verdict(check.met)}</td>'
        "</tr>"
        for check in result.checks
    )
    return (
        "<h2>Judged</h2><table><tr><th>Figure</th><th>Measured</th><th>Must be</th><th></th></tr>"
        f"{rows}</table>"
    )


def _swarm(result: Result) -> str:
    swarm = result.swarm
    if swarm is None:
        return ""
    counts = swarm["counts"]
    plain = [
        (name.replace("_", " "), _number(value))
        for name, value in counts.items()
        if isinstance(value, int)
    ]
    by_reason = [
        (f"{name.replace('_', ' ')}: {reason}", _number(count))
        for name, reasons in counts.items()
        if isinstance(reasons, dict)
        for reason, count in reasons.items()
        if isinstance(count, int)
    ]
    examples = [
        (f"{kind.replace('_', ' ')}, for instance", text)
        for kind, texts in counts["examples"].items()
        for text in texts
    ]
    times = [(f"frame latency, {_label(n)}", f"{_number(t)} ms") for n, t in _times(swarm)]
    storms = [
        (f"storm {place}, until {storm['sockets']:,} sockets had resumed", f"{storm['seconds']} s")
        for place, storm in enumerate(swarm["storms"], 1)
    ]
    whole = [("seconds until all sockets were up", _number(swarm["whole_seconds"]))]
    rows = [*plain, *by_reason, *whole, *times, *storms, *examples]
    return f"<h2>Sockets that verify</h2>{_table(('', ''), rows)}"


def _times(swarm: dict[str, Any]) -> list[tuple[str, float | None]]:
    return list(swarm["latency"].items())


def _users(result: Result) -> str:
    if result.users is None:
        return ""
    fields = ("requests", "failures", "p50_ms", "p95_ms", "p99_ms", "max_ms")
    head = ("", *(_label(field) for field in fields))
    classes = result.users["by_class"].items()
    rows = [
        (name, *(_number(row[field]) for field in fields))
        for name, row in (("all", result.users["all"]), *classes, *result.users["by_name"].items())
    ]
    failures = [
        (f"{row['name']}: {row['error']}", _number(row["count"]))
        for row in result.users["failures"]
    ]
    found = f"<h2>Users, times in milliseconds</h2>{_table(head, rows)}"
    return found + (f"<h2>Failures</h2>{_table(('', ''), failures)}" if failures else "")


def _plots(result: Result) -> str:
    rows = result.rows
    if not rows:
        return ""
    seconds = [row["at"] - rows[0]["at"] for row in rows]

    def line(pick: Callable[[dict[str, Any]], float | None]) -> Values:
        return [pick(row) for row in rows]

    def of(*keys: str) -> Values:
        return line(lambda row: _at(row, keys))

    kinds = sorted({kind for row in rows for kind in row["cpu"]})
    percentiles = ("p50_ms", "p99_ms", "p99_9_ms", "max_ms")
    classes = sorted(result.users["by_class"]) if result.users is not None else []
    plots = {
        "Frame latency": (
            {_label(each): of("swarm", each) for each in percentiles},
            "ms",
        ),
        "Latency of users' requests, p95": (
            {each: of("users", "p95_ms", each) for each in classes},
            "ms",
        ),
        "Sockets": ({"sockets": of("swarm", "sockets"), "opening": of("swarm", "opening")}, ""),
        "Users": ({"users": of("users", "users")}, ""),
        "Frames": ({"frames": _rates(rows, seconds)}, "1/s"),
        "Requests": ({"requests": of("users", "requests_per_second")}, "1/s"),
        "Processor time": ({kind: of("cpu", kind) for kind in kinds}, "cores"),
        "Memory": (
            {
                kind: line(lambda row, kind=kind: _megabytes(row, kind))  # type: ignore[misc]
                for kind in kinds
            },
            "MB",
        ),
    }
    return "".join(
        f"<h2>{title}</h2>{line_plot(seconds, lines, unit)}"
        for title, (lines, unit) in plots.items()
        if any(value is not None for values in lines.values() for value in values)
    )


def _at(row: dict[str, Any], keys: tuple[str, ...]) -> float | None:
    found: Any = row
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return None if found is None else float(found)


def _rates(rows: list[dict[str, Any]], seconds: list[float]) -> Values:
    """Return frames a second between a row and the one before."""
    rates: list[float | None] = [None]
    for place in range(1, len(rows)):
        now, before = (_at(rows[at], ("swarm", "frames")) for at in (place, place - 1))
        span = seconds[place] - seconds[place - 1]
        rates.append(None if now is None or before is None else (now - before) / span)
    return rates


def _megabytes(row: dict[str, Any], kind: str) -> float | None:
    size = row["memory_bytes"].get(kind)
    return None if size is None else size / 1e6


def _label(field: str) -> str:
    return field.removesuffix("_ms").replace("_", ".")


def _number(value: float | None) -> str:
    if value is None:
        return "none"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}"
