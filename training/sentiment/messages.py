"""Labelled messages of three public sources, and their split by time and author.

The rule, fixed before anything was fitted:

* Of each text (case and links aside) only the earliest message is kept, over all sources.
* `train`: before the source's cut, by an author outside the test bucket.
* `test`: after the cut, by an author of whom no message is in `train`.
* The rest (known author after the cut, test author before it) is used for nothing.
* StockEmotions names no authors and has days only: it is split by time alone. Messages of
  `stocktwits_multi` are years later than the others: all of them are test.

The bucket of an author is a hash of the author's id, so that nobody's place depends on a choice.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


ETH, EMOTIONS, MULTI = "stocktwits_eth", "stockemotions", "stocktwits_multi"
SOURCES = (EMOTIONS, ETH, MULTI)
CUTS = {ETH: "2022-07-13", EMOTIONS: "2020-11-01", MULTI: "2026-01-01"}
"""First day that is test."""

TEST_BUCKETS = 25
"""Of 100 buckets of authors, those that are never trained on."""

_LABELS = {"Bullish": 1, "bullish": 1, "Bearish": 0, "bearish": 0}
_LINK = re.compile(r"https?://\S+")


class Message(NamedTuple):
    """One labelled message; `author` is empty where the source names none."""

    source: str
    at: str
    author: str
    text: str
    bullish: int

    @property
    def group(self) -> str:
        """What must not be on both sides of a split: the author, else the day."""
        return self.author or self.at


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def _eth(data: Path) -> Iterator[Message]:
    for row in _rows(data / ETH / "messages.csv.gz"):
        if row["tag"] in _LABELS:
            text = html.unescape(row["body"])
            author = "st:" + row["user_id"]
            yield Message(ETH, row["created_at"], author, text, _LABELS[row["tag"]])


def _emotions(data: Path) -> Iterator[Message]:
    for row in _rows(data / EMOTIONS / "messages.csv.gz"):
        text = html.unescape(row["original"])
        yield Message(EMOTIONS, row["date"], "", text, _LABELS[row["senti_label"]])


def _multi(data: Path) -> Iterator[Message]:
    with gzip.open(data / MULTI / "messages.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["sentiment"]:
                text, author = html.unescape(row["body"]), f"st:{row['user']['id']}"
                yield Message(MULTI, row["created_at"], author, text, _LABELS[row["sentiment"]])


def read_messages(data: Path) -> list[Message]:
    """Return all labelled messages by time, each text once."""
    found = sorted([*_eth(data), *_emotions(data), *_multi(data)], key=lambda each: each.at)
    kept: dict[str, Message] = {}
    for message in found:
        key = " ".join(_LINK.sub("", message.text.lower()).split())
        if key:
            kept.setdefault(key, message)
    return list(kept.values())


def bucket_of(author: str) -> int:
    """Return the author's bucket, 0 to 99."""
    digest = hashlib.sha256(f"optix-lexicon-1:{author}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100


def split(messages: list[Message]) -> tuple[list[Message], list[Message]]:
    """Return (train, test) by the rule of this module."""
    train = [
        each
        for each in messages
        if each.at < CUTS[each.source]
        and (not each.author or bucket_of(each.author) >= TEST_BUCKETS)
    ]
    trained_on = {each.author for each in train if each.author}
    test = [
        each for each in messages if each.at >= CUTS[each.source] and each.author not in trained_on
    ]
    return train, test
