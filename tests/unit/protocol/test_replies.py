from streams.ports import CommandError
from streams.protocol.effects import Reply
from streams.protocol.replies import (
    command_error_reply,
    error_reply,
    unauthenticated_reply,
    with_re,
)


def test_an_error_carries_only_what_it_has() -> None:
    assert Reply({"t": "err", "code": "MALFORMED", "msg": "m"}) == error_reply(
        None, "MALFORMED", "m"
    )


def test_an_error_with_everything() -> None:
    assert Reply(
        {"t": "err", "re": 0, "code": "C", "msg": "m", "field": "f", "retry_ms": 5}
    ) == error_reply(0, "C", "m", field="f", retry_ms=5)


def test_an_error_of_the_port_keeps_its_fields() -> None:
    error = CommandError("NOT_READY", "m", field="f", retry_ms=5)
    assert error_reply("x", "NOT_READY", "m", field="f", retry_ms=5) == command_error_reply(
        "x", error
    )


def test_the_kind_comes_first() -> None:
    assert list(with_re({"t": "ok", "a": 1}, 7)) == ["t", "re", "a"]
    assert unauthenticated_reply(7).message["code"] == "UNAUTHENTICATED"
