from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from server.bench.stream_client import ClientSocket, ask
from streams.protocol.codec import MSGPACK


UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


class Peer:
    """A server that sends prepared bytes to its one client, in pieces, and then ends."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._pieces = pieces
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            for piece in self._pieces:
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
            with suppress(ConnectionResetError):  # the client may leave with bytes unread
                while connection.recv(1 << 16):
                    pass

    def close(self) -> None:
        self._thread.join()
        self._listener.close()


@contextmanager
def conversation(pieces: list[bytes]) -> Iterator[ClientSocket]:
    peer = Peer(pieces)
    try:
        client = ClientSocket("127.0.0.1", peer.port, "alice")
        try:
            yield client
        finally:
            client.close()
    finally:
        peer.close()


@pytest.mark.parametrize("size", [1, 125, 126, 70_000])
@pytest.mark.parametrize("cut", [1, 3, 40])
def test_an_answer_is_put_together_from_pieces(size: int, cut: int) -> None:
    answer = {"t": "ok", "re": 1, "text": "x" * size}
    sent = UPGRADED + MSGPACK.wire({"t": "hello"}) + MSGPACK.wire(answer)
    with conversation([sent[: len(UPGRADED) + cut], sent[len(UPGRADED) + cut :]]) as client:
        assert answer == ask(client, {"op": "ping", "id": 1})


def test_a_refusal_names_the_request_and_the_answer() -> None:
    refusal = {"t": "err", "re": 1, "code": "FORBIDDEN"}
    sent = UPGRADED + MSGPACK.wire(refusal)
    with pytest.raises(ConnectionError, match="FORBIDDEN"), conversation([sent]) as client:
        ask(client, {"op": "ping", "id": 1})


def test_an_end_before_the_answer_is_an_error() -> None:
    with conversation([UPGRADED]) as client, pytest.raises(ConnectionError, match="closed"):
        ask(client, {"op": "ping", "id": 1})


def test_no_upgrade_is_an_error() -> None:
    refusal = b"HTTP/1.1 503 Service Unavailable\r\n\r\n"
    with pytest.raises(ConnectionError, match="503"), conversation([refusal]):
        pass
