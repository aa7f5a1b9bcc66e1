"""permessage-deflate as this server speaks it: a message compressed once for all its readers.

Each message stands alone (`server_no_context_takeover`), so the same bytes fit every socket that
negotiated compression, and a socket keeps no window of its own. What is worth it is frames that
many may read: an account's own channels and answers have one reader, for whom compressing costs
the node more than the bytes it saves.

Source: RFC 7692, sections 7.2.1 and 7.2.3.6; wire-protocol.md, "Liveness, flow, limits".
"""

from __future__ import annotations

import zlib
from typing import Final


COMPRESSED_BYTES_MIN: Final = 256
"""Smaller messages are sent as they are."""

WINDOW_BITS: Final = 12
"""Of the compressor: a client that asks for a smaller window gets no compression."""

_LEVEL: Final = 1  # 6 takes half as long again for 3 % fewer bytes of such messages
_MEMORY_LEVEL: Final = 5  # set up anew for each message: the less, the faster
_TAIL_BYTES: Final = 4  # the empty block that a flush ends with, and RFC 7692 leaves out


def deflated(payload: bytes) -> bytes:
    """Return a message's payload compressed, to be sent with the first reserved bit set."""
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, -WINDOW_BITS, _MEMORY_LEVEL)
    return compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)[:-_TAIL_BYTES]
