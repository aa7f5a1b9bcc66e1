"""The reliability plot as an SVG, without a plotting library: same numbers, same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


SIDE, MARGIN = 320, 48
RADIUS_MAX = 9.0


class Bin(NamedTuple):
    """Messages of similar probability.

    Attributes:
        said: mean probability, 0 to 1.
        was: share that was bullish, labels equally frequent.
        messages: how many.
    """

    said: float
    was: float
    messages: int


def reliability_plot(bins: Sequence[Bin]) -> str:
    """Return an SVG of what was said against what was; the area of a point is its messages."""
    most = max(each.messages for each in bins)
    points = [(_x(each.said), _y(each.was), each) for each in bins]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS_MAX * (each.messages / most) ** 0.5:.1f}">'
        f"<title>said {each.said:.3f}, was {each.was:.3f}, {each.messages} messages</title>"
        "</circle>\n"
        for x, y, each in points
    )
    size = SIDE + 2 * MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" '
        'font-family="sans-serif" font-size="11">\n'
        f'<rect width="{size}" height="{size}" fill="#fff"/>\n'
        f"{_axes()}"
        f'<line x1="{_x(0):.1f}" y1="{_y(0):.1f}" x2="{_x(1):.1f}" y2="{_y(1):.1f}" '
        'stroke="#999" stroke-dasharray="4 4"/>\n'
        f'<polyline points="{line}" fill="none" stroke="#1565c0" stroke-width="1.5"/>\n'
        f'<g fill="#1565c0">\n{dots}</g>\n</svg>\n'
    )


def _x(share: float) -> float:
    return MARGIN + share * SIDE


def _y(share: float) -> float:
    return MARGIN + (1 - share) * SIDE


def _axes() -> str:
    parts = []
    for step in range(6):
        share = step / 5
        x, y = _x(share), _y(share)
        parts.append(
            f'<path d="M{x:.1f} {_y(0):.1f}V{_y(1):.1f}M{_x(0):.1f} {y:.1f}H{_x(1):.1f}" '
            'stroke="#e5e5e5"/>\n'
            f'<text x="{x:.1f}" y="{_y(0) + 16:.1f}" text-anchor="middle">{share:.1f}</text>\n'
            f'<text x="{_x(0) - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{share:.1f}</text>\n'
        )
    middle = MARGIN + SIDE / 2
    parts.append(
        f'<text x="{middle:.1f}" y="{_y(0) + 36:.1f}" text-anchor="middle">'
        "probability of bullish that was said</text>\n"
        f'<text transform="translate(14 {middle:.1f}) rotate(-90)" text-anchor="middle">'
        "share that was bullish</text>\n"
    )
    return "".join(parts)
