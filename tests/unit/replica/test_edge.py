"""The edge: what it lets through, and the answers that come back, also for a key used again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from server.bench.offline import OfflineNode
from streams.core.commands import (
    MarkRow,
    OpenSeason,
    PublishMarks,
    RegisterInstrument,
    RegisterTrader,
)
from streams.core.money import MICROS, Step
from streams.ports import CommandError, CommandOutcome, Principal
from streams.replica.edge import KEY_LENGTH_MAX, Edge
from streams.replica.requests import LeaderOnly
from tests.simulation.virtual_loop import run_virtual


T = TypeVar("T")


class Scene:
    """A node with BTC at 100 and the traders lea and ann."""

    def __init__(self, node: OfflineNode) -> None:
        self.node = node

    async def open(self) -> None:
        for command in (
            RegisterInstrument("BTC", "BTC", "x", "spot", Step(1, 2), Step(1, 3)),
            PublishMarks([MarkRow("BTC", 10_000, 10_000, 10_000)]),
            RegisterTrader("lea", "lea", "lea", "account", 1_000 * MICROS),
            RegisterTrader("ann", "ann", "ann", "account", 1_000 * MICROS),
        ):
            outcome = await self.node.edge.submit(command, "test", privileged=True)
            assert outcome.code == "OK", outcome

    async def ask(
        self, name: str, args: dict[str, Any] | None = None, key: str | None = "k", who: str = "ann"
    ) -> CommandOutcome:
        return await self.node.edge.execute(Principal(who), name, args or {}, key)

    async def code(self, *arguments: Any, **named: Any) -> tuple[str, str | None]:
        with pytest.raises(CommandError) as caught:
            await self.ask(*arguments, **named)
        return caught.value.code, caught.value.field


def on_node(work: Callable[[Scene], Awaitable[T]]) -> T:
    async def run() -> T:
        node = OfflineNode()
        async with node.running():
            scene = Scene(node)
            await scene.open()
            return await work(scene)

    return run_virtual(run())


BUY = {"symbol": "BTC", "side": "buy", "quantity": "1", "type": "market"}
REST = {**BUY, "type": "limit", "limit_price": "90"}
IDEA = {
    "title": "title",
    "thesis": "a long thesis",
    "symbol": "BTC",
    "trade_type": "buy",
    "publish": True,
}


@pytest.mark.parametrize("key", ["", "k" * (KEY_LENGTH_MAX + 1), "ö", "a\nb", "\x00", "\x7f"])
def test_a_key_is_printable_ascii_and_bounded(key: str) -> None:
    async def work(scene: Scene) -> tuple[str, str | None]:
        return await scene.code("open_order", BUY, key)

    assert on_node(work) == ("INVALID_ARGUMENT", "key")


@pytest.mark.parametrize("key", ["k" * KEY_LENGTH_MAX, " ~!", "a b"])
def test_keys_that_may_be(key: str) -> None:
    async def work(scene: Scene) -> str:
        return (await scene.ask("open_order", BUY, key)).code

    assert on_node(work) == "OK"


def test_what_never_reaches_the_log() -> None:
    async def work(scene: Scene) -> None:
        before = len(scene.node.entries)
        assert await scene.code("open_order", BUY, None) == ("INVALID_ARGUMENT", "key")
        assert await scene.code("dance") == ("UNKNOWN_COMMAND", "name")
        assert await scene.code("pause_copy", {"leader": "x"}) == ("UNKNOWN_TRADER", "leader")
        reader = Principal("ann", scopes=("read",))
        with pytest.raises(CommandError, match="expected a credential with scope trade"):
            await scene.node.edge.execute(reader, "open_order", BUY, "k")
        scene.node.replica.ready = False
        assert await scene.code("open_order", BUY) == ("NOT_READY", None)
        scene.node.replica.ready = True
        assert before == len(scene.node.entries)

    on_node(work)


def test_ids_of_envelopes_differ_between_commands_and_runs() -> None:
    async def work(scene: Scene) -> int:
        edges = [scene.node.edge, Edge(scene.node.replica, scene.node.submitter)]
        edges.append(Edge(scene.node.replica, scene.node.submitter, prefix="run-"))
        for edge in edges:
            await edge.execute(Principal("ann"), "update_profile", {}, None)
        ids = [e.id for _, batch in scene.node.decoded() for e in batch.envelopes]
        assert ids[-1] == "run-1"
        return len(ids) - len(set(ids))

    assert on_node(work) == 0


def test_a_request_struct_is_as_good_as_its_arguments() -> None:
    async def work(scene: Scene) -> str:
        edge = scene.node.edge
        return (await edge.execute(Principal("ann"), "pause_copy", LeaderOnly("lea"), "k")).code

    assert on_node(work) == "UNKNOWN_COPY"


def test_a_season_is_entered_as_a_command() -> None:
    async def work(scene: Scene) -> dict[str, Any]:
        assert (await scene.ask("enter_season", {"season": "s"})).code == "UNKNOWN_SEASON"
        opened = OpenSeason("s", "S", 100_000, 100_007)
        await scene.node.edge.submit(opened, "test", privileged=True)
        return (await scene.ask("enter_season", {"season": "s"}, "other")).result

    entered = {"season": "s", "status": "OPEN", "entered": True, "entries": 1}
    assert on_node(work) == entered


COPY = {"leader": "lea", "allocation": "100"}

# each: command, arguments, and a path in the result with what stands there; <i> is an idea's id
ANSWERS: list[tuple[str, dict[str, Any], str, Any]] = [
    ("open_order", BUY, "order.status", "filled"),
    ("open_order", REST, "order.status", "new"),
    ("set_fees", {"performance": 0.1}, "fees.performance", 0.1),
    ("deposit", {"amount": "1"}, "account.trader", "ann"),
    ("report_trade", {**BUY, "price": "99"}, "fill.price", "99"),
    ("create_idea", IDEA, "idea.title", "title"),
    ("edit_idea", {"idea": "<i>", "title": "other"}, "idea.title", "other"),
    ("close_idea", {"idea": "<i>"}, "idea.status", "closed"),
    ("like_idea", {"idea": "<i>"}, "idea.likes", 1),
    ("comment_idea", {"idea": "<i>", "text": "so"}, "comment.text", "so"),
    ("post_message", {"text": "up", "symbols": ["BTC"]}, "message", None),
    ("set_copy", COPY, "copy.status", "ACTIVE"),
    ("follow_trader", {"trader": "@lea"}, "following", True),
    ("update_profile", {"display_name": "Ann"}, "trader.name", "Ann"),
]


@pytest.mark.parametrize(("name", "args", "path", "value"), ANSWERS)
def test_answers_and_the_same_again_for_the_same_key(
    name: str, args: dict[str, Any], path: str, value: Any
) -> None:
    async def work(scene: Scene) -> None:
        made = await scene.ask("create_idea", IDEA, "first")
        given = {k: made.result["idea"]["idea"] if v == "<i>" else v for k, v in args.items()}
        if name == "report_trade":
            del given["type"]
        before = len(scene.node.replica.state.ideas), scene.node.replica.state.totals.trades
        first = await scene.ask(name, given)
        after = len(scene.node.replica.state.ideas), scene.node.replica.state.totals.trades
        again = await scene.ask(name, given)
        assert (first.code, first.replayed, again.replayed) == ("OK", False, True), first
        assert (first.offset, first.result) == (again.offset, again.result)
        found: Any = first.result
        for part in path.split("."):
            found = found[part]
        assert found == value or value is None
        assert after == (
            len(scene.node.replica.state.ideas),
            scene.node.replica.state.totals.trades,
        )
        assert before <= after

    on_node(work)


def test_a_key_stands_for_one_kind_of_command() -> None:
    async def work(scene: Scene) -> list[bool]:
        await scene.ask("open_order", BUY, "k")
        follow = await scene.ask("follow_trader", {"trader": "lea"}, "k")
        return [follow.replayed, "following" in follow.result]

    assert on_node(work) == [False, True]


def test_levels_of_a_position_and_an_order_that_nobody_remembers() -> None:
    async def work(scene: Scene) -> list[Any]:
        await scene.ask("open_order", BUY, "o")
        levels = {"symbol": "BTC", "stop_loss": "1"}
        told = [(await scene.ask("set_exit_levels", levels, "l")).result["levels"]["stop_loss"]]
        scene.node.replica.history.clear()
        told.append((await scene.ask("set_exit_levels", levels, "l")).result)
        scene.node.replica.state.ended_orders.clear()
        told.append((await scene.ask("open_order", BUY, "o")).result["order"]["status"])
        return told

    assert on_node(work) == ["1", {"levels": {"symbol": "BTC"}}, "ended"]


def test_life_of_a_copy_and_of_an_order() -> None:
    async def work(scene: Scene) -> list[Any]:
        told = []
        for number, (name, args) in enumerate(
            [
                ("set_copy", COPY),
                ("pause_copy", {"leader": "lea"}),
                ("resume_copy", {"leader": "lea"}),
                ("close_only_copy", {"leader": "lea"}),
                ("stop_copy", {"leader": "lea"}),
            ]
        ):
            outcome = await scene.ask(name, args, f"k{number}")
            told.append(outcome.result["copy"]["status"])
        order = (await scene.ask("open_order", REST, "o")).result["order"]["order"]
        cancelled = await scene.ask("cancel_order", {"order": order}, "c")
        done = await scene.ask("open_order", REST, "o")
        told += [cancelled.result["order"]["status"], done.result["order"]["status"]]
        return told

    expected = ["ACTIVE", "PAUSED", "ACTIVE", "CLOSE_ONLY", "STOPPED", "canceled", "canceled"]
    assert on_node(work) == expected


def test_a_refusal_says_what_was_expected() -> None:
    async def work(scene: Scene) -> tuple[CommandOutcome, CommandOutcome]:
        unfollow = {"trader": "lea"}
        return await scene.ask("unfollow_trader", unfollow), await scene.ask(
            "unfollow_trader", unfollow
        )

    first, again = on_node(work)
    assert (first.code, first.field, first.result) == ("NOT_FOLLOWING", "trader", {})
    assert (again.code, again.replayed, again.offset) == (first.code, True, first.offset)


def test_what_left_memory_is_answered_by_its_id() -> None:
    async def work(scene: Scene) -> list[dict[str, Any]]:
        trade = {"symbol": "BTC", "side": "buy", "quantity": "1", "price": "9"}
        idea = (await scene.ask("create_idea", IDEA)).result["idea"]["idea"]
        asked: list[tuple[str, dict[str, Any]]] = [
            ("report_trade", trade),
            ("comment_idea", {"idea": idea, "text": "so"}),
        ]
        for name, args in asked:
            await scene.ask(name, args)
        scene.node.replica.history.clear()
        scene.node.replica.state.ideas.clear()
        asked.append(("create_idea", IDEA))
        return [(await scene.ask(name, args)).result for name, args in asked]

    fill, comment, idea = on_node(work)
    assert (list(fill["fill"]), list(comment["comment"])) == (["fill"], ["comment"])
    assert list(idea["idea"]) == ["idea"]
