"""The board in Redis, where nodes find each other's digests."""

from __future__ import annotations

import pytest
import redis.asyncio

from streams.ports import EntryId, LogUnavailable
from streams.replica.digest_boards import EXPIRE_SECONDS, RedisDigestBoard


ENTRY = EntryId(5, 1)


async def test_nodes_read_each_other_in_order_of_arrival(redis_url: str) -> None:
    first, second = RedisDigestBoard(redis_url), RedisDigestBoard(redis_url)
    try:
        assert await first.exchange(ENTRY, "a b@e1", "11") == [("a b@e1", "11")]
        both = [("a b@e1", "11"), ("c@e1", "22")]
        assert both == await second.exchange(ENTRY, "c@e1", "22")
        assert both == await first.exchange(ENTRY, "a b@e1", "33"), "the first word stands"
        assert await second.exchange(EntryId(6, 0), "c@e1", "44") == [("c@e1", "44")]
    finally:
        await first.close()
        await second.close()


async def test_what_is_published_expires_and_has_a_prefix(redis_url: str) -> None:
    board = RedisDigestBoard(redis_url, prefix="mine")
    await board.exchange(ENTRY, "a", "1")
    await board.close()
    client = redis.asyncio.Redis.from_url(redis_url)
    (key,) = await client.keys("*")
    left_s = await client.ttl(key)
    await client.aclose()

    assert key == b"{mine}:digest:5-1"
    assert 0 < left_s <= EXPIRE_SECONDS


async def test_a_key_of_another_kind_is_a_board_that_is_away(redis_url: str) -> None:
    client = redis.asyncio.Redis.from_url(redis_url)
    await client.set("{optix}:digest:5-1", "text")
    await client.aclose()
    board = RedisDigestBoard(redis_url)
    with pytest.raises(LogUnavailable, match="expected the digest board"):
        await board.exchange(ENTRY, "a", "1")
    await board.close()


async def test_a_server_that_is_away() -> None:
    board = RedisDigestBoard("redis://127.0.0.1:1/0")
    with pytest.raises(LogUnavailable):
        await board.exchange(ENTRY, "a", "1")
    await board.close()
