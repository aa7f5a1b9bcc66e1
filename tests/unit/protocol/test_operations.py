import json

import pytest

from streams.protocol.operations import (
    Auth,
    CancelAfter,
    Command,
    InvalidRequest,
    Operation,
    Ping,
    ResumePoint,
    Subscribe,
    SubscribeItem,
    Unsubscribe,
    parse_operation,
    readable_id,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"op":"ping","id":1}', Ping(1)),
        ('{"op":"ping","id":-5}', Ping(-5)),
        ('{"op":"auth","id":"a","token":"t"}', Auth("a", token="t")),
        ('{"op":"auth","id":1,"key":"k"}', Auth(1, key="k")),
        (
            '{"op":"auth","id":1,"key":"k","ts":5,"sig":"s"}',
            Auth(1, key="k", ts=5, sig="s"),
        ),
        (
            '{"op":"subscribe","id":1,"ch":[{"ch":"a"},{"ch":"b","from":{"epoch":"e","seq":0}}]}',
            Subscribe(1, [SubscribeItem("a"), SubscribeItem("b", ResumePoint("e", 0))]),
        ),
        ('{"op":"unsubscribe","id":1,"ch":["a"]}', Unsubscribe(1, ["a"])),
        ('{"op":"command","id":1,"name":"n"}', Command(1, "n")),
        (
            '{"op":"command","id":1,"name":"n","args":{"x":[1]},"key":"k"}',
            Command(1, "n", {"x": [1]}, "k"),
        ),
        ('{"op":"cancel_after","id":1,"ms":0}', CancelAfter(1, 0)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_requests_are_typed(text: str, expected: Operation) -> None:
    assert expected == parse_operation(json.loads(text))


# request | code | field | re
REFUSED = """
{"id":1}                                                      | INVALID_ARGUMENT | op              | 1
{"op":5,"id":1}                                               | INVALID_ARGUMENT | op              | 1
{"op":"fly","id":1}                                           | UNKNOWN_OP       | op              | 1
{"op":"fly"}                                                  | UNKNOWN_OP       | op              | -
{"op":"ping"}                                                 | INVALID_ARGUMENT | id              | -
{"op":"ping","id":true}                                       | INVALID_ARGUMENT | id              | -
{"op":"ping","id":1.5}                                        | INVALID_ARGUMENT | id              | -
{"op":"ping","id":null}                                       | INVALID_ARGUMENT | id              | -
{"op":"ping","id":""}                                         | INVALID_ARGUMENT | id              | -
{"op":"ping","id":"0123456789012345678901234567890123456"}    | INVALID_ARGUMENT | id              | -
{"op":"ping","id":"x","more":1}                               | INVALID_ARGUMENT | more            | x
{"op":"auth","id":1}                                          | INVALID_ARGUMENT | token           | 1
{"op":"auth","id":1,"token":"t","key":"k"}                    | INVALID_ARGUMENT | token           | 1
{"op":"auth","id":1,"token":""}                               | INVALID_ARGUMENT | token           | 1
{"op":"auth","id":1,"token":5}                                | INVALID_ARGUMENT | token           | 1
{"op":"auth","id":1,"token":"t","ts":1,"sig":"s"}             | INVALID_ARGUMENT | sig             | 1
{"op":"auth","id":1,"key":"k","sig":"s"}                      | INVALID_ARGUMENT | sig             | 1
{"op":"auth","id":1,"key":"k","ts":1}                         | INVALID_ARGUMENT | sig             | 1
{"op":"subscribe","id":1}                                     | INVALID_ARGUMENT | ch              | 1
{"op":"subscribe","id":1,"ch":[]}                             | INVALID_ARGUMENT | ch              | 1
{"op":"subscribe","id":1,"ch":"a"}                            | INVALID_ARGUMENT | ch              | 1
{"op":"subscribe","id":1,"ch":["a"]}                          | INVALID_ARGUMENT | ch[0]           | 1
{"op":"subscribe","id":1,"ch":[{"ch":"a"},{}]}                | INVALID_ARGUMENT | ch[1].ch        | 1
{"op":"subscribe","id":1,"ch":[{"ch":"a","x":1}]}             | INVALID_ARGUMENT | ch[0].x         | 1
{"op":"subscribe","id":1,"ch":[{"ch":"a","from":{"epoch":"e","seq":"1"}}]} | INVALID_ARGUMENT | ch[0].from.seq | 1
{"op":"subscribe","id":1,"ch":[{"ch":"a","from":{"epoch":"e","seq":-1}}]}  | INVALID_ARGUMENT | ch[0].from.seq | 1
{"op":"unsubscribe","id":1,"ch":[{"ch":"a"}]}                 | INVALID_ARGUMENT | ch[0]           | 1
{"op":"command","id":1}                                       | INVALID_ARGUMENT | name            | 1
{"op":"command","id":1,"name":""}                             | INVALID_ARGUMENT | name            | 1
{"op":"command","id":1,"name":"n","args":[]}                  | INVALID_ARGUMENT | args            | 1
{"op":"command","id":1,"name":"n","key":""}                   | INVALID_ARGUMENT | key             | 1
{"op":"cancel_after","id":1,"ms":-1}                          | INVALID_ARGUMENT | ms              | 1
{"op":"cancel_after","id":1,"ms":3600001}                     | INVALID_ARGUMENT | ms              | 1
{"op":"cancel_after","id":1,"ms":1.0}                         | INVALID_ARGUMENT | ms              | 1
"""  # noqa: E501  # a table is read by its columns


@pytest.mark.parametrize(
    "row",
    [[cell.strip() for cell in line.split(" | ")] for line in REFUSED.strip().splitlines()],
    ids=lambda row: row[0],
)
def test_requests_are_refused_by_field(row: list[str]) -> None:
    text, code, field, re = row
    with pytest.raises(InvalidRequest) as refused:
        parse_operation(json.loads(text))
    actual = refused.value
    assert (code, field, re) == (
        str(actual.code),
        actual.field,
        "-" if actual.re is None else str(actual.re),
    )
    assert actual.message.startswith(("expected", "object"))


def test_messages_say_was_and_not_got() -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_operation({"op": "ping", "id": 1.5})
    assert refused.value.message == "expected `int | str`, was `float`"


def test_an_id_at_the_edges() -> None:
    assert [readable_id({"id": value}) for value in ("x" * 36, 0, False, [])] == [
        "x" * 36,
        0,
        None,
        None,
    ]
