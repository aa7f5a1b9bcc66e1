"""Judges the lexicon that ships on the test part of the split, beside VADER and always-bullish.

    uv run --group training python -m training.sentiment.evaluate DATA_FOLDER PLOT.svg

Prints the tables of docs/benchmarks.md and draws the reliability plot. Nothing is left neutral: a
score of 0 counts as bearish for the lexicon and as bullish for VADER, whichever is better for it.
The test part is read here only; nothing was chosen by it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from math import sqrt
from pathlib import Path
from typing import NamedTuple

from streams.replica.lexicon import trading_lexicon
from training.sentiment.messages import SOURCES, Message, read_messages, split
from training.sentiment.plot import Bin, reliability_plot


BINS = 10


class Verdict(NamedTuple):
    """How a method does on some messages.

    Attributes:
        balanced_accuracy: mean of the shares of bullish and of bearish messages recognised.
        error: standard error of it.
        accuracy: share recognised.
    """

    balanced_accuracy: float
    error: float
    accuracy: float


def judge(messages: Sequence[Message], bullish: Sequence[bool]) -> Verdict:
    """Compare what a method says with the labels."""
    shares, variance, right = [], 0.0, 0
    for label in (0, 1):
        found = [
            said == bool(label)
            for each, said in zip(messages, bullish, strict=True)
            if each.bullish == label
        ]
        share = sum(found) / len(found)
        shares.append(share)
        variance += share * (1 - share) / len(found) / 4
        right += sum(found)
    return Verdict(sum(shares) / 2, sqrt(variance), right / len(messages))


def reliability(messages: Sequence[Message], probabilities: Sequence[float]) -> list[Bin]:
    """Return mean probability and share of bullish messages by bin, labels equally frequent."""
    counts = [sum(each.bullish == label for each in messages) for label in (0, 1)]
    sums = [[0.0, 0.0, 0.0, 0] for _ in range(BINS)]
    for each, probability in zip(messages, probabilities, strict=True):
        row = sums[min(int(probability * BINS), BINS - 1)]
        weight = len(messages) / 2 / counts[each.bullish]
        row[0] += weight
        row[1] += weight * probability
        row[2] += weight * each.bullish
        row[3] += 1
    return [Bin(row[1] / row[0], row[2] / row[0], int(row[3])) for row in sums if row[0]]


def brier(messages: Sequence[Message], probabilities: Sequence[float]) -> float:
    """Return the mean squared error of the probabilities, labels equally frequent (0.25 = none)."""
    sides = [
        [
            (probability - label) ** 2
            for each, probability in zip(messages, probabilities, strict=True)
            if each.bullish == label
        ]
        for label in (0, 1)
    ]
    return sum(sum(side) / len(side) for side in sides) / 2


def methods() -> dict[str, Callable[[str], bool]]:
    """Return what is compared: from a text to whether it is bullish."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    lexicon, vader = trading_lexicon(), SentimentIntensityAnalyzer()
    return {
        "lexicon": lambda text: lexicon.score(text) > 0,
        "VADER": lambda text: vader.polarity_scores(text)["compound"] >= 0,
        "always bullish": lambda _: True,
    }


def print_accuracy(test: Sequence[Message]) -> None:
    """Print balanced accuracy by source and method as a table."""
    compared = methods()
    print("| Source | Messages | Bullish | " + " | ".join(compared) + " |")
    print("|--" * (3 + len(compared)) + "|")
    for source in [*SOURCES, "all"]:
        chosen = [each for each in test if source in (each.source, "all")]
        share = sum(each.bullish for each in chosen) / len(chosen)
        cells = []
        for says in compared.values():
            verdict = judge(chosen, [says(each.text) for each in chosen])
            cells.append(f"{verdict.balanced_accuracy:.3f} ± {verdict.error:.3f}")
        print(f"| {source} | {len(chosen):,} | {share:.0%} | " + " | ".join(cells) + " |")


def print_neutral(test: Sequence[Message]) -> None:
    """Print what leaving the unsure neutral does."""
    lexicon = trading_lexicon()
    sure = [each for each in test if lexicon.opinion(each.text).label != "neutral"]
    verdict = judge(sure, [lexicon.score(each.text) > 0 for each in sure])
    print(
        f"neutral: {1 - len(sure) / len(test):.1%} of all; of the others "
        f"{verdict.balanced_accuracy:.3f} balanced, {verdict.accuracy:.3f} plain accuracy"
    )


def main() -> None:
    """Print the tables, draw the plot."""
    data, plot = map(Path, sys.argv[1:3])
    train, test = split(read_messages(data))
    print(f"{len(train):,} messages of training, {len(test):,} of test\n")
    print_accuracy(test)
    lexicon = trading_lexicon()
    probabilities = [(lexicon.score(each.text) + 1) / 2 for each in test]
    bins = reliability(test, probabilities)
    print()
    print_neutral(test)
    print(f"Brier {brier(test, probabilities):.4f}, labels equally frequent; nothing known: 0.25")
    print("\n| Said | Was | Messages |\n|--|--|--|")
    for each in bins:
        print(f"| {each.said:.3f} | {each.was:.3f} | {each.messages:,} |")
    plot.write_text(reliability_plot(bins), encoding="utf-8")


if __name__ == "__main__":
    main()
