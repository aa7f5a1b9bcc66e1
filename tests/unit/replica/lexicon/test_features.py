from __future__ import annotations

import pytest

from streams.replica.lexicon.features import TEXT_LENGTH_MAX, features_of, tokens_of


TOKENS = """
Buy the dip                          | buy the dip
$ETH.X to 1,500                      | <tag> to <number>
up 5% or $420.69 or 20k              | up <percent> or <number> or <number>
see https://example.com/a?b=1 now    | see <link> now
@alice #bullrun.                     | <name> bullrun
Don\u2019t sell                      | don't sell
soooooo goooood                      | soo good
what?!?!! no!!!                      | what ?! no !!
🚀🚀 👍🏽 ☀️                           | 🚀 🚀 👍 ☀
bulls &amp; bears &lt;3              | bulls bears <number>
... , ; : ( ) [ ] "quoted"           | quoted
http is a word                       | http is a word
"""


@pytest.mark.parametrize(
    ("text", "tokens"),
    [line.split("|") for line in TOKENS.strip().splitlines()],
)
def test_tokens(text: str, tokens: str) -> None:
    assert tokens.split() == tokens_of(text)[0]


def test_cashtags_keep_their_names() -> None:
    assert tokens_of("$ETH.X up, $SPY. and $BRK.B")[1] == ["$eth.x", "$spy", "$brk.b"]


def test_words_after_a_negation_are_marked() -> None:
    words = [name for name in features_of("do not sell this here now").content if " " not in name]
    assert words == ["do", "not", "!sell", "!this", "!here", "now"]


def test_a_negation_ends_at_the_end_of_the_sentence_and_skips_what_is_no_word() -> None:
    words = [name for name in features_of("not 🚀 now! up").content if " " not in name]
    assert words == ["not", "🚀", "!now", "!", "up"]


def test_neighbours_include_the_ends() -> None:
    content = features_of("to the moon").content
    assert [n for n in content if n.count(" ") == 1] == ["^ to", "to the", "the moon", "moon $"]
    assert [n for n in content if n.count(" ") == 2] == ["^ to the", "to the moon", "the moon $"]


def test_a_feature_counts_once() -> None:
    features = features_of("up up up up")
    assert list(features.content) == [
        "up",
        "^ up",
        "up up",
        "up $",
        "^ up up",
        "up up up",
        "up up $",
    ]
    assert features.tokens == 4


SHAPES = """
hello                     | capitals=0 emoji=0 tags=1 length=0
$A $B $C BUY NOW OK 🚀🚀    | capitals=2 emoji=2 tags=3 length=1 capitals:buy capitals:now
$A $B $C $D $E $F         | capitals=0 emoji=0 tags=4 length=1
"""


@pytest.mark.parametrize(
    ("text", "shape"), [line.split("|") for line in SHAPES.strip().splitlines()]
)
def test_shape(text: str, shape: str) -> None:
    assert shape.split() == list(features_of(text).shape)


def test_what_has_no_tokens_has_no_tokens() -> None:
    assert features_of("  ... ").tokens == 0
    assert {name: None for name in features_of("").content if not name.startswith("^")} == {}


def test_a_long_text_is_read_as_far_as_the_limit() -> None:
    text = "up down " * TEXT_LENGTH_MAX
    assert features_of(text).tokens == TEXT_LENGTH_MAX // 4
