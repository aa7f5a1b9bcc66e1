"""What documents show can be run: code compiles, data parses, commands and addresses exist."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
import rich_click as click

from loadtests.__main__ import command as load_command
from loadtests.profile_file import names as profiles
from server.app import ROUTES
from server.cli.main import COMMANDS, cli
from tests.tidy.sources import ROOT, failures, files


BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(\./optix [^`]*)`")
ADDRESS = re.compile(r"https?://(?:127\.0\.0\.1|localhost):\d+(/[^\s'\"]*)?")
NAMED_PATH = re.compile(r"`(?:(GET|POST|PUT|PATCH|DELETE) )?(/(?:v1|health|metrics)[^`\s]*)`")
SOURCE = re.compile(r"`((?:streams|storage|server|tests|examples|docs)/[\w./*-]+)`")
OUTSIDE_REST = {"/", "/v1/stream"}
"""The page, and the socket, which is no route of the application."""

OF_BOOTSTRAP = {"test"}
"""Commands of `./optix` that are not of the package."""


class Example(NamedTuple):
    path: Path
    language: str
    text: str


def documents() -> list[Path]:
    return [path for path in files(".md") if path.parts[0] == "docs" or path.name == "README.md"]


def examples(*languages: str) -> Iterator[Example]:
    for path in documents():
        for language, text in BLOCK.findall((ROOT / path).read_text()):
            if language in languages:
                yield Example(path, language, text)


def test_data_parses() -> None:
    found = []
    for example in examples("json"):
        try:
            json.loads(example.text)
        except ValueError as error:
            found.append(f"{example.path}: {error}: {example.text[:60]!r}")
    assert not found, failures(found, "Correct the JSON")


def test_code_compiles() -> None:
    found = []
    for example in examples("python"):
        try:
            compile(example.text, str(example.path), "exec")
        except SyntaxError as error:
            found.append(f"{example.path}: {error}")
    assert not found, failures(found, "Correct the Python")


def command_lines() -> list[tuple[Path, list[str]]]:
    """Return every `./optix …` that documents show, as words."""
    found = []
    for path in documents():
        text = (ROOT / path).read_text()
        lines = [line for _, block in BLOCK.findall(text) for line in block.splitlines()]
        shown = [line[line.index("./optix ") :] for line in lines if "./optix " in line]
        for line in [*shown, *INLINE.findall(text)]:
            plain = re.split(r" #|\s[|)>]|\)\"", line)[0]
            found.append((path, shlex.split(plain)[1:]))
    return found


def wrong_words(words: list[str]) -> str | None:
    """Return what of a command line the package does not know, or None."""
    name, *rest = words
    if name in OF_BOOTSTRAP or name in {"NAME", "--help", "--version"}:
        return None
    if name not in (*COMMANDS, "load"):
        return f"no command {name}"
    context = click.Context(cli)
    # Loading a node is no command of the package: `./optix` starts it from the checkout.
    command = load_command if name == "load" else cli.get_command(context, name)
    while isinstance(command, click.Group) and rest:
        command = command.get_command(context, rest.pop(0))
    if command is None:
        return f"no command {' '.join(words)}"
    known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    for word in rest:
        if word.startswith("--") and word not in known:
            return f"no option {word} of {name}"
    return wrong_choice(command, rest[0]) if rest and rest[0].islower() else None


def wrong_choice(command: click.Command, word: str) -> str | None:
    """Return what is wrong with a command's first argument, or None."""
    for each in command.params:
        choices = getattr(each.type, "choices", None)
        if command is load_command:
            choices = (*profiles(), "PROFILE")
        if isinstance(each, click.Argument) and choices and word not in choices:
            return f"expected {command.name} of {', '.join(choices)}, was {word}"
    return None


def test_commands_exist() -> None:
    found = [
        f"{path}: ./optix {' '.join(words)}: {wrong}"
        for path, words in command_lines()
        if (wrong := wrong_words(words)) is not None
    ]
    assert not found, failures(found, "Name a command and options of server/cli")


def templates() -> list[tuple[re.Pattern[str], set[str]]]:
    """Return a pattern and the methods of every route."""
    made = []
    for handler in ROUTES:
        for path in handler.paths:  # type: ignore[union-attr]
            pattern = re.sub(r"\{[^}]+\}", "[^/]+", path)
            methods = set(handler.http_methods)  # type: ignore[union-attr]
            made.append((re.compile(pattern + r"\Z"), methods))
    return made


def is_served(path: str, method: str | None) -> bool:
    plain = re.sub(r"\{[^}]+\}|<[^>]+>", "x", urlsplit(path).path)
    if plain in OUTSIDE_REST:
        return True
    return any(
        pattern.match(plain) and (method is None or method in methods)
        for pattern, methods in templates()
    )


def curls() -> Iterator[tuple[Path, str, str]]:
    """Yield (document, method, path) of every curl that documents show."""
    for example in examples("sh"):
        for line in example.text.replace("\\\n", " ").splitlines():
            if not line.startswith("curl "):
                continue
            words = shlex.split(line)
            method = words[words.index("-X") + 1] if "-X" in words else "GET"
            for word in words:
                address = ADDRESS.match(word)
                if address is not None:
                    yield example.path, method, address[1] or "/"


def test_addresses_are_served() -> None:
    shown = list(curls())
    named = [
        (document, method or None, path)
        for document in documents()
        for method, path in NAMED_PATH.findall((ROOT / document).read_text())
        if "…" not in path
    ]
    assert len(shown) > 5
    found = [
        f"{document}: {method or ''} {path}"
        for document, method, path in [*shown, *named]
        if not is_served(path, method)
    ]
    assert not found, failures(found, "Name a route of server/api")


def test_bodies_of_curls_parse() -> None:
    for example in examples("sh"):
        for line in example.text.replace("\\\n", " ").splitlines():
            words = shlex.split(line) if line.startswith("curl ") else []
            if "-d" in words:
                json.loads(words[words.index("-d") + 1])


def test_files_that_documents_name_exist() -> None:
    found = [
        f"{path}: {name}"
        for path in documents()
        for name in SOURCE.findall((ROOT / path).read_text())
        if not exists(name)
    ]
    assert not found, failures(found, "Name a file that is there")


def exists(name: str) -> bool:
    if "*" in name:
        return any(ROOT.glob(name))
    return (ROOT / name).exists() or (ROOT / f"{name}.py").exists()


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["up", "--no-demo"], None),
        (["feed", "play", "FILE", "--speed", "max"], None),
        (["fly"], "no command fly"),
        (["feed", "rewind"], "no command feed rewind"),
        (["verify", "--fast"], "no option --fast of verify"),
        (["bench", "core", "--json"], None),
    ],
)
def test_wrong_commands_are_found(words: list[str], wrong: str | None) -> None:
    assert wrong == wrong_words(words)


def test_wrong_addresses_are_found() -> None:
    assert is_served("/v1/copies/@alice/decisions?code=OK", "GET")
    assert not is_served("/v1/copies/@alice/decisions", "POST")
    assert not is_served("/v1/elsewhere", "GET")
