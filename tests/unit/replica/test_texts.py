"""Texts from outside: what is refused because nobody sees it, and what is let through."""

import pytest

from streams.ports import CommandError
from streams.replica.texts import clean, clean_handle, clean_links, clean_tags


def refused(text: str, *, lines: bool = False) -> str:
    with pytest.raises(CommandError) as caught:
        clean("title", text, (1, 100), lines=lines)
    assert (caught.value.code, caught.value.field) == ("INVALID_ARGUMENT", "title")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "character"),
    [
        ("pump\u200bed", "U+200B"),
        ("safe\u202efdp.exe", "U+202E"),
        ("a\u2066b\u2069", "U+2066"),
        ("le\u00adft", "U+00AD"),
        ("\ufeffbom", "U+FEFF"),
        ("nul\x00", "U+0000"),
        ("esc\x1b[31m", "U+001B"),
        ("ab\u200dcd", "U+200D"),
        ("é \u200d é", "U+200D"),
        ("é\u200d", "U+200D"),
        ("a\U000e0067", "U+E0067"),
        ("private \ue000 use", "U+E000"),
        ("line\u2028break", "U+2028"),
        ("two\nlines", "U+000A"),
    ],
)
def test_what_nobody_sees_is_refused_by_name(text: str, character: str) -> None:
    assert f"expected visible text, was {character}" in refused(text)


def test_marks_do_not_pile_up() -> None:
    assert "at most 4 marks on a letter" in refused("z" + "\u0336" * 5)
    assert clean("title", "x\u0336\u0335\u0334\u0338", (1, 100)) == "x\u0336\u0335\u0334\u0338"


@pytest.mark.parametrize(
    "text",
    [
        "Café au lait",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "👩\u200d💻 on it",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f wins",
        "многоточие…",
        "日本語のタイトル",
    ],
)
def test_scripts_and_emoji_stay(text: str) -> None:
    assert clean("title", text, (1, 100)) == text


def test_one_spelling_without_the_space_around() -> None:
    assert clean("title", "  Cafe\u0301 ", (1, 4)) == "Café"
    assert clean("thesis", "one\n\ttwo\n", (1, 100), lines=True) == "one\n\ttwo"
    with pytest.raises(CommandError, match="expected 3 to 4 characters, was 2"):
        clean("title", " ab ", (3, 4))


def test_handles_have_one_spelling_and_some_are_reserved() -> None:
    assert clean_handle(" @Ali\uff43e ") == "alice"
    with pytest.raises(CommandError, match="support is reserved"):
        clean_handle("Support")


def test_tags_are_words_in_lower_case_each_once() -> None:
    assert clean_tags("tags", ["#BTC", "btc", "mean-reversion", "Größe"]) == [
        "btc",
        "mean-reversion",
        "größe",
    ]
    for tag in ("", "two words", "-x", "#", "a\u200bb"):
        with pytest.raises(CommandError) as caught:
            clean_tags("tags", ["fine", tag])
        assert caught.value.field == "tags[1]"


@pytest.mark.parametrize(
    "link",
    [
        "http://example.org",
        "javascript:alert(1)",
        "https://localhost",
        "https://me:secret@example.org",
        "https://exa mple.org",
        "https://example.org:0x",
        "https://[::1",
        "https://exämple.org",
        "",
    ],
)
def test_addresses_that_are_refused(link: str) -> None:
    with pytest.raises(CommandError) as caught:
        clean_links("links", [link])
    assert caught.value.field == "links[0]"


def test_addresses_are_kept_in_order_each_once() -> None:
    links = ["https://example.org/me", "https://blog.example.org:8443/?q=1"]
    assert clean_links("links", [*links, links[0]]) == links
