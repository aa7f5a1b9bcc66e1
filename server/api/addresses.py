"""Where a request came from, seen through the proxies that are trusted."""

from __future__ import annotations

from collections.abc import Sequence


def client_address(peer: str, forwarded_for: str | None, trusted: Sequence[str]) -> str:
    """Return the address of the client.

    Args:
        peer: address of the other end of the connection.
        forwarded_for: `X-Forwarded-For`, believed only as far as its writers are trusted.
        trusted: addresses of proxies.
    """
    if forwarded_for is None or peer not in trusted:
        return peer
    for address in reversed([part.strip() for part in forwarded_for.split(",")]):
        if address and address not in trusted:
            return address
    return peer
