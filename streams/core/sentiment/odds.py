"""Log-odds and probabilities in whole numbers, so that every node pools to the same digit.

Log-odds are in micro-nats. Both functions are series in fixed point: no library's logarithm or
exponential, which may differ in the last place from one machine to the next.

Source: domain.md, section 6 (logit P = sum w logit(p) / sum w).
"""

from __future__ import annotations

from functools import cache

from streams.core.money import PPM, divide_half_even


PERCENT_MIN, PERCENT_MAX = 1, 99
"""Probabilities that a voice may have: nobody is certain."""

MICRONATS = 1_000_000

_ONE = 1 << 80
_SERIES_TERMS = 1_200
"""Terms of the logarithm's series: at 99 % the first one left out is below 1e-12."""

_HALVINGS = 12
_EXPONENTIAL_TERMS = 12


@cache
def percent_logits() -> tuple[int, ...]:
    """Return ln(p / (1 - p)) in micro-nats by whole percent; 0 and 100 are those of 1 and 99.

    ln(p / (1 - p)) = 2 artanh(2 p - 1).
    """
    found = []
    for percent in range(101):
        ratio = (2 * min(max(percent, PERCENT_MIN), PERCENT_MAX) - 100) * _ONE // 100
        square = ratio * ratio // _ONE
        power, total = ratio, 0
        for term in range(_SERIES_TERMS):
            total += power // (2 * term + 1)
            power = power * square // _ONE
        found.append(divide_half_even(2 * total * MICRONATS, _ONE))
    return tuple(found)


def probability_ppm(micronats: int) -> int:
    """Return 1 / (1 + exp(-x)) in millionths for log-odds x in micro-nats."""
    shrunk = abs(micronats) * _ONE // (MICRONATS << _HALVINGS)
    power, total = _ONE, _ONE
    for term in range(1, _EXPONENTIAL_TERMS):
        power = power * shrunk // (_ONE * term)
        total += power
    for _ in range(_HALVINGS):
        total = total * total // _ONE
    likelier = divide_half_even(PPM * total, total + _ONE)
    return likelier if micronats >= 0 else PPM - likelier
