"""Copy a leader and print every decision with its code and its latency.

    python examples/copy_and_measure.py --url ws://127.0.0.1:8000/v1/stream --token "Dev bot1"

Starts copying `--leader` (default: the most active one on the `total_return` board), prints each
decision of the server as it comes, and stops the copy at the end unless `--keep` is given. The
latency is this machine's clock minus the log time of the frame: with both on one machine it is
the whole way from the leader's fill in the log to this program.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from typing import Any

from follow_signals import most_active_leader

from streams.client import ClientError, CommandRefused, Event, Reset, connect


def describe(data: dict[str, Any], latency_ms: float) -> str:
    """Return one decision as a line."""
    what = "{side} {quantity} {symbol}".format_map(data)
    clamps = f" ({', '.join(data['clamps'])})" if data["clamps"] else ""
    price = f" at {data['price']}" if data["price"] else ""
    return f"{latency_ms:8.2f} ms  {data['code']:<22} {what}{price}{clamps}"


async def run(options: argparse.Namespace) -> list[float]:
    """Copy until interrupted or `--count` decisions came; return the latencies in ms."""
    latencies_ms: list[float] = []
    async with connect(options.url, token=options.token) as client:
        leader = options.leader or await most_active_leader(client, options.period)
        async with client.subscribe("copies") as decisions:
            await decisions.joined()
            answer = await client.set_copy(leader, allocation=options.allocation)
            copy = answer.result["copy"]
            print(f"copying {leader}, settings version {copy['settings_version']}")
            try:
                async for item in decisions:
                    if isinstance(item, Reset):
                        print(f"-- {item.why}: see {client.history_url(item)}")
                    if not isinstance(item, Event):
                        continue
                    latency_ms = (time.time_ns() // 1_000 - item.ts_us) / 1_000
                    latencies_ms.append(latency_ms)
                    print(describe(item.data, latency_ms))
                    if len(latencies_ms) == options.count:
                        return latencies_ms
            finally:
                if not options.keep:
                    await client.stop_copy(leader, on_stop=options.on_stop)
                    print(f"stopped copying {leader}")
    return latencies_ms


def main() -> int:
    """Read the command line and run; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--url", default="ws://127.0.0.1:8000/v1/stream")
    parser.add_argument("--token", default="Dev bot1")
    parser.add_argument("--leader", help="id or @handle")
    parser.add_argument("--period", default="all", help="period of the board")
    parser.add_argument("--allocation", default="10000", help="money to copy with")
    parser.add_argument("--count", type=int, default=0, help="stop after so many decisions")
    parser.add_argument("--keep", action="store_true", help="go on copying afterwards")
    parser.add_argument("--on-stop", default="close_now", help="what becomes of open positions")
    try:
        latencies_ms = asyncio.run(run(parser.parse_args()))
    except KeyboardInterrupt:
        return 0
    except CommandRefused as error:
        print(f"refused {error.code}: {error.message}", file=sys.stderr)
        return 1
    except (ClientError, TimeoutError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    if latencies_ms:
        print(f"{len(latencies_ms)} decisions, median {statistics.median(latencies_ms):.2f} ms")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
