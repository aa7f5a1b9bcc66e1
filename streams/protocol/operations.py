"""Requests of a client, checked for shape before anything acts on them.

Invariants:
    * Unknown fields are refused, types are strict: no number where text is asked for.
    * `parse_operation` raises only `InvalidRequest`, and that names the field at fault and the
      request's `id` whenever it was readable, so the client can match the answer.

Source: wire-protocol.md, "Client -> server".
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta

from streams.core.limits import CANCEL_AFTER_MS_MAX
from streams.protocol.codes import ErrorCode
from streams.protocol.limits import (
    COMMAND_NAME_CHARS_MAX,
    CREDENTIAL_CHARS_MAX,
    EPOCH_CHARS_MAX,
    IDEMPOTENCY_KEY_CHARS_MAX,
    INTEGER_MAX,
    REQUEST_ID_CHARS_MAX,
)


RequestId: TypeAlias = int | str

_IdText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=REQUEST_ID_CHARS_MAX)]
_Id: TypeAlias = int | _IdText
_Credential: TypeAlias = Annotated[str, Meta(min_length=1, max_length=CREDENTIAL_CHARS_MAX)]
_Epoch: TypeAlias = Annotated[str, Meta(max_length=EPOCH_CHARS_MAX)]
_Seq: TypeAlias = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
_CommandName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=COMMAND_NAME_CHARS_MAX)]
_Key: TypeAlias = Annotated[str, Meta(min_length=1, max_length=IDEMPOTENCY_KEY_CHARS_MAX)]
_CancelAfterMs: TypeAlias = Annotated[int, Meta(ge=0, le=CANCEL_AFTER_MS_MAX)]


class Auth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Identify this socket by a token or an API key; again = refresh.

    Attributes:
        token: an access token, or `Dev <handle>` where development authentication is on.
        key: an API key, or its public part when `sig` is given.
        ts: milliseconds since 1970 UTC that were signed.
        sig: HMAC of the key's secret over the request.
    """

    id: _Id
    token: _Credential | None = None
    key: _Credential | None = None
    ts: int | None = None
    sig: _Credential | None = None


class ResumePoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last frame a client has of a channel."""

    epoch: _Epoch
    seq: _Seq


class SubscribeItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One channel of a `subscribe`."""

    ch: str
    resume: ResumePoint | None = msgspec.field(default=None, name="from")


class Subscribe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Begin to receive channels."""

    id: _Id
    ch: Annotated[list[SubscribeItem], Meta(min_length=1)]


class Unsubscribe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Stop receiving channels."""

    id: _Id
    ch: Annotated[list[str], Meta(min_length=1)]


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hand in a command of the core; `key` is its idempotency key."""

    id: _Id
    name: _CommandName
    args: dict[str, Any] = {}
    key: _Key | None = None


class CancelAfter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Arm (or with 0 disarm) the dead-man switch."""

    id: _Id
    ms: _CancelAfterMs


class Ping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ask whether the server is alive."""

    id: _Id


Operation: TypeAlias = Auth | Subscribe | Unsubscribe | Command | CancelAfter | Ping

OPERATIONS: Final[dict[str, type[Operation]]] = {
    "auth": Auth,
    "subscribe": Subscribe,
    "unsubscribe": Unsubscribe,
    "command": Command,
    "cancel_after": CancelAfter,
    "ping": Ping,
}


class InvalidRequest(ValueError):
    """A request that cannot be acted upon.

    Attributes:
        code: `UNKNOWN_OP` or `INVALID_ARGUMENT`.
        message: what was expected and what was found.
        field: path of the field at fault (`ch[0].from.seq`), None when it is none of them.
        re: the request's id, None when it had no usable one.
    """

    def __init__(
        self, code: ErrorCode, message: str, *, field: str | None, re: RequestId | None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.re = re


def parse_operation(message: dict[str, Any]) -> Operation:
    """Return the typed request.

    Args:
        message: a decoded map (see `streams.protocol.codec.Codec.decode`).

    Raises:
        InvalidRequest: no such `op`, or a field is missing, unknown or of the wrong shape.
    """
    request_id = readable_id(message)
    name = message.get("op")
    if not isinstance(name, str):
        raise InvalidRequest(
            ErrorCode.INVALID_ARGUMENT, "expected `op` as text", field="op", re=request_id
        )
    shape = OPERATIONS.get(name)
    if shape is None:
        raise InvalidRequest(
            ErrorCode.UNKNOWN_OP,
            f"expected op as one of {', '.join(OPERATIONS)}, was {name[:REQUEST_ID_CHARS_MAX]}",
            field="op",
            re=request_id,
        )
    fields = {key: value for key, value in message.items() if key != "op"}
    try:
        operation = msgspec.convert(fields, shape)
    except msgspec.ValidationError as error:
        text, field = _explain(str(error))
        raise InvalidRequest(ErrorCode.INVALID_ARGUMENT, text, field=field, re=request_id) from None
    if isinstance(operation, Auth):
        _check_credentials(operation)
    return operation


def readable_id(message: dict[str, Any]) -> RequestId | None:
    """Return the `id` if it is one the protocol allows, else None."""
    value = message.get("id")
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    if isinstance(value, str) and not 1 <= len(value) <= REQUEST_ID_CHARS_MAX:
        return None
    return value


def _check_credentials(auth: Auth) -> None:
    if (auth.token is None) == (auth.key is None):
        raise InvalidRequest(
            ErrorCode.INVALID_ARGUMENT, "expected either token or key", field="token", re=auth.id
        )
    if (auth.ts is None) != (auth.sig is None) or (auth.sig is not None and auth.key is None):
        raise InvalidRequest(
            ErrorCode.INVALID_ARGUMENT, "expected key, ts and sig together", field="sig", re=auth.id
        )


_AT: Final = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_NAMED: Final = re.compile(r"(?:missing required|contains unknown) field `(?P<name>[^`]*)`")


def _explain(text: str) -> tuple[str, str | None]:
    """Split msgspec's sentence into our wording and the path of the field."""
    at = _AT.search(text)
    path = at["path"] if at else ""
    sentence = text[: at.start()] if at else text
    named = _NAMED.search(sentence)
    if named:
        path = f"{path}.{named['name']}" if path else named["name"]
    sentence = sentence.replace(", got ", ", was ")
    return sentence[:1].lower() + sentence[1:], path or None
