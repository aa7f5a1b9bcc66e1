"""Cuts what a client sends into whole frames, and opens the common ones itself.

Almost every frame of a client is one whole masked message. The library's engine takes 20 µs for
one of those, which is more than the rest of receiving; here it is a few comparisons and one call
of its unmasking in C. Everything else (control frames, messages in parts, whatever is wrong) goes
to the engine, which alone judges what is a violation.

Invariants:
    * The engine sees its frames whole and in order, and nothing between the parts of a message.
    * At most one frame is held, and none whose size is over the bound: from a head that the engine
      would refuse on, everything goes to the engine.

Source: RFC 6455, section 5.2.
"""

from __future__ import annotations

from typing import Final

from websockets.frames import apply_mask  # type: ignore[attr-defined]  # the one in C if built


ENGINE: Final = 0
"""In the place of an opcode: bytes for the engine."""

Part = tuple[int, bytes]
"""(opcode, payload) of a whole message, or (`ENGINE`, bytes as they came)."""

_FIN: Final = 0x80
_CONTROL: Final = 0x08
_MASKED: Final = 0x80
_CONTROL_BYTES_MAX: Final = 125
_SIZE_IN_TWO: Final = 126
_WHOLE_MESSAGES: Final = {0x81: 1, 0x82: 2}
_HEADS: Final = frozenset(
    {fin | opcode for fin in (0, _FIN) for opcode in (0, 1, 2)} | {0x88, 0x89, 0x8A}
)
"""First bytes of frames that may be in order: known opcode, no extension, control frames whole."""

_COMPRESSED: Final = 0x40
_HEADS_COMPRESSED: Final = _HEADS | {fin | _COMPRESSED | op for fin in (0, _FIN) for op in (1, 2)}
"""The same where compression was agreed upon: messages may begin compressed."""


class FrameSplitter:
    """What is known of one client's bytes between two reads.

    Args:
        message_bytes_max: size of a message above which the engine refuses it.
        compressed: whether the client may compress; the engine opens such messages.
    """

    __slots__ = ("_heads", "_held", "_in_parts", "_message_bytes_max", "_passing")

    def __init__(self, message_bytes_max: int, *, compressed: bool = False) -> None:
        self._message_bytes_max = message_bytes_max
        self._heads = _HEADS_COMPRESSED if compressed else _HEADS
        self._held = bytearray()
        self._in_parts = False
        self._passing = False

    def take(self, data: bytes) -> list[Part]:
        """Return the messages in `data` and what the engine has to look at, in order."""
        if self._passing:
            return [(ENGINE, data)]
        if self._held:
            self._held += data
            data = bytes(self._held)
            self._held.clear()
        parts: list[Part] = []
        begin, size = 0, len(data)
        while begin < size:
            mask_begin = self._mask_begin(data, begin, size)
            if mask_begin < 0:
                self._passing = True
                parts.append((ENGINE, data[begin:]))
                return parts
            end = self._end(data, begin, mask_begin) if mask_begin else size + 1
            if end > size:
                self._held += data[begin:]
                return parts
            parts.append(self._part(data, begin, mask_begin, end))
            begin = end
        return parts

    def _mask_begin(self, data: bytes, begin: int, size: int) -> int:
        """Return where the mask begins: 0 = not known yet, -1 = the engine must judge."""
        head = data[begin]
        if head not in self._heads:
            return -1
        if begin + 1 == size:
            return 0
        second = data[begin + 1]
        if not second & _MASKED:
            return -1
        length = second & ~_MASKED
        if length <= _CONTROL_BYTES_MAX:
            return begin + 2
        if head & _CONTROL or length > _SIZE_IN_TWO:
            return -1
        if begin + 4 > size:
            return 0
        length = int.from_bytes(data[begin + 2 : begin + 4])
        return -1 if length > self._message_bytes_max else begin + 4

    @staticmethod
    def _end(data: bytes, begin: int, mask_begin: int) -> int:
        if mask_begin == begin + 2:
            return mask_begin + 4 + (data[begin + 1] & ~_MASKED)
        return mask_begin + 4 + int.from_bytes(data[begin + 2 : begin + 4])

    def _part(self, data: bytes, begin: int, mask_begin: int, end: int) -> Part:
        head = data[begin]
        opcode = _WHOLE_MESSAGES.get(head)
        if opcode is not None and not self._in_parts:
            payload_begin = mask_begin + 4
            return opcode, apply_mask(data[payload_begin:end], data[mask_begin:payload_begin])
        if not head & _CONTROL:
            self._in_parts = not head & _FIN
        return ENGINE, data[begin:end]
