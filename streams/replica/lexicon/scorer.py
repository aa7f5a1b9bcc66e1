"""Weights of features, and the score and label of a text.

margin = bias + (sum of the weights of the text's features) / sqrt(number of tokens)
P(bullish) = 1 / (1 + exp(-(slope x margin + offset))), score = 2 P - 1

The probability is calibrated on messages that the weights had not seen, with both labels made
equally frequent: 0 is where nothing speaks for either side, whatever the crowd's usual mood.

File format, one item a line, UTF-8: `optix-lexicon 1`, then `bias`, `slope`, `offset` and
`neutral` with a number each, then `weight<TAB>feature` with weights in thousandths. `#` opens a
comment in the head only.

Source: Platt (1999) for the calibration.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from math import exp, sqrt
from typing import NamedTuple

from streams.replica.lexicon.features import features_of


FORMAT = "optix-lexicon 1"
FILE = "trading.tsv"
SCORE_DIGITS = 4
_HEAD = ("bias", "slope", "offset", "neutral")


class LexiconError(Exception):
    """A lexicon's file is not what it should be."""


class Opinion(NamedTuple):
    """What a text says.

    Attributes:
        score: -1 (bearish) to 1 (bullish), 2 P - 1 of the calibrated probability.
        label: bullish, bearish, or neutral when the score is nearer to 0 than the lexicon's bound.
    """

    score: float
    label: str


class Lexicon:
    """Learned weights. Immutable once made; scoring a message takes some tens of microseconds."""

    __slots__ = ("_bias", "_neutral", "_offset", "_slope", "_weights")

    def __init__(
        self, weights: dict[str, float], *, bias: float, slope: float, offset: float, neutral: float
    ) -> None:
        """Make a lexicon.

        Args:
            weights: weight of each feature.
            bias: added to every margin.
            slope: of the calibration.
            offset: of the calibration.
            neutral: absolute score below which a text is neutral.
        """
        self._weights = weights
        self._bias = bias
        self._slope = slope
        self._offset = offset
        self._neutral = neutral

    @classmethod
    def read(cls, lines: Iterable[str]) -> Lexicon:
        """Read the file format.

        Raises:
            LexiconError: names the line, what was expected and what was there.
        """
        head: dict[str, float] = {}
        weights: dict[str, float] = {}
        for number, line in enumerate(lines, 1):
            text = line.rstrip("\n")
            if number == 1:
                if text != FORMAT:
                    raise LexiconError(f"line 1: expected {FORMAT!r}, was {text[:40]!r}")
            elif not text.startswith("#") or len(head) == len(_HEAD):
                _read_item(number, text, head, weights)
        missing = [name for name in _HEAD if name not in head]
        if missing:
            raise LexiconError(f"expected a line for {', '.join(missing)}, was none")
        return cls(weights, **head)

    def __len__(self) -> int:
        """Return how many features have a weight."""
        return len(self._weights)

    def margin(self, text: str) -> float | None:
        """Return the margin of a text, or None when nothing that it says has a weight."""
        features = features_of(text)
        weights = self._weights
        content = [weights[name] for name in features.content if name in weights]
        if not content:
            return None
        shape = [weights[name] for name in features.shape if name in weights]
        return self._bias + (sum(content) + sum(shape)) / sqrt(features.tokens)

    def score(self, text: str) -> float:
        """Return the score of a text, -1 to 1; 0 when nothing of it is known."""
        margin = self.margin(text)
        if margin is None:
            return 0.0
        probability = 1.0 / (1.0 + exp(-(self._slope * margin + self._offset)))
        return round(2.0 * probability - 1.0, SCORE_DIGITS)

    def opinion(self, text: str) -> Opinion:
        """Return score and label of a text."""
        score = self.score(text)
        if abs(score) < self._neutral or score == 0:
            return Opinion(score, "neutral")
        return Opinion(score, "bullish" if score > 0 else "bearish")


def _read_item(number: int, text: str, head: dict[str, float], weights: dict[str, float]) -> None:
    name, _, value = text.partition(" ")
    try:
        if len(head) < len(_HEAD):
            if name not in _HEAD or name in head:
                raise ValueError
            head[name] = float(value)
        else:
            thousandths, feature = text.split("\t")
            weights[feature] = int(thousandths) / 1000
    except ValueError:
        expected = "one of " + ", ".join(_HEAD) if len(head) < len(_HEAD) else "WEIGHT<TAB>FEATURE"
        raise LexiconError(f"line {number}: expected {expected}, was {text[:40]!r}") from None


@cache
def trading_lexicon() -> Lexicon:
    """Return the lexicon that ships, read once."""
    with files("streams.replica.lexicon").joinpath(FILE).open(encoding="utf-8") as lines:
        return Lexicon.read(lines)


def text_score_milli(text: str) -> int:
    """Return what a command says of its text: the score in thousandths, 0 when unsure."""
    opinion = trading_lexicon().opinion(text)
    return 0 if opinion.label == "neutral" else round(1000 * opinion.score)
