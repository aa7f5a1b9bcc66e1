"""Names are whole words, and one word has one meaning (docs/glossary.md)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.tidy.sources import ROOT, Source, failures, files, python_sources


# A module named so collects whatever has no home.
MODULES = {"utils", "util", "helper", "helpers", "misc", "common", "commons", "tools", "stuff"}
# Inside a name. The keys of the wire protocol (ts, ch, seq, re, op, msg) are its own.
WORDS = {
    "qty": "quantity",
    "px": "price",
    "amt": "amount",
    "cfg": "settings",
    "conf": "settings",
    "mgr": "what it does",
    "manager": "what it does",
    "usr": "trader or account",
    "cnt": "count",
    "idx": "index",
    "lev": "level or leverage",
    "lvl": "level",
    "pnl": "profit",
    "lb": "leaderboard",
    "subs": "subscriptions or subscribers",
    "foo": "a name",
    "bar": "a name",
}
PHRASES = {
    r"(stream|log|event)_position|position_(offset|in_log|in_stream)": "offset: a place in the log",
    r"login_session|session_login": "session is the protocol's, login is identity",
    r"user_id": "trader (in the network) or account (identity)",
}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def names_of(source: Source) -> Iterator[tuple[ast.AST, str]]:
    """Yield the names others can see: functions, classes, parameters, attributes, constants."""
    for node in ast.walk(source.tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node, node.name
            case ast.arg():
                yield node, node.arg
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield node, name
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield node, name
            case _:
                pass
    for node in source.tree.body:
        if isinstance(node, ast.Assign):
            yield from (
                (node, target.id) for target in node.targets if isinstance(target, ast.Name)
            )


def words_of(name: str) -> list[str]:
    """Split `OrderBookLevel` and `order_book_level` into lower-case words."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_").split("_")


def test_modules_are_named_for_what_they_hold() -> None:
    found = [str(source.path) for source in python_sources() if source.path.stem in MODULES]
    assert not found, failures(found, "Name the concept the module holds")


def test_names_are_whole_words() -> None:
    found = [
        f"{source.at(node)}: {name}: say {WORDS[word]}"
        for source in python_sources()
        for node, name in names_of(source)
        for word in words_of(name)
        if word in WORDS
    ]
    assert not found, failures(found, "Write the word out")


def test_one_word_has_one_meaning() -> None:
    found = [
        f"{source.at(node)}: {name}: say {meaning}"
        for source in python_sources()
        for node, name in names_of(source)
        for pattern, meaning in PHRASES.items()
        if re.search(pattern, name.lower())
    ]
    assert not found, failures(found, "Use the word of docs/glossary.md")


def test_nothing_is_left_for_later() -> None:
    own = "tests/tidy/test_words.py"
    found = [
        f"{path}:{number}"
        for path in files(".py", ".sql", ".lua", ".sh", ".yml", ".yaml", ".toml", ".js", ".ts")
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1)
        if UNFINISHED.search(line) and str(path) != own
    ]
    assert not found, failures(found, "Do it now, or write it into an issue")
