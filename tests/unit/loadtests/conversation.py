"""A server's half of a conversation with one socket of the swarm, made frame by frame."""

from __future__ import annotations

from typing import Any

from loadtests.swarm.member import Member
from loadtests.swarm.verifier import Verifier, decoder
from server.gateway.settings import STREAM_PATH
from streams.protocol.checksum import book_crc
from streams.protocol.codec import MSGPACK


CHANNEL = "book:hl:BTC"
EPOCH = "e1.5f0c"
UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
TICK_US = 100_000
AT_US = 1_769_947_200_000_000

Message = dict[str, Any]


class BookServer:
    """Frames of one idea book as a node would number and check them."""

    def __init__(self) -> None:
        self.seq = 0
        self._levels: dict[int, Message] = {}

    def delta(self) -> Message:
        """Return the next change: one level appears, or goes; every tenth has a checksum."""
        self.seq += 1
        price = 100 + self.seq * 7 % 20
        gone = price in self._levels
        row = [str(price), "0" if gone else f"{self.seq}.5", 0 if gone else 1]
        if gone:
            del self._levels[price]
        else:
            self._levels[price] = {"row": row}
        checked = {"crc": self._crc()} if self.seq % 10 == 0 else {}
        return self._frame("delta", {"b": [row], "s": []}) | checked

    def snapshot(self) -> Message:
        """Return the whole book."""
        return self._frame("snap", {"b": self._rows(), "s": []}) | {"crc": self._crc()}

    def _rows(self) -> list[Any]:
        return [self._levels[price]["row"] for price in sorted(self._levels, reverse=True)]

    def _crc(self) -> int:
        return book_crc(self._rows(), [])

    def _frame(self, kind: str, data: Message) -> Message:
        ts_us = AT_US + self.seq * TICK_US
        return {"t": kind, "ch": CHANNEL, "seq": self.seq, "ts": ts_us, "data": data}


class Socket:
    """One member of a swarm and what it sent."""

    def __init__(self, verifier: Verifier, *channels: str, account: str = "Dev ada") -> None:
        self.sent: list[bytes] = []
        self.member = Member(account, account, channels or (CHANNEL,), "msgpack", verifier)

    def connect(self) -> None:
        """Open, up to the request for channels."""
        self.member.connected("node:8000", self.sent.append)
        hello = {"t": "hello", "v": 1, "node": "n1", "epoch": EPOCH, "offset": "0-0.0", "ts": AT_US}
        self.member.receive(UPGRADED + MSGPACK.wire(hello), AT_US)

    def join(self, **entry: Any) -> None:
        """Answer the request for one channel."""
        whole = {"ch": CHANNEL, "epoch": EPOCH, **entry}
        self.receive({"t": "ok", "re": 1, "ch": [whole]})

    def open(self, server: BookServer) -> None:
        """Open and take a snapshot."""
        self.connect()
        self.join(seq=server.seq, mode="snapshot")
        self.receive(server.snapshot())

    def receive(self, *messages: Message, late_us: int = 0) -> None:
        """Take messages in one piece, each as late as the last one's time says."""
        at_us = messages[-1].get("ts", AT_US) + late_us
        self.member.receive(b"".join(map(MSGPACK.wire, messages)), at_us)

    def asked(self) -> Message:
        """Return the last request."""
        # Six bytes of header at most 125, eight up to 64 KiB.
        frame = self.sent[-1]
        return MSGPACK.decode(frame[6 if frame[1] & 0x7F < 126 else 8 :])


def new_verifier() -> Verifier:
    """Return a verifier of msgpack frames."""
    return Verifier(decoder("msgpack"))


def upgrade_line() -> bytes:
    """Return the first line of every connection."""
    return f"GET {STREAM_PATH} HTTP/1.1\r\n".encode()
