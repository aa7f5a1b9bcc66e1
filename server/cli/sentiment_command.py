"""`optix sentiment`: scores messages with the lexicon that the server uses for undeclared stances.

One JSON object a line in, the same object with `score` and `label` out, in order and as it goes,
so that it can stand in a pipe. It ends at the first bad line, naming it, with exit code 1.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import IO, Any

import rich_click as click

from streams.replica.lexicon import Lexicon, trading_lexicon


TEXT_FIELDS = ("text", "body", "message", "original")
"""Names under which the text is looked for, unless one is given."""


class LineError(Exception):
    """A line of the input is not a message. The text says where and what was expected."""


@click.command(name="sentiment")
@click.argument("source", metavar="FILE.jsonl", type=click.File("rb"))
@click.option("--json", "as_json", is_flag=True, help="Print nothing but the JSON objects.")
@click.option(
    "--field", help=f"Field of the text; otherwise the first of {', '.join(TEXT_FIELDS)}."
)
def command(source: IO[bytes], as_json: bool, field: str | None) -> None:
    """Score the messages of FILE.jsonl (`-` = standard input): -1 bearish to 1 bullish."""
    counts = {"bullish": 0, "bearish": 0, "neutral": 0}
    try:
        for message in scored(source, (field,) if field else TEXT_FIELDS, trading_lexicon()):
            counts[message["label"]] += 1
            click.echo(json.dumps(message, ensure_ascii=False))
    except LineError as error:
        raise click.ClickException(str(error)) from None
    if not as_json:
        click.echo(", ".join(f"{count} {label}" for label, count in counts.items()), err=True)


def scored(
    lines: Iterable[bytes], fields: tuple[str, ...], lexicon: Lexicon
) -> Iterator[dict[str, Any]]:
    """Yield each line's object with `score` and `label` added; empty lines are skipped.

    Args:
        lines: one JSON object a line, UTF-8.
        fields: names of the text's field, the first that is there counts.
        lexicon: scores.

    Raises:
        LineError: a line is no JSON object, or has no text.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            message = json.loads(line.decode())
        except ValueError as error:
            raise LineError(
                f"line {number}: expected a JSON object, was no JSON: {error}"
            ) from None
        if not isinstance(message, dict):
            raise LineError(f"line {number}: expected a JSON object, was {_json_type(message)}")
        text = next((message[name] for name in fields if name in message), None)
        if not isinstance(text, str):
            raise LineError(
                f"line {number}: expected text in {' or '.join(map(repr, fields))}, "
                f"was {_json_type(text)}"
            )
        opinion = lexicon.opinion(text)
        yield {**message, "score": opinion.score, "label": opinion.label}


def _json_type(value: Any) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", str: "text", list: "a list"}
    return "nothing" if value is None else names.get(type(value), "an object")
