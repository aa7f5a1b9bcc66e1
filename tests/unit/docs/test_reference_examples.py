"""The examples of docs/reference/stream.md are what the code sends, byte for byte."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.unit.docs.example_market import messages


STREAM = Path(__file__).parents[3] / "docs" / "reference" / "stream.md"
EXAMPLE = re.compile(r"<!-- example: ([\w ]+) -->\n```json\n(.*?)```", re.DOTALL)


def test_examples_of_the_stream_are_what_is_sent() -> None:
    documented = {name: json.loads(text) for name, text in EXAMPLE.findall(STREAM.read_text())}
    sent = messages()
    assert sent.keys() == documented.keys()
    for name, message in sent.items():
        assert message == documented[name], f"{name}: {json.dumps(message)}"
