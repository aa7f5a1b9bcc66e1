"""Our own client against the recorded conversations; README.md says how to read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.client.closing import Verdict, judge_close
from streams.client.conversation import Conversation
from streams.client.effects import (
    Deliver,
    Done,
    Effect,
    End,
    Failed,
    GiveUp,
    Joined,
    Ready,
    Refused,
    Send,
)
from streams.client.items import ResumePoint
from streams.client.settings import ClientSettings


FOLDER = Path(__file__).parent / "conversations"
FILES = sorted(FOLDER.glob("*.jsonl"))

INPUTS = ("do", "recv", "close", "at_ms")


class Player:
    """Plays the server and the program of one conversation, and notes what our client does."""

    def __init__(self, token: str | None) -> None:
        self.conversation = Conversation(ClientSettings(), token)
        self.now_s = 0.0
        self.seen: list[dict[str, Any]] = []
        # Ids are the client's choice: the file's id -> the one that was really sent.
        self.ids: dict[int, Any] = {}
        self.waiting: list[dict[str, Any]] = []

    def feed(self, step: dict[str, Any]) -> None:
        self.note(self._effects(step))

    def _effects(self, step: dict[str, Any]) -> list[Effect]:
        conversation, now_s = self.conversation, self.now_s
        if "recv" in step:
            message = dict(step["recv"])
            if "re" in message:
                message["re"] = self.ids[message["re"]]
            return conversation.received(message, now_s)
        if "at_ms" in step:
            self.now_s = step["at_ms"] / 1000
            due_at_s = conversation.due_at_s()
            if due_at_s is None or due_at_s > self.now_s:
                return []
            return conversation.tick(self.now_s)
        if "close" in step:
            code, reason = step["close"]["code"], step["close"]["reason"]
            verdict = judge_close(code, reason, conversation.drain_in_ms)
            if isinstance(verdict, Verdict):
                assert verdict.how.name.lower() == step["then"]
                assert verdict.wait_ms == step.get("wait_ms", 0)
            else:
                assert type(verdict).__name__ == step["then"]
            return conversation.closed()
        return self._do(step)

    def _do(self, step: dict[str, Any]) -> list[Effect]:
        conversation, now_s = self.conversation, self.now_s
        match step["do"]:
            case "open":
                conversation.opened(now_s)
                return []
            case "subscribe":
                resume = msgspec.convert(step.get("resume", {}), dict[str, ResumePoint])
                return conversation.subscribe(step["channels"], resume, now_s)
            case "unsubscribe":
                return conversation.unsubscribe(step["channels"], now_s)
            case "restart":
                return conversation.restart(step["channel"], now_s)
            case "command":
                message = {"op": "command", **{k: v for k, v in step.items() if k != "do"}}
                return conversation.ask(message, now_s)[1]
        raise AssertionError(f"expected a known step, was {step}")

    def note(self, effects: list[Effect]) -> None:
        for effect in effects:
            if not isinstance(effect, Joined):
                self.seen.append(_as_step(effect))

    def expect(self, step: dict[str, Any]) -> None:
        assert self.seen, f"expected {step}, was nothing"
        seen = self.seen.pop(0)
        if "send" in step and "send" in seen:
            self.ids[step["send"]["id"]] = seen["send"]["id"]
            seen = {"send": {**seen["send"], "id": step["send"]["id"]}}
        if "failed" in step and "failed" in seen:
            seen = {"failed": {name: seen["failed"].get(name) for name in step["failed"]}}
        assert step == seen


def _as_step(effect: Effect) -> dict[str, Any]:
    match effect:
        case Send(message):
            return {"send": message}
        case Deliver(item):
            return {"item": msgspec.to_builtins(item)}
        case Ready(trader):
            return {"ready": trader}
        case GiveUp():
            return {"give_up": True}
        case End(error):
            return {"end": type(error).__name__}
        case Refused(channel, code):
            return {"refused": {"channel": channel, "code": code}}
        case Done(_, message):
            return {"done": {k: v for k, v in message.items() if k not in ("t", "re")}}
        case Failed(_, failure):
            return {"failed": {"error": type(failure).__name__, **vars(failure)}}
    raise AssertionError(f"expected a known effect, was {effect}")


def test_there_are_conversations() -> None:
    assert len(FILES) > 20


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_conversation(file: Path) -> None:
    steps = [msgspec.json.decode(line) for line in file.read_text().splitlines()]
    player = Player(steps[0].get("token"))
    for number, step in enumerate(steps[1:], start=2):
        where = f"{file.name}:{number}"
        if any(name in step for name in INPUTS):
            assert player.seen == [], f"before {where}"
            player.feed(step)
        else:
            player.expect(step)
    assert player.seen == [], f"at the end of {file.name}"
