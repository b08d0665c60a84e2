"""Inline SVG for the report: elements, and the geometry that both charts share so that their rows line up."""

from html import escape
from itertools import count

from adaptkit.evaluation.report.grid import Grid
from adaptkit.evaluation.report.words import cut, language_label

WIDTH = 360
"""User units; a phone shows them one to one, so that text of 12 units stays readable."""
TOP = 40
BOTTOM = 46
_LABEL_LENGTH = 16


def element(name: str, *children: str, **attributes: str | float) -> str:
    """An SVG element. Children are markup; attributes are escaped: `text_anchor` is text-anchor."""
    written = "".join(f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"' for key, value in attributes.items())
    return f"<{name}{written}>{''.join(children)}</{name}>"


def label(content: str, x: float, y: float, class_: str = "", anchor: str = "start") -> str:
    """Text, escaped."""
    return element("text", escape(content), x=x, y=y, class_=class_, text_anchor=anchor)


def drawing(name: str, title: str, description: str, height: float, *shapes: str) -> str:
    """An SVG image with its name and description for those who cannot see it."""
    return element(
        "svg",
        element("title", escape(title), id=f"{name}-title"),
        element("desc", escape(description), id=f"{name}-desc"),
        *shapes,
        viewBox=f"0 0 {WIDTH} {height:g}",
        role="img",
        aria_labelledby=f"{name}-title",
        aria_describedby=f"{name}-desc",
    )


def row_height(grid: Grid) -> int:
    """Room for one interval for each condition that is compared."""
    return max(34, 17 * len(grid.compared) + 11)


def height(grid: Grid) -> int:
    """Of a chart with a row for each language that has a gain."""
    return TOP + row_height(grid) * len(grid.by_gain) + BOTTOM


def language_labels(grid: Grid) -> list[str]:
    """The names at the left, cut where they would run into the chart; the whole name shows on hovering."""
    middles = (TOP + row_height(grid) * (row + 0.5) + 4 for row in count())
    return [_language(language_label(name), y) for name, y in zip(grid.by_gain, middles, strict=False)]


def _language(name: str, y: float) -> str:
    if len(name) <= _LABEL_LENGTH:
        return label(name, 0, y, "name")
    shown = escape(cut(name, _LABEL_LENGTH))
    return element("text", element("title", escape(name)), shown, x=0, y=y, class_="name")


def _value(value: str | float) -> str:
    return escape(value) if isinstance(value, str) else f"{value:.6g}"
