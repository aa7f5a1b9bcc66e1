"""Rules about what code does that the linter has no rule for."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

from tests.tidy.sources import ROOT, Source, failures, files, python_sources


MAY_PRINT = (
    "server/cli/",
    "loadtests/",
    "examples/",
    "tests/gate.py",
    "tests/benchmarks/",
    "training/",
)
MAY_SLEEP = (
    "tests/support.py",  # `eventually` itself
    "tests/simulation/",  # its clock is virtual
)
CODELESS = re.compile(r"#\s*(noqa(?!:\s*[A-Z]+\d)|type:\s*ignore(?!\[))")
CORE_CALLS = {
    "hash": "is seeded anew by every process: use streams' keyed hash",
    "id": "is an address: use an id derived from the log",
    "open": "no files in the core",
    "print": "no output in the core",
    "input": "no input in the core",
}
RUFF_BANNED_API = (sys.executable, "-m", "ruff", "check", "--select=TID251")


def starts_with(source: Source, prefixes: tuple[str, ...]) -> bool:
    """Whether the file lies in one of these places."""
    return str(source.path).startswith(prefixes)


def calls(source: Source) -> list[tuple[ast.Call, str]]:
    """Return every call with the dotted name of what is called."""
    found = [node for node in ast.walk(source.tree) if isinstance(node, ast.Call)]
    return [(node, ast.unparse(node.func)) for node in found]


def test_only_programs_print() -> None:
    found = [
        source.at(node)
        for source in python_sources()
        if not starts_with(source, MAY_PRINT)
        for node, name in calls(source)
        if name == "print"
    ]
    assert not found, failures(found, "Log an event with structlog instead of printing")


def test_shipped_modules_say_what_they_are_for() -> None:
    found = [
        str(source.path)
        for source in python_sources()
        if source.shipped and not ast.get_docstring(source.tree)
    ]
    assert not found, failures(found, "Open the module with its purpose and its invariants")


def test_tests_wait_for_conditions() -> None:
    found = []
    for source in python_sources():
        if not starts_with(source, ("tests/",)) or starts_with(source, MAY_SLEEP):
            continue
        loops = [node for node in ast.walk(source.tree) if isinstance(node, ast.While)]
        polling = {inner for loop in loops for inner in ast.walk(loop)}
        found += [
            source.at(node)
            for node, name in calls(source)
            if name in {"asyncio.sleep", "time.sleep", "sleep"}
            and node not in polling
            and ast.unparse(node.args[0]) != "0"
        ]
    assert not found, failures(found, "Wait for what you need: `await eventually(...)`")


def test_exceptions_to_rules_name_the_rule() -> None:
    found = [
        f"{source.path}:{token.start[0]}"
        for source in python_sources()
        for token in tokenize.generate_tokens(io.StringIO(source.text).readline)
        if token.type == tokenize.COMMENT and CODELESS.search(token.string)
    ]
    assert not found, failures(found, "Name the code: `noqa: S603 - why`, `type: ignore[arg-type]`")


def test_core_is_free_of_what_differs_between_processes() -> None:
    found = []
    for source in python_sources():
        if not starts_with(source, ("streams/core/",)):
            continue
        for node in ast.walk(source.tree):
            match node:
                case ast.Call(func=ast.Name(id=name)) if name in CORE_CALLS:
                    found.append(f"{source.at(node)}: {name}() {CORE_CALLS[name]}")
                case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                    found.append(f"{source.at(node)}: the core never waits")
                case ast.For(iter=iterated) | ast.comprehension(iter=iterated) if is_set(iterated):
                    found.append(f"{source.at(iterated)}: the order of a set is not replicated")
                case _:
                    pass
    assert not found, failures(found, "Keep the core a calculator")


def is_set(node: ast.expr) -> bool:
    """Whether an expression is plainly a set."""
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) in {"set", "frozenset"}
    return isinstance(node, ast.Set | ast.SetComp)


@pytest.mark.parametrize(
    "line",
    [
        "import asyncio",
        "import random",
        "import uuid",
        "from time import time_ns",
        "from datetime import datetime\n\nNOW = datetime.now()",
        "from os import environ",
    ],
)
def test_core_cannot_import_clock_chance_or_world(line: str) -> None:
    for folder, banned in (("streams/core", True), ("streams/log", False)):
        answer = subprocess.run(
            [*RUFF_BANNED_API, f"--stdin-filename={folder}/example.py", "-"],
            input=f"{line}\n",
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert banned == ("TID251" in answer.stdout), answer.stdout + answer.stderr


def test_import_contracts_hold() -> None:
    code = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout


def test_no_path_of_one_machine() -> None:
    homes = "|".join(("wo" + "rk", "ro" + "ot", "ho" + "me/(?!optix)[a-z]+", "Use" + "rs/[a-z]+"))
    machine = re.compile(rf"(?<![\w.$~}}-])/({homes})/")
    suffixes = {".py", ".md", ".toml", ".yml", ".yaml", ".json", ".sql", ".sh", ".lua", ""}
    found = [
        f"{path}:{number}: {line.strip()[:80]}"
        for path in files()
        if path.suffix in suffixes and path != Path("uv.lock")
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1)
        if machine.search(line)
    ]
    assert not found, failures(found, "Take the path from the environment or from __file__")
