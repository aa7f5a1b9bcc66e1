"""Files and functions stay small enough to be read in one go."""

from __future__ import annotations

import ast

from tests.tidy.sources import failures, python_sources


FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
TABLES = {  # lists of names without code to follow: longer is not harder
    "streams/core/commands.py",
    "streams/core/events.py",
    "streams/core/reasons.py",
    "streams/core/state.py",
    "streams/ports.py",
}


def test_files_are_short() -> None:
    found = [
        f"{source.path}: {lines} lines"
        for source in python_sources()
        if (lines := source.text.count("\n")) > FILE_LINES_MAX and str(source.path) not in TABLES
    ]
    assert not found, failures(
        found, f"Split by concept: a file has at most {FILE_LINES_MAX} lines (tables: TABLES)"
    )


def test_functions_are_short() -> None:
    found = [
        f"{source.at(node)}: {node.name} has {length} lines"
        for source in python_sources()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert not found, failures(
        found, f"Give a step a name of its own: a function has at most {FUNCTION_LINES_MAX} lines"
    )
