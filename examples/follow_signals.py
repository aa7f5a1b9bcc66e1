"""Follow the signals of the most active leader and print each one.

    python examples/follow_signals.py --url ws://127.0.0.1:8000/v1/stream --token "Dev bot1"

Reads the `total_return` board, takes the trader with the most trades on it, and prints its signals
until interrupted. Lost connections are resumed; what was missed and is out of reach is said.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import Any

from streams.client import BoardView, Client, ClientError, Event, Gone, Item, Reset, connect


BOARD_WAIT_S = 60.0
"""How long to wait until the board ranks anybody."""


async def most_active_leader(client: Client, period: str) -> str:
    """Return the id of the trader with the most trades on the total_return board.

    Raises:
        TimeoutError: the board stays empty.
    """
    async with asyncio.timeout(BOARD_WAIT_S), client.watch(BoardView("total_return", period)) as w:
        async for board in w:
            if board.rows:
                trader, rank, value, trades, _ = max(board.rows, key=lambda row: int(row[3]))
                print(f"leader {trader}: {trades} trades, rank {rank}, return {value:+.2%}")
                return str(trader)
    raise TimeoutError(f"expected a leader within {BOARD_WAIT_S:g} s")


def describe(data: dict[str, Any]) -> str:
    """Return one signal as a line."""
    match data["type"]:
        case "fill_booked":
            return "{side} {quantity} {symbol} at {price}".format_map(data)
        case "order_placed":
            return "places {side} {quantity} {symbol} limit {limit_price}".format_map(data)
        case "order_cancelled":
            return "cancels {order} in {symbol}: {reason}".format_map(data)
        case other:
            return str(other)


def show(client: Client, item: Item) -> None:
    """Print an item of a signal channel."""
    match item:
        case Event():
            print(f"#{item.seq} {describe(item.data)}")
        case Reset():
            print(
                f"-- {item.why}: not delivered before #{item.seq}, see {client.history_url(item)}"
            )
        case Gone():
            print(f"-- the channel ended: {item.code}")


async def run(url: str, token: str, period: str, count: int) -> None:
    """Follow until interrupted, or for `count` items when it is above 0."""
    async with connect(url, token=token) as client:
        leader = await most_active_leader(client, period)
        async with client.subscribe(f"signals:{leader}") as signals:
            shown = 0
            async for item in signals:
                show(client, item)
                shown += 1
                if shown == count:
                    return


def main() -> int:
    """Read the command line and run; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--url", default="ws://127.0.0.1:8000/v1/stream")
    parser.add_argument("--token", default="Dev bot1")
    parser.add_argument("--period", default="all", help="1w, 1m, 3m, 6m, 1y or all")
    parser.add_argument("--count", type=int, default=0, help="stop after so many signals")
    options = parser.parse_args()
    try:
        asyncio.run(run(options.url, options.token, options.period, options.count))
    except KeyboardInterrupt:
        return 0
    except (ClientError, TimeoutError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
