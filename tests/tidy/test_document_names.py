"""Names that documents use are names that the code has."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from server.settings import Settings, name_of
from streams.core.reasons import Reason
from tests.tidy.sources import ROOT, failures, files, python_sources
from tests.unit.docs.tables import metrics


IN_FILE = re.compile(r"`([A-Za-z_][\w.]*)` \(`([\w/]+\.py)`\)")
METRIC = re.compile(r"\boptix_[a-z_]+")
SETTING = re.compile(r"\bOPTIX_[A-Z_]+\b")
FIRST_CELL = re.compile(r"^\| `([A-Z][A-Z_]+)`", re.MULTILINE)
FENCED = re.compile(r"^(```).*?^\1", re.MULTILINE | re.DOTALL)
NEXT_SENTENCE = re.compile(r"[a-z0-9`)][.!?] +(?=[A-Z])")
REASON_CODES = ROOT / "docs" / "reference" / "reason-codes.md"
COLLECTOR = "server/observability/collector.py"
NO_METRICS = {"optix_"}
LIST_MARK = re.compile(r"\s*(?:\d+\.|-)\s+")
MADE_BY_REST = {"docs/reference/errors.md", "docs/reference/rest.md"}
"""Written by the API from its own descriptions; its tests compare them."""


def documents() -> list[tuple[Path, str]]:
    paths = [path for path in files(".md") if path.parts[0] == "docs" or path.name == "README.md"]
    return [(path, (ROOT / path).read_text()) for path in paths if path.parts[0] != "tests"]


def test_names_stand_in_the_files_that_are_named_with_them() -> None:
    named = [(path, *found) for path, text in documents() for found in IN_FILE.findall(text)]
    assert len(named) > 20
    found = [
        f"{path}: {name} in {file}"
        for path, name, file in named
        if not (ROOT / file).exists()
        or not re.search(rf"\b{name.rpartition('.')[2]}\b", (ROOT / file).read_text())
    ]
    assert not found, failures(found, "Follow the name to where it is now")


def test_metrics_exist() -> None:
    known = {each.name for each in metrics(COLLECTOR)}
    known |= {f"{name}_{part}" for name in known for part in ("bucket", "sum", "count")}
    found = [
        f"{path}: {name}"
        for path, text in documents()
        for name in METRIC.findall(text)
        if name not in known | NO_METRICS
    ]
    assert not found, failures(found, f"Name a metric of {COLLECTOR}")


def test_settings_exist() -> None:
    known = {name_of(field.name) for field in msgspec.structs.fields(Settings)}
    sources = "".join(source.text for source in python_sources() if source.path.parts[0] != "docs")
    found = [
        f"{path}: {name}"
        for path, text in documents()
        for name in SETTING.findall(text)
        if name not in known and not re.search(rf"\b{name}\b", sources)
    ]
    assert not found, failures(found, "Name a setting of server/settings.py")


def test_reason_codes_that_are_documented_exist() -> None:
    documented = FIRST_CELL.findall(REASON_CODES.read_text())
    known = {reason.value for reason in Reason}
    assert known == set(documented)


def test_prose_has_one_sentence_a_line() -> None:
    found = [
        f"{path}: {line.strip()[:80]}"
        for path, text in documents()
        for line in FENCED.sub("", text).splitlines()
        if str(path) not in MADE_BY_REST
        and not line.startswith(("|", "#"))
        and NEXT_SENTENCE.search(LIST_MARK.sub("", line, count=1))
    ]
    assert not found, failures(found, "Begin the next sentence on a line of its own")
