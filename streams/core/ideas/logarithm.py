"""Natural logarithms in whole numbers, so that scores are equal on every processor.

A float's logarithm may differ in its last bit between C libraries; two nodes that round such a
number differently would part. Here everything is integer arithmetic on 80 fraction bits.

Source: ln(a / b) = 2 artanh((a - b) / (a + b)), after taking out powers of two.
"""

from __future__ import annotations


MICRO = 1_000_000

_BITS = 80
_ONE = 1 << _BITS


def _twice_artanh(numerator: int, denominator: int) -> int:
    """Return 2 artanh(numerator / denominator) on `_BITS` bits, for a ratio of at most a third."""
    ratio = (numerator << _BITS) // denominator
    square = ratio * ratio >> _BITS
    term, total, odd = ratio, 0, 1
    while term not in (0, -1):
        total += term // odd
        term = term * square >> _BITS
        odd += 2
    return 2 * total


_LN_2 = _twice_artanh(1, 3)


def ln_fixed(numerator: int, denominator: int) -> int:
    """Return ln(numerator / denominator) in units of 2**-80.

    Args:
        numerator: > 0.
        denominator: > 0.
    """
    twos = numerator.bit_length() - denominator.bit_length()
    if twos >= 0:
        denominator <<= twos
    else:
        numerator <<= -twos
    return twos * _LN_2 + _twice_artanh(numerator - denominator, numerator + denominator)


def ln_micro(numerator: int, denominator: int) -> int:
    """Return ln(numerator / denominator) in millionths, rounded half up."""
    return (ln_fixed(numerator, denominator) * MICRO + (_ONE >> 1)) >> _BITS
