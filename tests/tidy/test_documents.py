"""Documents point at what exists and name what the code has."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from enum import StrEnum
from pathlib import Path

import pytest

from tests.tidy.sources import ROOT, failures, files, python_sources


LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
REASON_CODES = Path("docs/reference/reason-codes.md")


def anchors_of(document: Path) -> set[str]:
    """Return the anchors of a document's headings, by the rule of the common forges."""
    text = FENCED.sub("", document.read_text())
    titles = re.findall(r"^#{1,6}\s+(.+?)\s*#*$", text, re.MULTILINE)
    explicit = set(re.findall(r'<a (?:id|name)="([^"]+)"', text))
    return explicit | {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_links_lead_somewhere() -> None:
    found = []
    for path in files(".md"):
        text = FENCED.sub("", (ROOT / path).read_text())
        for target in (one or other for one, other in LINK.findall(text)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            document = ROOT / path.parent / name if name else ROOT / path
            if not document.exists():
                found.append(f"{path}: {target}: no such file")
            elif anchor and document.suffix == ".md" and anchor not in anchors_of(document):
                found.append(f"{path}: {target}: no such heading")
    assert not found, failures(found, "Mend the link")


def test_every_decision_has_a_number_of_its_own_and_is_listed() -> None:
    names = sorted(path.name for path in files(".md") if re.match(r"docs/adr/\d", str(path)))
    listed = re.findall(
        r"^\| \[(\d{4})\]\((.+?)\)", (ROOT / "docs/adr/README.md").read_text(), re.M
    )
    assert [(f"{number:04}", name) for number, name in enumerate(names, 1)] == listed


def reasons() -> type[StrEnum]:
    """Return the closed list of reason codes."""
    if importlib.util.find_spec("streams.core.reasons") is None:
        pytest.skip("the core has no reason codes yet")
    from streams.core.reasons import Reason

    return Reason


def test_every_reason_code_is_documented() -> None:
    if not (ROOT / REASON_CODES).exists():
        pytest.skip(f"{REASON_CODES} is not written yet")
    text = (ROOT / REASON_CODES).read_text()
    found = [reason.value for reason in reasons() if f"`{reason.value}`" not in text]
    assert not found, failures(found, f"Explain the code in {REASON_CODES}")


def test_every_reason_code_is_reached_by_a_test() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    tests = "".join(
        source.text
        for source in python_sources()
        if source.path.parts[0] == "tests" and source.path.parts[1] != "tidy"
    )
    tests += "".join(
        (ROOT / path).read_text() for path in files(".txt") if path.parts[0] == "tests"
    )
    found = [reason.value for reason in reasons() if not re.search(rf"\b{reason.value}\b", tests)]
    if found and settings["coverage"]["report"]["fail_under"] == 0:
        pytest.skip(f"judged with coverage; {len(found)} codes without a test: {', '.join(found)}")
    assert not found, failures(found, "Write a test in which the code is the outcome")
