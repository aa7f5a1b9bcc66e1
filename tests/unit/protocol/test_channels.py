import pytest

from streams.protocol.channels import (
    INTERVALS,
    KINDS,
    ChannelKind,
    ChannelName,
    ChannelNameError,
    parse_channel,
)


# name | kind | arguments | interval
GOOD = """
marks                      | marks       |             | 100ms
marks:BTC                  | marks       | BTC         | 100ms
marks@raw                  | marks       |             | raw
book:BTC                   | book        | BTC         | 100ms
book:hl:ETH@1s             | book        | hl:ETH      | 1s
book:BTC@100ms             | book        | BTC         | 100ms
positions:BTC@raw          | positions   | BTC         | raw
leaderboard:sharpe:1m      | leaderboard | sharpe 1m   | 100ms
leaderboard:sharpe:1m:x@1s | leaderboard | sharpe 1m:x | 1s
sentiment:BTC              | sentiment   | BTC         | 100ms
trending@1s                | trending    |             | 1s
ideas                      | ideas       |             | -
ideas:hl:ETH               | ideas       | hl:ETH      | -
ideas_by:@alice            | ideas_by    | @alice      | -
signals:t_9                | signals     | t_9         | -
signals:@alice             | signals     | @alice      | -
copies                     | copies      |             | -
account                    | account     |             | -
notifications              | notifications |           | -
feed                       | feed        |             | -
system                     | system      |             | -
"""

# name | part of the message
BAD = """
                 | printable
book BTC         | printable
böok:BTC         | printable
nothing          | expected a kind
Book:BTC         | expected a kind
book             | expected 1 argument(s) after book, was none
book:            | expected 1 argument(s) after book, was ''
marks:           | expected 0 to 1 arguments
copies:t_9       | expected 0 argument(s)
trending:        | expected 0 argument(s)
leaderboard:x    | expected 2 argument(s)
leaderboard::1m  | expected 2 argument(s)
book:BTC@2s      | expected an interval
book:BTC@        | expected an interval
signals:t_9@1s   | no interval on the lossless signals
system@raw       | no interval
"""


def rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in table.strip("\n").splitlines()]


@pytest.mark.parametrize("row", rows(GOOD), ids=lambda row: row[0])
def test_names_are_parsed(row: list[str]) -> None:
    name, kind, arguments, interval = row
    expected = ChannelName(kind, tuple(arguments.split()), None if interval == "-" else interval)
    assert expected == parse_channel(name)
    assert KINDS[kind] == parse_channel(name).rules


@pytest.mark.parametrize("row", rows(BAD), ids=lambda row: row[0])
def test_other_texts_are_refused_with_what_was_expected(row: list[str]) -> None:
    with pytest.raises(ChannelNameError) as refused:
        parse_channel(row[0])
    assert row[1] in str(refused.value)


def test_a_name_has_at_most_128_characters() -> None:
    assert parse_channel("book:" + "A" * 123).arguments[0] == "A" * 123
    with pytest.raises(ChannelNameError):
        parse_channel("book:" + "A" * 124)


@pytest.mark.parametrize("row", rows(GOOD), ids=lambda row: row[0])
def test_the_text_of_a_name_leaves_the_default_interval_out(row: list[str]) -> None:
    assert row[0].removesuffix("@100ms") == str(parse_channel(row[0]))


def test_the_document_fixes_what_is_own_and_what_has_a_checksum() -> None:
    assert _kinds(lambda kind: kind.own) == ["copies", "account", "notifications", "feed"]
    assert _kinds(lambda kind: kind.crc) == ["book", "positions", "leaderboard"]
    assert INTERVALS == ("raw", "100ms", "1s")


def _kinds(has) -> list[str]:
    def select(item: tuple[str, ChannelKind]) -> bool:
        return bool(has(item[1]))

    return [name for name, _ in filter(select, KINDS.items())]
