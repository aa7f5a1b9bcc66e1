import pytest

from streams.protocol.credentials import header_credential
from streams.protocol.effects import AuthRequested


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Bearer a.b.c", AuthRequested(None, "a.b.c", None)),
        ("bearer  a.b.c ", AuthRequested(None, "a.b.c", None)),
        ("Dev alice", AuthRequested(None, "Dev alice", None)),
        ("Key optix_x", AuthRequested(None, None, "optix_x")),
        ("Basic YTpi", None),
        ("Bearer", None),
        ("Bearer ", None),
        ("", None),
    ],
)
def test_schemes(header: str, expected: AuthRequested | None) -> None:
    assert expected == header_credential(header)
