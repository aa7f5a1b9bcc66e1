"""Lines over time as inline SVG: no script, no library, readable in print and in the dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final


WIDTH: Final = 720
HEIGHT: Final = 220
LEFT: Final = 64
RIGHT: Final = 12
TOP: Final = 12
BOTTOM: Final = 28
COLOURS: Final = ("#0b6e99", "#c2410c", "#3f7d20", "#7c3aed", "#b8860b", "#be185d", "#475569")
GRID_LINES: Final = 4
POINTS_MAX: Final = 720
"""More points than pixels say nothing: of each stretch the highest is drawn."""

Values = Sequence[float | None]


def line_plot(seconds: Sequence[float], lines: Mapping[str, Values], unit: str) -> str:
    """Return one plot with a legend.

    Args:
        seconds: time of each point, rising.
        lines: values by name, one a point; None leaves a hole.
        unit: of the values.

    Returns:
        An `svg` element; a note in its place when there is nothing to draw.
    """
    drawn = {name: values for name, values in lines.items() if any(v is not None for v in values)}
    if not drawn or len(seconds) < 2:
        return '<p class="note">nothing to draw</p>'
    most = max(value for values in drawn.values() for value in values if value is not None)
    top = _round_up(most)
    parts = [_grid(seconds[0], seconds[-1], top, unit)]
    for place, values in enumerate(drawn.values()):
        colour = COLOURS[place % len(COLOURS)]
        parts += [
            f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{points}"/>'
            for points in _stretches(seconds, values, top)
        ]
    legend = "".join(
        f'<span><i style="background:{COLOURS[place % len(COLOURS)]}"></i>{escape(name)}</span>'
        for place, name in enumerate(drawn)
    )
    label = escape(f"{', '.join(drawn)} over time, {unit}")
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">'
        f'{"".join(parts)}</svg><p class="legend">{legend}</p>'
    )


def _round_up(most: float) -> float:
    """Return the next number with one significant digit that is easy to divide."""
    if most <= 0:
        return 1.0
    scale = 1.0
    while scale * 10 <= most:
        scale *= 10
    while scale > most:
        scale /= 10
    return next(step * scale for step in (1, 1.2, 1.6, 2, 3, 4, 6, 8, 10) if step * scale >= most)


def _grid(first: float, last: float, top: float, unit: str) -> str:
    parts = []
    for line in range(GRID_LINES + 1):
        share = line / GRID_LINES
        y = _y(share * top, top)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{share * top:g}</text>')
        x = LEFT + share * (WIDTH - LEFT - RIGHT)
        time_s = first + share * (last - first)
        anchor = "end" if line == GRID_LINES else "middle"
        parts.append(
            f'<text x="{x:.0f}" y="{HEIGHT - 8}" text-anchor="{anchor}">{time_s:.0f} s</text>'
        )
    parts.append(f'<text x="{LEFT + 4}" y="{TOP + 10}">{escape(unit)}</text>')
    return "".join(parts)


def _y(value: float, top: float) -> float:
    return round(HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM), 1)


def _stretches(seconds: Sequence[float], values: Values, top: float) -> list[str]:
    """Return the points of each unbroken stretch."""
    span = (seconds[-1] - seconds[0]) or 1.0
    step = max(len(seconds) // POINTS_MAX, 1)
    found: list[list[str]] = [[]]
    for at in range(0, len(seconds), step):
        part = [value for value in values[at : at + step] if value is not None]
        if not part:
            found.append([])
            continue
        x = LEFT + (seconds[at] - seconds[0]) / span * (WIDTH - LEFT - RIGHT)
        found[-1].append(f"{x:.1f},{_y(max(part), top)}")
    return [" ".join(points) for points in found if points]
