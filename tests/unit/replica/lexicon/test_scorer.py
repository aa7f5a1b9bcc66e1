from __future__ import annotations

from math import exp, sqrt

import pytest
from hypothesis import given, strategies as st

from streams.replica.lexicon import Lexicon, LexiconError, Opinion, trading_lexicon
from streams.replica.lexicon.features import features_of
from streams.replica.lexicon.scorer import FORMAT


HEAD = f"{FORMAT}\n# a comment\nbias 0.5\nslope 2\noffset -0.25\nneutral 0.2\n"
WORDS = "1500\tmoon\n-2000\tdump\n250\tlength=0\n-1000\t!moon\n500\tto the moon\n"


def lexicon(text: str = HEAD + WORDS) -> Lexicon:
    return Lexicon.read(text.splitlines(keepends=True))


def test_a_score_is_the_calibrated_probability_of_the_margin() -> None:
    margin = 0.5 + (1.5 + 0.5 + 0.25) / sqrt(3)
    probability = 1 / (1 + exp(-(2 * margin - 0.25)))
    assert round(2 * probability - 1, 4) == lexicon().score("to the moon")


def test_an_opinion_names_the_side_or_says_that_it_is_unsure() -> None:
    made = lexicon()
    assert Opinion(0.9922, "bullish") == made.opinion("moon moon to the moon")._replace(
        score=0.9922
    )
    assert made.opinion("dump").label == "bearish"
    assert Opinion(-0.0749, "neutral") == made.opinion("not moon moon")._replace(score=-0.0749)


def test_what_is_unknown_is_neutral() -> None:
    assert Opinion(0.0, "neutral") == lexicon().opinion("good morning")
    assert Opinion(0.0, "neutral") == lexicon().opinion("")


def test_size() -> None:
    assert len(lexicon()) == 5


BAD = [
    ("", "expected a line for bias, slope, offset, neutral, was none"),
    ("optix-lexicon 2\n", "line 1: expected 'optix-lexicon 1', was 'optix-lexicon 2'"),
    (f"{FORMAT}\nbias 1\n", "expected a line for slope, offset, neutral, was none"),
    (
        f"{FORMAT}\nbias 1\nbias 2\n",
        "line 3: expected one of bias, slope, offset, neutral, was 'bias 2'",
    ),
    (
        f"{FORMAT}\nbias much\n",
        "line 2: expected one of bias, slope, offset, neutral, was 'bias much'",
    ),
    (HEAD + "15\n", "line 7: expected WEIGHT<TAB>FEATURE, was '15'"),
    (HEAD + "x\tmoon\n", "line 7: expected WEIGHT<TAB>FEATURE, was 'x\\tmoon'"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_a_bad_file_is_named(text: str, message: str) -> None:
    with pytest.raises(LexiconError) as caught:
        lexicon(text)
    assert message == str(caught.value)


def test_the_lexicon_that_ships_has_a_few_thousand_rows_and_reads_the_market() -> None:
    shipped = trading_lexicon()
    assert 2_000 < len(shipped) < 10_000
    assert shipped is trading_lexicon()
    assert shipped.opinion("$ETH.X to the moon 🚀🚀🚀 loading more calls").label == "bullish"
    assert shipped.opinion("$TSLA this bubble will dump, holding my puts 📉").label == "bearish"
    assert shipped.opinion("xyzzy").label == "neutral"


@given(st.text(max_size=200))
def test_any_text_has_a_score_within_bounds(text: str) -> None:
    shipped = trading_lexicon()
    opinion = shipped.opinion(text)
    assert -1 <= opinion.score <= 1
    assert opinion == shipped.opinion(text)
    assert (opinion.label == "neutral") or (opinion.score > 0) == (opinion.label == "bullish")


@given(st.lists(st.sampled_from(["moon", "dump", "not", "🚀", "$eth.x", "5%", "!"]), max_size=12))
def test_repeating_a_word_never_repeats_its_weight(words: list[str]) -> None:
    features = features_of(" ".join(words))
    assert len(set(features.content)) == len(features.content)
    assert len(words) == features.tokens
