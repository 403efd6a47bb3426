"""A bar chart as SVG text."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

WIDTH, LEFT, ROW, TOP = 760, 270, 26, 44
_LONGEST = WIDTH - LEFT - 80


def bars(title: str, values: Mapping[str, float], ours: str) -> str:
    """Return bars from zero, greatest first, each with its value; `ours` has another colour."""
    ordered = sorted(values.items(), key=lambda item: -item[1])
    height = TOP + ROW * len(ordered) + 12
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="13" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="12" y="26" font-size="15" font-weight="bold">{escape(title)}</text>',
    ]
    for number, (name, value) in enumerate(ordered):
        y, length = TOP + ROW * number, max(value / ordered[0][1] * _LONGEST, 1)
        colour = "#0072b2" if name == ours else "#999999"
        lines += [
            f'<text x="{LEFT - 8}" y="{y + 16}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{LEFT}" y="{y + 3}" width="{length:.1f}" height="{ROW - 8}" fill="{colour}"/>',
            f'<text x="{LEFT + length + 6:.1f}" y="{y + 16}">{value:,.0f}</text>',
        ]
    return "\n".join([*lines, "</svg>"]) + "\n"
