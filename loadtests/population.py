"""What is there before the load begins: accounts, their ideas, and copies of the leaders.

Every tenth account leads. Ideas and copies are made over sockets, as a client makes them, at the
quotes that the node has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from decimal import Decimal
from typing import Any, Final, NamedTuple

from loadtests.profile_file import PopulationPart
from loadtests.target import Target, TargetFailed
from server.bench.stream_client import ClientSocket, Message, answer_to, ask


CROWD: Final = 100
"""Accounts that act at once while the population is made."""

LEADER_EVERY: Final = 10
PAGE_MAX: Final = 200


class Quote(NamedTuple):
    """What an order or an idea in an instrument needs.

    Attributes:
        symbol: of the instrument.
        last: newest quote.
        tick: step of prices.
        lot: step of quantities.
    """

    symbol: str
    last: Decimal
    tick: Decimal
    lot: Decimal

    def price(self, ratio: Decimal) -> str:
        """Return the tick at or below a multiple of the quote, above 0."""
        ticks = max(int(self.last * ratio / self.tick), 1)
        return str(ticks * self.tick)

    def quantity(self, worth: int) -> str:
        """Return the lots that are worth about an amount, one at least."""
        lots = max(int(Decimal(worth) / self.last / self.lot), 1)
        return str(lots * self.lot)


def handle_of(account: int) -> str:
    """Return the handle of an account by number."""
    return f"load_{account:06d}"


def credential_of(account: int) -> str:
    """Return the value of `Authorization` of an account."""
    return f"Dev {handle_of(account)}"


def leader_of(account: int) -> int:
    """Return the account that an account would copy; itself when it leads."""
    return account - account % LEADER_EVERY


def quotes(target: Target) -> list[Quote]:
    """Return the instruments that can be traded continuously: quoted and not a yes-or-no outcome.

    Raises:
        TargetFailed: there are none.
    """
    found = [_quote(row) for row in target.get(f"/v1/instruments?limit={PAGE_MAX}")["items"]]
    kept = [each for each in found if each is not None]
    if not kept:
        raise TargetFailed(f"expected quoted instruments at {target.url}, were none")
    return kept


def _quote(row: dict[str, Any]) -> Quote | None:
    if not row["last"] or row["settled"] or row["asset_class"] not in ("perp", "spot"):
        return None
    step = Decimal(row["tick_size"])
    return Quote(row["symbol"], Decimal(row["last"]), step, Decimal(row["lot_size"]))


def make_population(target: Target, part: PopulationPart) -> dict[str, int]:
    """Make accounts, ideas and copies; return how many there are of each.

    Raises:
        TargetFailed: a command was refused, or the node does not answer.
    """
    market = quotes(target) if part.ideas else []
    try:
        # Everybody first: only who exists can be copied.
        for accounts in _crowds(part.accounts):
            _act(target, accounts, _ideas(accounts, part, market))
        for accounts in _crowds(part.accounts):
            _act(target, accounts, [_copies(accounts, part)])
    except (OSError, TimeoutError) as error:
        raise TargetFailed(f"expected a population at {target.url}, was: {error}") from error
    return {"accounts": part.accounts, "ideas": part.ideas, "copies": part.copies}


def _crowds(accounts: int) -> Iterator[range]:
    for first in range(0, accounts, CROWD):
        yield range(first, min(first + CROWD, accounts))


def _ideas(
    accounts: range, part: PopulationPart, market: Sequence[Quote]
) -> Iterator[dict[int, Message]]:
    """Yield turns of an idea an account, so that each account has its share of all ideas."""
    each, more = divmod(part.ideas, part.accounts)
    for turn in range(each + (more > 0)):
        yield {
            account: _command("create_idea", idea(market[place % len(market)], place), turn)
            for account in accounts
            if turn < each + (account < more)
            for place in (account + turn,)
        }


def _copies(accounts: range, part: PopulationPart) -> dict[int, Message]:
    """Return the turn in which those follow their leader who are among the first followers."""
    followers = [each for each in range(part.accounts) if leader_of(each) != each]
    return {
        account: _command(
            "set_copy", {"leader": f"@{handle_of(leader_of(account))}", "allocation": "10000"}, 0
        )
        for account in followers[: part.copies]
        if account in accounts
    }


def idea(quote: Quote, number: int) -> dict[str, Any]:
    """Return arguments of an idea: every second one buys; target and stop some percent away."""
    buys = number % 2 == 0
    near, far = Decimal(2 + number % 7) / 100, Decimal(1 + number % 5) / 100
    up, down = (near, far) if buys else (far, near)
    high, low = quote.price(1 + up), quote.price(1 - down)
    return {
        "title": f"{quote.symbol} leaves its range",
        "thesis": "Three tests of the same level on falling volume; the stop lies beyond it.",
        "symbol": quote.symbol,
        "trade_type": "buy" if buys else "sell",
        "publish": True,
        "target": high if buys else low,
        "stop": low if buys else high,
        "confidence": float(50 + number % 40),
        "tags": ["load"],
    }


def _command(name: str, args: dict[str, Any], turn: int) -> Message:
    key = f"made-{name}-{turn}"
    return {"op": "command", "id": turn, "name": name, "args": args, "key": key}


def _act(target: Target, accounts: range, turns: Iterable[dict[int, Message]]) -> None:
    """Open a socket for each account; in each turn send one command an account and await all."""
    refused: Counter[str] = Counter()
    with ExitStack() as stack:
        sockets = {
            account: stack.enter_context(
                closing(ClientSocket(target.host, target.port, handle_of(account)))
            )
            for account in accounts
        }
        for each in sockets.values():
            ask(each, {"op": "ping", "id": "here"})  # its account exists now
        for turn in turns:
            for account, command in turn.items():
                sockets[account].send(command)
            for account, command in turn.items():
                answer = answer_to(sockets[account], command)
                if answer["t"] != "ok":
                    refused[f"{answer['code']}: {answer['msg']}"] += 1
    if refused:
        raise TargetFailed(f"expected the population's commands accepted, refused were {refused}")
