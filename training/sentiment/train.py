"""Learns the lexicon that ships, from labelled messages. Needs the dependency group `training`.

    uv run --group training python -m training.sentiment.train DATA_FOLDER OUT.tsv

Same data, same versions, same bytes. Only the training part of the split is read here; what was
tuned (see SETTINGS) was tuned on five folds of it, authors and days kept whole.

Method: logistic regression on features (streams/replica/lexicon/features.py), each scaled by its
inverse document frequency, by how unevenly the labels have it (the naive Bayes log ratio of Wang
and Manning, 2012, mixed in at `ratio_share`), and by 1 / sqrt(tokens of the message). Both labels
of a source weigh the same, and an author's messages weigh 1 / sqrt(their number), so that a few
loud authors do not teach their style. The features that matter most are kept and fitted once more.
Platt's calibration is fitted on the margins of messages held out of each fold.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from streams.replica.lexicon.features import features_of
from streams.replica.lexicon.scorer import FORMAT
from training.sentiment.messages import Message, read_messages, split


class Settings(NamedTuple):
    """What was tuned.

    Attributes:
        inverse_penalty: `C` of the regression; the larger, the weaker the penalty.
        messages_min: messages a feature must occur in.
        rows: features kept.
        ratio_share: share of a feature's scale that follows its log ratio.
        author_power: an author of n messages weighs n ** -author_power each.
        neutral: absolute score below which a text is called neutral.
        folds: of the cross-validation.
    """

    inverse_penalty: float = 2.0
    messages_min: int = 2
    rows: int = 6_000
    ratio_share: float = 0.3
    author_power: float = 0.5
    neutral: float = 0.2
    folds: int = 5


SETTINGS = Settings()
IDF_SCALE = 7.0
"""Divides the inverse document frequencies, so that the usual `C` of a regression fits."""

Floats = NDArray[np.float64]


class Linear(NamedTuple):
    """A fitted model: weights as the scorer applies them, and its bias."""

    weights: dict[str, float]
    bias: float

    def margins(self, messages: list[Message]) -> Floats:
        """Return the margin of each message, computed as the scorer does."""
        found = np.zeros(len(messages))
        for index, message in enumerate(messages):
            content, shape, tokens = features_of(message.text)
            total = sum(self.weights.get(feature, 0.0) for feature in [*content, *shape])
            found[index] = self.bias + total / max(tokens, 1) ** 0.5
        return found


def sample_weights(messages: list[Message], author_power: float) -> Floats:
    """Return weights: labels equal within a source, sources by size, loud authors damped."""
    counts = Counter(each.author for each in messages if each.author)
    weights = np.array([counts.get(each.author, 1) ** -author_power for each in messages])
    sources = np.array([each.source for each in messages])
    labels = np.array([each.bullish for each in messages])
    for source in sorted(set(sources)):
        size = np.count_nonzero(sources == source)
        for label in (0, 1):
            chosen = (sources == source) & (labels == label)
            if chosen.any():
                weights[chosen] *= size / 2 / weights[chosen].sum()
    return weights


def _log_ratios(counts: Any, labels: NDArray[np.int64], weights: Floats) -> Floats:
    """Return how unevenly the labels have each feature, 1 on average; each count is raised by 1."""
    shares = []
    for label in (0, 1):
        found = np.asarray(weights[labels == label] @ counts[labels == label]).ravel() + 1.0
        shares.append(np.log(found / found.sum()))
    ratios: Floats = np.abs(shares[1] - shares[0])
    return ratios / ratios.mean()


def fit(messages: list[Message], settings: Settings = SETTINGS) -> Linear:
    """Fit the weights."""
    found = [features_of(each.text) for each in messages]
    features = [[*each.content, *each.shape] for each in found]
    labels = np.array([each.bullish for each in messages])
    weights = sample_weights(messages, settings.author_power)
    counting = CountVectorizer(analyzer=list, min_df=settings.messages_min, binary=True)
    counts = counting.fit_transform(features).astype(float)
    occurrences = np.asarray(counts.sum(axis=0)).ravel()
    scale = (np.log(len(messages) / occurrences) + 1) / IDF_SCALE
    scale *= 1 - settings.ratio_share + settings.ratio_share * _log_ratios(counts, labels, weights)
    lengths = np.maximum(np.array([each.tokens for each in found], dtype=float), 1.0)
    table: Any = (sparse.diags(lengths**-0.5) @ counts @ sparse.diags(scale)).tocsr()
    model = LogisticRegression(C=settings.inverse_penalty, max_iter=5_000, tol=1e-4)
    model.fit(table, labels, sample_weight=weights)
    spread = np.sqrt(np.asarray(table.multiply(table).mean(axis=0)).ravel())
    kept = np.sort(np.argsort(-np.abs(model.coef_[0]) * spread, kind="stable")[: settings.rows])
    model.fit(table[:, kept], labels, sample_weight=weights)
    names = counting.get_feature_names_out()[kept]
    applied = model.coef_[0] * scale[kept]
    pairs = zip(names.tolist(), applied.tolist(), strict=True)
    return Linear(dict(pairs), float(model.intercept_[0]))


def held_out_margins(messages: list[Message], settings: Settings = SETTINGS) -> Floats:
    """Return each message's margin by a model that saw neither it, nor its author or day."""
    groups = [each.group for each in messages]
    margins = np.zeros(len(messages))
    folds = GroupKFold(settings.folds, shuffle=True, random_state=0)
    for seen, unseen in folds.split(messages, groups=groups):
        model = fit([messages[index] for index in seen], settings)
        margins[unseen] = model.margins([messages[index] for index in unseen])
    return margins


def calibrate(margins: Floats, messages: list[Message], author_power: float) -> tuple[float, float]:
    """Return (slope, offset) of Platt's calibration, with both labels equally frequent."""
    labels = np.array([each.bullish for each in messages])
    model = LogisticRegression(C=1e6, max_iter=1_000)
    model.fit(margins.reshape(-1, 1), labels, sample_weight=sample_weights(messages, author_power))
    return float(model.coef_[0][0]), float(model.intercept_[0])


def balanced_accuracy(margins: Floats, messages: list[Message]) -> float:
    """Return the mean of the shares of bullish and of bearish messages that are recognised."""
    labels = np.array([each.bullish for each in messages])
    shares = [np.mean((margins[labels == label] > 0) == bool(label)) for label in (0, 1)]
    return float(np.mean(shares))


def write(path: Path, linear: Linear, slope: float, offset: float, neutral: float) -> int:
    """Write the lexicon's file, heaviest rows first; return the number of rows."""
    rows = sorted(
        ((round(weight * 1000), feature) for feature, weight in linear.weights.items()),
        key=lambda row: (-abs(row[0]), row[1]),
    )
    head = [
        FORMAT,
        "# learned by training/sentiment/train.py; see PROVENANCE.md",
        f"bias {linear.bias:.6f}",
        f"slope {slope:.6f}",
        f"offset {offset:.6f}",
        f"neutral {neutral}",
    ]
    lines = [*head, *(f"{weight}\t{feature}" for weight, feature in rows if weight)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(lines) - len(head)


def main() -> None:
    """Train on the folder named first, write the file named second, say what came out."""
    data, target = map(Path, sys.argv[1:3])
    train, _ = split(read_messages(data))
    margins = held_out_margins(train)
    slope, offset = calibrate(margins, train, SETTINGS.author_power)
    rows = write(target, fit(train), slope, offset, SETTINGS.neutral)
    print(f"{len(train)} messages, {rows} rows, slope {slope:.3f}, offset {offset:.3f}")
    print(f"held out of the folds: balanced accuracy {balanced_accuracy(margins, train):.4f}")


if __name__ == "__main__":
    main()
