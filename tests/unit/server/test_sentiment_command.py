from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from server.cli.sentiment_command import command


def run(*arguments: str, given: bytes = b"") -> tuple[int, list[str], str]:
    result = CliRunner().invoke(command, list(arguments), input=given)
    return result.exit_code, result.stdout.splitlines(), result.stderr


def test_each_object_comes_out_with_score_and_label(tmp_path: Path) -> None:
    path = tmp_path / "messages.jsonl"
    path.write_text(
        '{"id": 7, "text": "to the moon 🚀🚀"}\n\n{"body": "puts, it will dump", "tags": [1]}\n',
        encoding="utf-8",
    )
    code, lines, errors = run(str(path))
    first, second = map(json.loads, lines)
    assert code == 0
    assert [first["id"], first["text"], first["label"]] == [7, "to the moon 🚀🚀", "bullish"]
    assert 0 < first["score"] <= 1
    assert {"body", "tags", "score", "label"} == set(second)
    assert -1 <= second["score"] < 0
    assert "🚀" in lines[0]
    assert errors == "1 bullish, 1 bearish, 0 neutral\n"


def test_standard_input_and_nothing_but_json() -> None:
    code, lines, errors = run("-", "--json", given=b'{"text": "xyzzy"}\n')
    assert (
        code,
        [json.loads(line) for line in lines],
        errors,
    ) == (0, [{"text": "xyzzy", "score": 0.0, "label": "neutral"}], "")


def test_the_field_of_the_text_can_be_named() -> None:
    code, lines, _ = run("-", "--field", "says", given=b'{"text": 1, "says": "bears"}\n')
    assert (code, len(lines)) == (0, 1)


BAD = [
    (b"{bad\n", "line 1: expected a JSON object, was no JSON"),
    (b'{"text": "a"}\n\xff\n', "line 2: expected a JSON object, was no JSON"),
    (b"\n[1]\n", "line 2: expected a JSON object, was a list"),
    (b"3.5\n", "line 1: expected a JSON object, was a number"),
    (b"null\n", "line 1: expected a JSON object, was nothing"),
    (b'{"text": {"a": 1}}\n', "was an object"),
    (b'{"other": "a"}\n', "was nothing"),
    (b'{"text": true}\n', "was a boolean"),
]


@pytest.mark.parametrize(("given", "message"), BAD)
def test_a_bad_line_is_named(given: bytes, message: str) -> None:
    code, _, errors = run("-", given=given)
    text = " ".join(errors.replace("│", " ").split())
    assert code == 1
    assert message in text


def test_what_was_good_before_a_bad_line_is_out() -> None:
    code, lines, _ = run("-", given=b'{"text": "a"}\n{}\n')
    assert (code, len(lines)) == (1, 1)
