"""Tables of docs/reference that are made from the code.

`python -m tests.unit.docs.tables` writes them into the documents between the markers
`<!-- made from FILE -->` and `<!-- end -->`; a test compares.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple


ROOT = Path(__file__).parents[3]
MADE = re.compile(r"(<!-- made from (\S+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


class Metric(NamedTuple):
    name: str
    kind: str
    labels: str
    text: str


def tree_of(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


def limits_table(path: str) -> str:
    """Return the constants of a module of limits with the sentence below each."""
    lines = ["| Limit | Value | Meaning |", "|--|--|--|"]
    names: list[tuple[str, str]] = []
    for node in tree_of(path).body:
        if isinstance(node, ast.Assign):
            names += _assigned(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and names:
            meaning = " ".join(str(node.value.value).split())
            lines += [f"| `{name}` | {value} | {meaning} |" for name, value in names]
            names = []
    assert not names, f"expected a sentence below {names}"
    return "\n".join(lines) + "\n"


def _assigned(node: ast.Assign) -> Iterator[tuple[str, str]]:
    target = node.targets[0]
    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
        pairs = zip(target.elts, node.value.elts, strict=True)
    else:
        pairs = zip([target], [node.value], strict=True)
    for name, value in pairs:
        number = eval(compile(ast.Expression(value), "limits", "eval"), {})
        yield ast.unparse(name), f"{number:,}"


def metrics_table(path: str) -> str:
    """Return every metric that a collector yields."""
    lines = ["| Metric | Kind | Labels | Meaning |", "|--|--|--|--|"]
    lines += [
        f"| `{each.name}` | {each.kind} | {each.labels} | {each.text} |"
        for each in sorted(set(metrics(path)))
    ]
    return "\n".join(lines) + "\n"


def metrics(path: str) -> Iterator[Metric]:
    """Yield the metrics named in the source: in tables of rows, and in calls."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target).isupper():
            kind = "gauge" if "GAUGES" in ast.unparse(node.target) else "counter"
            for name, text, _ in ast.literal_eval(node.value) if node.value else ():
                yield _metric(name, kind, "", text)
        elif isinstance(node, ast.Call) and len(node.args) >= 2:
            yield from _called(node)


def _called(node: ast.Call) -> Iterator[Metric]:
    kinds = {
        "_counter": "counter",
        "_gauge": "gauge",
        "_histogram": "histogram",
        "CounterMetricFamily": "counter",
        "GaugeMetricFamily": "gauge",
        "HistogramMetricFamily": "histogram",
    }
    name, text = node.args[:2]
    kind = kinds.get(ast.unparse(node.func))
    if kind and isinstance(name, ast.Constant) and isinstance(text, ast.Constant):
        labels = [
            f"`{label}`"
            for keyword in node.keywords
            if keyword.arg == "labels"
            for label in ast.literal_eval(keyword.value)
        ]
        yield _metric(str(name.value).removeprefix("optix_"), kind, ", ".join(labels), text.value)


def _metric(name: str, kind: str, labels: str, text: object) -> Metric:
    suffix = "_total" if kind == "counter" else ""
    return Metric(f"optix_{name}{suffix}", kind, labels, str(text))


MAKERS: dict[str, tuple[str, Callable[[str], str]]] = {
    "streams/core/limits.py": ("docs/reference/limits.md", limits_table),
    "server/observability/collector.py": ("docs/reference/metrics.md", metrics_table),
}


def main() -> None:
    """Write the tables into their documents."""
    for source, (document, make) in MAKERS.items():
        path = ROOT / document
        table = make(source)
        path.write_text(
            MADE.sub(
                lambda found, table=table, source=source: (  # type: ignore[misc]
                    found[1] + table + found[4] if found[2] == source else found[0]
                ),
                path.read_text(),
            )
        )


if __name__ == "__main__":
    main()
