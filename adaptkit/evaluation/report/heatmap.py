"""The heat map of gains: a row for each language, a column for each condition, the number in every cell."""

from collections.abc import Iterator

from adaptkit.evaluation.report.grid import Grid
from adaptkit.evaluation.report.svg import (
    BOTTOM,
    TOP,
    WIDTH,
    drawing,
    element,
    height,
    label,
    language_labels,
    row_height,
)
from adaptkit.evaluation.report.words import DASH, MARKS, condition_name, cut, plain, points
from adaptkit.evaluation.results import Condition
from adaptkit.terminal.colours import STEPS, step_of

_LEFT = 122
_GAP = 3
_LEGEND_SHADE = 15
_NAME_LENGTH = 22
_BOUNDS = (10.0, 20.0, 50.0, 100.0)


def heat_map(grid: Grid) -> str:
    """Inline SVG, coloured by the classes `step-N` and `ink-N` of the page's style."""
    metric = plain(grid.results.metrics[0])
    return drawing(
        "heat",
        f"Heat map of gains over no language adapter, in points of {metric}",
        "One row for each language, one column for each condition; the table of gains holds the same numbers.",
        height(grid),
        *language_labels(grid),
        *_columns(grid),
        *_legend(grid),
    )


def colour_bound(grid: Grid) -> float:
    """The points at which the colour scale ends: the same on most reports, so that their colours compare."""
    largest = max((abs(gain.mean) for gain in grid.gains), default=0.0)
    return next(bound for bound in _BOUNDS if bound >= largest)


def _columns(grid: Grid) -> Iterator[str]:
    width = (WIDTH - _LEFT) / len(grid.compared)
    for number, condition in enumerate(grid.compared):
        x = _LEFT + number * width
        # `English adapter`, on two lines: three columns leave each some twelve letters.
        lines = cut(condition_name(condition, grid.results.source_language), _NAME_LENGTH).rsplit(" ", 1)
        for number_of_line, line in enumerate(reversed(lines)):
            yield label(line, x + width / 2, TOP - 10 - 12 * number_of_line, "axis strong", "middle")
        for row, language in enumerate(grid.by_gain):
            yield from _cell(grid, language, condition, (x, TOP + row * row_height(grid), width))


def _cell(grid: Grid, language: str, condition: Condition, place: tuple[float, float, float]) -> Iterator[str]:
    x, y, width = place
    middle, baseline = x + width / 2, y + row_height(grid) / 2 + 4
    gain = grid.gain(language, condition)
    if gain is None:
        yield label(DASH, middle, baseline, "axis", "middle")
        return
    step = step_of(gain.mean, colour_bound(grid))
    yield element(
        "rect",
        x=x + _GAP / 2,
        y=y + _GAP / 2,
        width=width - _GAP,
        height=row_height(grid) - _GAP,
        rx=3,
        class_=f"step{step}",
    )
    weight = "" if gain.verdict == "no evidence" else " strong"
    yield label(f"{MARKS[gain.verdict]} {points(gain.mean)}", middle, baseline, f"ink{step}{weight}", "middle")


def _legend(grid: Grid) -> Iterator[str]:
    y, largest = height(grid) - BOTTOM + 12, colour_bound(grid)
    for number, step in enumerate(range(-STEPS, STEPS + 1)):
        yield element(
            "rect", x=_LEFT + number * _LEGEND_SHADE, y=y, width=_LEGEND_SHADE, height=9, class_=f"step{step}"
        )
    width = _LEGEND_SHADE * (2 * STEPS + 1)
    for share, anchor, gain in ((0.0, "start", -largest), (0.5, "middle", 0.0), (1.0, "end", largest)):
        yield label(points(gain), _LEFT + share * width, y + 23, "axis", anchor)
    yield label("points", _LEFT + width + 8, y + 9, "axis")
