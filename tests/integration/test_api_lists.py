from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.api import scanning
from storage.paging import INTEGER_MAX, encode_cursor
from streams.core.commands import MarkRow, PublishMarks, Tick
from streams.core.sentiment_state import SentimentPoint
from tests.integration.api_node import ApiNode, api_node


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[ApiNode]:
    async with api_node(tmp_path) as node:
        yield await node.open_market()


async def publish(node: ApiNode, trader: str, title: str, **more: Any) -> str:
    body = {
        "title": title,
        "thesis": "Because the chart says so.",
        "symbol": "BTC",
        "trade_type": "buy",
        "publish": True,
        **more,
    }
    response = await node.send("POST", "/v1/ideas", trader, json=body)
    assert response.status_code == 201, response.text
    return str(response.json()["idea"]["idea"])


async def pages(node: ApiNode, path: str, trader: str | None = None) -> list[list[Any]]:
    """Return the items of all pages of a list."""
    found = []
    cursor = None
    while True:
        mark = "&" if "?" in path else "?"
        body = await node.get(path + (f"{mark}cursor={cursor}" if cursor else ""), trader)
        found.append(body["items"])
        cursor = body["next_cursor"]
        if cursor is None:
            return found


async def test_ideas_are_listed_newest_first_in_pages(node: ApiNode) -> None:
    ideas = [await publish(node, "alice", f"Idea number {number}") for number in range(5)]
    found = await pages(node, "/v1/ideas?limit=2")

    assert [len(page) for page in found] == [2, 2, 1]
    assert [idea["idea"] for page in found for idea in page] == ideas[::-1]


async def test_a_cursor_survives_new_ideas(node: ApiNode) -> None:
    ideas = [await publish(node, "alice", f"Idea number {number}") for number in range(3)]
    first = await node.get("/v1/ideas?limit=2")
    await publish(node, "alice", "A later idea")
    second = await node.get(f"/v1/ideas?limit=2&cursor={first['next_cursor']}")

    assert [idea["idea"] for idea in second["items"]] == [ideas[0]]


async def test_filters_of_ideas(node: ApiNode) -> None:
    await node.do(PublishMarks([MarkRow("ETH", 4_000, 4_002, 4_001)]))
    bitcoin = await publish(node, "alice", "Bitcoin rises", tags=["macro"])
    ether = await publish(node, "bob", "Ether falls", symbol="ETH", trade_type="short")
    draft = await publish(node, "alice", "Not yet public", publish=False)

    async def titles(query: str, trader: str | None = None) -> list[str]:
        body = await node.get(f"/v1/ideas?{query}", trader)
        return [idea["idea"] for idea in body["items"]]

    assert await titles("symbol=ETH") == [ether]
    assert await titles("trader=@alice") == [bitcoin]
    assert await titles("trader=@alice", "alice") == [draft, bitcoin]
    assert await titles("status=draft", "alice") == [draft]
    assert await titles("status=draft", "bob") == []
    assert await titles("trade_type=short") == [ether]
    assert await titles("tag=macro") == [bitcoin]
    assert await titles("query=RISES") == [bitcoin]
    assert await titles("query=nothing") == []
    hidden = await node.send("GET", f"/v1/ideas/{draft}", "bob")
    assert (hidden.status_code, hidden.json()["code"]) == (404, "UNKNOWN_IDEA")
    traders = await node.get("/v1/traders?tag=macro")
    assert [trader["handle"] for trader in traders["items"]] == ["alice"]


async def test_top_and_trending_ideas(node: ApiNode) -> None:
    ideas = [await publish(node, "alice", f"Idea number {number}") for number in range(3)]
    for liker in ("bob", "carol"):
        response = await node.send("PUT", f"/v1/ideas/{ideas[1]}/like", liker)
        assert response.status_code == 200
    twice = await node.send("PUT", f"/v1/ideas/{ideas[1]}/like", "bob")
    assert (twice.status_code, twice.json()["code"]) == (409, "ALREADY_LIKED")
    for sort in ("top", "trending"):
        found = await pages(node, f"/v1/ideas?sort={sort}&limit=1")
        assert [page[0]["idea"] for page in found] == [ideas[1], ideas[2], ideas[0]]
    assert (await node.send("DELETE", f"/v1/ideas/{ideas[1]}/like", "bob")).status_code == 200
    assert (await node.get(f"/v1/ideas/{ideas[1]}"))["likes"] == 1


async def test_the_life_of_an_idea(node: ApiNode) -> None:
    idea = await publish(node, "alice", "A first draft", publish=False)
    edited = await node.send("PATCH", f"/v1/ideas/{idea}", "alice", json={"target": "70000"})
    assert edited.json()["idea"]["target"] == "70000"
    published = await node.send("POST", f"/v1/ideas/{idea}/publish", "alice")
    assert published.json()["idea"]["status"] == "published"
    frozen = await node.send("PATCH", f"/v1/ideas/{idea}", "alice", json={"target": "80000"})
    assert (frozen.status_code, frozen.json()["code"]) == (409, "IDEA_TERMS_IMMUTABLE")
    foreign = await node.send("POST", f"/v1/ideas/{idea}/close", "bob")
    assert (foreign.status_code, foreign.json()["code"]) == (403, "NOT_OWNER")

    said = await node.send("POST", f"/v1/ideas/{idea}/comments", "bob", json={"text": "Really?"})
    assert said.status_code == 201
    parent = said.json()["comment"]["comment"]
    answer = {"text": "Yes.", "parent_id": parent}
    await node.send("POST", f"/v1/ideas/{idea}/comments", "alice", json=answer)
    found = await pages(node, f"/v1/ideas/{idea}/comments?limit=1")
    assert [page[0]["text"] for page in found] == ["Really?", "Yes."]
    assert found[1][0]["parent_id"] == parent

    body = {"reason": "target reached", "exit_price": "70000"}
    closed = await node.send("POST", f"/v1/ideas/{idea}/close", "alice", json=body)
    assert closed.json()["idea"]["status"] == "closed"
    assert closed.json()["idea"]["exit_price"] == "70000"


async def test_a_draft_that_was_thrown_away_stays_hidden(node: ApiNode) -> None:
    idea = await publish(node, "alice", "A bad thought", publish=False)
    await node.send("POST", f"/v1/ideas/{idea}/close", "alice")
    assert (await node.send("GET", f"/v1/ideas/{idea}", "bob")).status_code == 404
    assert (await node.get("/v1/ideas"))["items"] == []


async def test_a_scan_is_bounded(node: ApiNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "SCAN_MAX", 2)
    wanted = await publish(node, "alice", "The wanted one")
    for number in range(4):
        await publish(node, "alice", f"Idea number {number}")
    found = await pages(node, "/v1/ideas?query=wanted")

    assert [len(page) for page in found] == [0, 0, 1]
    assert found[2][0]["idea"] == wanted


async def test_traders_follow_each_other(node: ApiNode) -> None:
    for handle in ("alice", "bob", "carol"):
        await node.get("/v1/me", handle)
    for handle in ("bob", "carol"):
        response = await node.send("PUT", "/v1/traders/@alice/follow", handle)
        assert response.json() == {"trader": "t_alice", "following": True}

    followers = await pages(node, "/v1/traders/t_alice/followers?limit=1")
    assert [page[0]["handle"] for page in followers] == ["bob", "carol"]
    following = await node.get("/v1/traders/@bob/following")
    assert [trader["trader"] for trader in following["items"]] == ["t_alice"]
    assert (await node.get("/v1/traders/@ALICE"))["followers"] == 2
    listed = await pages(node, "/v1/traders?limit=2")
    assert [trader["handle"] for page in listed for trader in page] == ["alice", "bob", "carol"]
    found = await node.get("/v1/traders?query=@CAR")
    assert [trader["handle"] for trader in found["items"]] == ["carol"]
    gone = await node.send("DELETE", "/v1/traders/@alice/follow", "bob")
    assert gone.json() == {"trader": "t_alice", "following": False}


async def test_the_feed_shows_what_followed_traders_do(node: ApiNode) -> None:
    await node.get("/v1/me", "alice")
    await node.send("PUT", "/v1/traders/@alice/follow", "bob")
    await publish(node, "alice", "An idea to follow")
    order = {"symbol": "BTC", "side": "buy", "quantity": "0.1", "type": "market"}
    await node.send("POST", "/v1/orders", "alice", json=order)
    await publish(node, "carol", "Nobody follows this")

    found = await pages(node, "/v1/feed?limit=1", "bob")
    types = [page[0]["event"]["type"] for page in found]
    assert [each for each in types if each != "idea_entered"] == ["fill_booked", "idea_published"]
    assert await node.get("/v1/feed", "carol") == {"items": [], "next_cursor": None}


async def test_signals_for_followers_only(node: ApiNode) -> None:
    order = {"symbol": "BTC", "side": "buy", "quantity": "0.1", "type": "market"}
    await node.send("PATCH", "/v1/me", "alice", json={"signals_access": "followers"})
    await node.send("POST", "/v1/orders", "alice", json=order)
    path = "/v1/channels/signals:@alice/history"
    await node.get("/v1/me", "bob")
    refused = await node.send("GET", path, "bob")
    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
    await node.send("PUT", "/v1/traders/@alice/follow", "bob")
    assert len((await node.get(path, "bob"))["items"]) == 1


async def test_history_of_a_channel_goes_on_after_a_number(node: ApiNode) -> None:
    for number in range(3):
        await publish(node, "alice", f"Idea number {number}")
    epoch = node.services.source.epoch
    path = f"/v1/stream/history?ch=ideas:BTC&epoch={epoch}&after_seq=1&limit=1"
    body = await node.get(path)
    assert ([item["seq"] for item in body["items"]], body["newest_seq"]) == ([2], 6)
    assert body["epoch_changed"] is False
    found = await pages(node, path)
    assert [page[0]["seq"] for page in found] == [2, 3, 4, 5, 6]
    assert (await node.get("/v1/channels/ideas/history?after_seq=6"))["items"] == []


async def test_boards_ranks_and_performance(node: ApiNode) -> None:
    order = {"symbol": "BTC", "side": "buy", "quantity": "0.1", "type": "market"}
    await node.send("POST", "/v1/orders", "alice", json=order)
    await node.send("POST", "/v1/orders", "bob", json={**order, "side": "short"})
    await node.do(PublishMarks([MarkRow("BTC", 130_000, 130_002, 130_001)]))
    second = node.services.clock.now_us() // 1_000_000
    await node.do(Tick(second * 10))
    await node.do(Tick((second + 1) * 10))

    board = await node.get("/v1/leaderboards/total_return?period=1m")
    assert [(row["rank"], row["handle"]) for row in board["items"]] == [(1, "alice"), (2, "bob")]
    assert set(board["items"][0]) >= {"rank", "previous_rank", "trader", "value", "trades"}
    found = await pages(node, "/v1/leaderboards/total_return?limit=1&period=1m")
    assert [page[0]["rank"] for page in found] == [1, 2]
    assert (await node.get("/v1/leaderboards/total_return?min_trades=1"))["items"] == []
    ranks = await node.get("/v1/traders/@alice/ranks")
    assert ("total_return", "1m", 1) in [
        (place["metric"], place["period"], place["rank"]) for place in ranks["items"]
    ]
    numbers = await node.get("/v1/traders/@alice/performance?period=1w")
    assert numbers["total_return"] > 0
    assert numbers["reasons"]["win_rate"] == "NO_CLOSED_TRADES"
    assert (numbers["reasons"]["expectancy"], numbers["flags"]) == ("NO_CLOSED_TRADES", [])
    assert numbers["max_leverage"] > 0
    # Nobody has a closed day yet, so nobody knows how widely luck spreads.
    assert numbers["reasons"]["deflated_sharpe"] == "NO_TRIALS"
    sell = {**order, "side": "sell"}
    await node.send("POST", "/v1/orders", "alice", json=sell)
    numbers = await node.get("/v1/traders/@alice/performance?period=1w&benchmark=BTC")
    assert (numbers["trades"], numbers["win_rate"], numbers["flags"]) == (
        1,
        1.0,
        ["no_losses", "few_trades"],
    )
    assert numbers["best_trade"] == numbers["expectancy"]
    assert isinstance(numbers["best_trade"], str)
    assert numbers["reasons"]["beta"] == "TOO_FEW_COMMON_DAYS"
    equity = await node.get("/v1/traders/@alice/equity")
    assert equity["items"][-1]["drawdown"] == 0.0
    compared = await node.get("/v1/compare?traders=@alice,t_bob&period=1m")
    assert [row["trader"] for row in compared["items"]] == ["t_alice", "t_bob"]
    assert {row["metric"] for row in (await node.get("/v1/leaderboards"))["items"]} >= {"sharpe"}


async def test_sentiment(node: ApiNode) -> None:
    for trader in ("alice", "bob"):
        await publish(node, trader, "Bitcoin to the moon", sentiment="bullish")
    one = await node.get("/v1/sentiment/BTC?window=1h")
    assert (one["n"], one["score"], one["window"]) == (2, 80.0, "1h")
    assert one["horizons"]["swing"]["calibration"]["reason"] == "no_forecast_due"
    second = node.services.clock.now_us() // 1_000_000
    for later in range(3):
        await node.do(Tick((second + later) * 10))
    for name in ("trending", "bullish", "bearish"):
        listed = await node.get(f"/v1/sentiment?list={name}")
        assert (listed["list"], listed["items"]) == (name, [])
    history = await node.get("/v1/sentiment/BTC/history")
    assert [(point["n"], point["volume"]) for point in history["items"]] == [(2, 2)]
    assert history["symbol"] == "BTC"
    assert (await node.get("/v1/sentiment/ETH/history"))["items"] == []
    voices = (await node.get("/v1/traders/@alice/sentiment"))["voices"]
    assert [(voice["symbol"], voice["sentiment"]) for voice in voices] == [("BTC", "bullish")]


async def test_sentiment_history_goes_on_page_by_page(node: ApiNode) -> None:
    await publish(node, "alice", "Bitcoin to the moon", sentiment="bullish")
    points = node.services.replica.state.sentiment["BTC"].points
    points += [SentimentPoint(hour, 100 * hour, 0, 1, 1_000, 1) for hour in range(5)]
    found = await pages(node, "/v1/sentiment/BTC/history?limit=2")
    assert [[point["score"] for point in page] for page in found] == [[4.0, 3.0], [2.0, 1.0], [0.0]]


async def test_market_reads(node: ApiNode) -> None:
    instruments = await pages(node, "/v1/instruments?limit=1")
    assert [page[0]["symbol"] for page in instruments] == ["BTC", "ETH"]
    assert (await node.get("/v1/instruments/BTC"))["tick_size"] == "0.5"
    marks = await node.get("/v1/marks?symbol=BTC")
    assert (marks["items"][0]["bid"], marks["items"][0]["ask"]) == ("60000", "60001")
    assert (await node.get("/v1/marks"))["items"][1]["bid"] is None


async def test_stats_have_exactly_the_documented_keys(node: ApiNode) -> None:
    stats = await node.get("/v1/stats")
    assert " ".join(stats) == (
        "traders traders_with_trades ideas messages trades notional fees open_positions "
        "copies_active copies_executed copies_skipped instruments log_offset digest"
    )
    assert stats["digest"] == node.services.replica.state.chain.hex()


async def test_a_cursor_beyond_the_end_of_any_list_is_an_empty_page(node: ApiNode) -> None:
    await node.get("/v1/me", "alice")
    for name in ("followers", "following"):
        cursor = encode_cursor(name, INTEGER_MAX)
        page = await node.get(f"/v1/traders/@alice/{name}?cursor={cursor}")
        assert page == {"items": [], "next_cursor": None}
