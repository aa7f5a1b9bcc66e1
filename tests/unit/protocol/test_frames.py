import pytest
from websockets.frames import Frame, Opcode

from streams.protocol.frames import OPCODE_BINARY, OPCODE_TEXT, server_frame


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
@pytest.mark.parametrize("opcode", [OPCODE_TEXT, OPCODE_BINARY])
def test_a_frame_is_what_the_websockets_library_makes_of_it(opcode: int, length: int) -> None:
    payload = b"x" * length
    expected = Frame(Opcode(opcode), payload).serialize(mask=False)
    assert expected == server_frame(opcode, payload)
