import pytest
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHeader, InvalidOrigin

from server.gateway.handshake import StreamProtocol, client_address, shorten_reason


ADDRESSES = """
1.2.3.4  |                    | 1.2.3.4
1.2.3.4  | 9.9.9.9            | 1.2.3.4
10.0.0.1 | 9.9.9.9            | 9.9.9.9
10.0.0.1 | 8.8.8.8, 9.9.9.9   | 9.9.9.9
10.0.0.1 | 9.9.9.9, 10.0.0.2  | 9.9.9.9
10.0.0.1 | 10.0.0.2           | 10.0.0.1
10.0.0.1 | ,                  | 10.0.0.1
10.0.0.1 |                    | 10.0.0.1
"""


@pytest.mark.parametrize("line", ADDRESSES.strip().splitlines())
def test_forwarded_addresses_are_believed_from_trusted_proxies_only(line: str) -> None:
    peer, forwarded, expected = (cell.strip() for cell in line.split("|"))
    headers = Headers([("X-Forwarded-For", forwarded)] if forwarded else [])
    assert expected == client_address(headers, peer, ("10.0.0.1", "10.0.0.2"))


# allowed | origin | host | admitted
ORIGINS = """
same-origin          | http://a.example:80   | a.example:80 | yes
same-origin          | http://a.example      | a.example:80 | no
same-origin          | http://evil.example   | a.example    | no
same-origin          | null                  | a.example    | no
same-origin          | http://[bad           | a.example    | no
same-origin          | http://a.example      |              | no
https://app.example  | https://app.example   | a.example    | yes
https://app.example  | http://app.example    | a.example    | no
https://app.example  | https://a.example     | a.example    | no
https://app.example  |                       | a.example    | yes
*                    | https://evil.example  | a.example    | yes
"""


@pytest.mark.parametrize("line", ORIGINS.strip().splitlines())
def test_origins(line: str) -> None:
    allowed, origin, host, admitted = (cell.strip() for cell in line.split("|"))
    wire = StreamProtocol(allowed_origins=(allowed,), message_bytes_max=10)
    fields = [("Origin", origin)] * bool(origin) + [("Host", host)] * bool(host)
    if admitted == "yes":
        assert (origin or None) == wire.process_origin(Headers(fields))
    else:
        with pytest.raises(InvalidOrigin):
            wire.process_origin(Headers(fields))


def test_two_origins_are_none() -> None:
    wire = StreamProtocol(allowed_origins=("*",), message_bytes_max=10)
    with pytest.raises(InvalidHeader):
        wire.process_origin(Headers([("Origin", "a"), ("Origin", "b")]))


def test_a_reason_fits_a_control_frame_in_whole_characters() -> None:
    assert shorten_reason("short") == "short"
    assert shorten_reason("x" + "ü" * 100) == "x" + "ü" * 61
