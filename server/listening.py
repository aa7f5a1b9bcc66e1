"""The sockets a node listens on, bound before anything else is started.

So a port that is taken is said at once, in one line, and not after a database was made. A bound
socket refuses connections until uvicorn listens on it.
"""

from __future__ import annotations

import errno
import os
import socket

from streams.ports import OptixError


REMEDIES = {
    errno.EADDRINUSE: "stop what listens there, or choose another port (OPTIX_PORT, --port)",
    errno.EACCES: "choose a port above 1023 (OPTIX_PORT, --port)",
    errno.EADDRNOTAVAIL: "name an address of this machine (OPTIX_HOST)",
}


class AddressUnavailable(OptixError):
    """The node cannot listen on the address of its settings."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        number = error.errno or 0
        remedy = REMEDIES.get(number, "choose another address (OPTIX_HOST, OPTIX_PORT)")
        reason = os.strerror(number).lower() if number > 0 else str(error)
        super().__init__(f"expected to listen on {host}:{port}, was: {reason}; {remedy}")


def bound_sockets(host: str, port: int) -> list[socket.socket]:
    """Return a bound socket for every address of a host; with port 0 for the first one only.

    Raises:
        AddressUnavailable: the name is unknown, or an address is taken or not ours.
    """
    bound: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        addresses = list(dict.fromkeys((family, address) for family, _, _, _, address in found))
        for family, address in addresses if port else addresses[:1]:
            bound.append(each := socket.socket(family, socket.SOCK_STREAM))
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            each.bind(address)
    except OSError as error:  # an unknown name is one too
        for each in bound:
            each.close()
        raise AddressUnavailable(host, port, error) from error
    return bound
