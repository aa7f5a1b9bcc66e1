"""The repository's own files, read once."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (
    ".ci",
    "deploy",
    "docs",
    "examples",
    "loadtests",
    "server",
    "storage",
    "streams",
    "tests",
    "training",
)
NOT_OURS = {".coverage", ".git", "dist", "node_modules", "__pycache__", "vendor"}
SHIPPED = ("streams", "storage", "server")


class Source(NamedTuple):
    """One Python file.

    Attributes:
        path: relative to the root.
        text: the content.
        tree: the parsed module.
    """

    path: Path
    text: str
    tree: ast.Module

    @property
    def shipped(self) -> bool:
        """Whether the file is part of the installed package."""
        return self.path.parts[0] in SHIPPED

    def at(self, node: ast.AST) -> str:
        """Return `path:line` for a failure."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


def files(*suffixes: str) -> Iterator[Path]:
    """Yield our files, relative to the root; all of them without suffixes."""
    top = [path for path in ROOT.iterdir() if path.is_file()]
    below = [path for name in FOLDERS for path in (ROOT / name).rglob("*") if path.is_file()]
    for path in sorted([*top, *below]):
        relative = path.relative_to(ROOT)
        if NOT_OURS.isdisjoint(relative.parts) and (not suffixes or path.suffix in suffixes):
            yield relative


@functools.cache
def python_sources() -> tuple[Source, ...]:
    """Return every Python file of ours, `./optix` included."""
    paths = [*files(".py"), Path("optix")]
    texts = [(path, (ROOT / path).read_text()) for path in paths]
    return tuple(Source(path, text, ast.parse(text)) for path, text in texts)


def failures(found: list[str], remedy: str) -> str:
    """Return the message of a failed rule: what to do, then where."""
    return "\n".join([remedy, *found])
