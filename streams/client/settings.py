"""Bounds and times of a client, each with what happens when it is reached."""

from __future__ import annotations

import msgspec


class ClientSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a client behaves. The defaults suit a program on the internet.

    Attributes:
        open_timeout_s: time for `async with connect(...)` until it is ready, retries included;
            then `ConnectFailed`.
        answer_timeout_s: wait for `hello`, for the answer to `auth` and to `subscribe`; then the
            socket is given up and opened again.
        down_s_max: time without a ready connection after a loss; then `ConnectFailed`.
        delay_ms_min: reconnecting waits a random time up to this at first, ...
        delay_ms_max: ... doubled with each failure up to this.
        stable_s: a connection that lasted this long resets the doubling.
        queue_items_max: items of one subscription that wait for the program; then
            `ConsumerTooSlow`.
        requests_waiting_max: requests without an answer; then `TooManyRequests`.
        request_attempts_max: times one command is sent.
        request_timeout_s: time for a command, repetitions included; then `OutcomeUnknown`, or
            `CommandRefused` with the last code when it certainly was not applied.
        compression: ask for compressed frames; they take fewer bytes and more processor time.
        message_bytes_max: a larger message from the server ends the socket.
        ping_interval_s: the client pings after this silence ...
        ping_timeout_s: ... and gives the socket up after this time without an answer.
        close_timeout_s: wait for the closing handshake.
    """

    open_timeout_s: float = 10.0
    answer_timeout_s: float = 10.0
    down_s_max: float = 3_600.0
    delay_ms_min: int = 200
    delay_ms_max: int = 15_000
    stable_s: float = 5.0
    queue_items_max: int = 8_192
    requests_waiting_max: int = 1_024
    request_attempts_max: int = 5
    request_timeout_s: float = 30.0
    compression: bool = False
    message_bytes_max: int = 16 * 1_048_576
    ping_interval_s: float = 20.0
    ping_timeout_s: float = 20.0
    close_timeout_s: float = 5.0
