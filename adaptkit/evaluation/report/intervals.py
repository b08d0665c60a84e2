"""The dot plot of gains with their intervals, the largest gain on top, around a marked zero line."""

import math
from collections.abc import Callable, Iterator, Sequence

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
from adaptkit.evaluation.report.words import MARKS, VERDICT_CLASSES, condition_name, cut, plain, points
from adaptkit.evaluation.results import Condition
from adaptkit.scores import Difference

_LEFT, _RIGHT = 122, 304
_LINE = 17
_LEGEND_WIDTH = 122
Scale = Callable[[float], float]


def interval_plot(grid: Grid) -> str:
    """Inline SVG. Each condition has its own shape, each verdict its own mark beside the number."""
    metric = plain(grid.results.metrics[0])
    ticks = axis_ticks(grid)
    low, high = ticks[0], ticks[-1]

    def at(gain: float) -> float:
        return _LEFT + (gain - low) / (high - low) * (_RIGHT - _LEFT)

    return drawing(
        "gains",
        f"Gains over no language adapter with their intervals, in points of {metric}",
        "Languages sorted by gain. Each dot is a gain, each bar its interval; the line in the middle is zero.",
        height(grid),
        *_axis(grid, ticks, at),
        *language_labels(grid),
        *_legend(grid),
        *_intervals(grid, at),
    )


def axis_ticks(grid: Grid) -> list[float]:
    """Round numbers around all intervals and zero."""
    low = min([0.0, *(gain.low for gain in grid.gains)])
    high = max([0.0, *(gain.high for gain in grid.gains)])
    step = _round_step((high - low) / 4)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [number * step for number in range(first, max(last, first + 1) + 1)]


def marker(condition: Condition, x: float, y: float, verdict: str) -> str:
    """A filled dot for target, an open one for source, a diamond for relative, a square for a named stack."""
    kind = VERDICT_CLASSES[verdict]
    if condition == "relative":
        corners = f"{x:.6g},{y - 5.5:.6g} {x + 5.5:.6g},{y:.6g} {x:.6g},{y + 5.5:.6g} {x - 5.5:.6g},{y:.6g}"
        return element("polygon", points=corners, class_=f"dot {kind}")
    if condition == "stack":
        return element("rect", x=x - 4, y=y - 4, width=8, height=8, class_=f"dot {kind}")
    return element("circle", cx=x, cy=y, r=4.5, class_=f"{'dot' if condition == 'target' else 'ring'} {kind}")


def _round_step(span: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    if span <= 0:
        return 1.0
    power = float(10.0 ** math.floor(math.log10(span)))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= span * 0.999)


def _axis(grid: Grid, ticks: Sequence[float], at: Scale) -> Iterator[str]:
    bottom = height(grid) - BOTTOM + 6
    for tick in ticks:
        kind = "zero" if tick == 0 else "rule"
        yield element("line", x1=at(tick), x2=at(tick), y1=TOP - 2, y2=bottom, class_=kind)
        yield label(f"{'−' if tick < 0 else ''}{abs(tick):g}", at(tick), bottom + 15, "axis", "middle")
    yield label("points", WIDTH, bottom + 15, "axis", "end")
    for row in range(1, len(grid.by_gain)):
        y = TOP + row * row_height(grid)
        yield element("line", x1=0, x2=WIDTH, y1=y, y2=y, class_="rule")


def _intervals(grid: Grid, at: Scale) -> Iterator[str]:
    first = (row_height(grid) - _LINE * (len(grid.compared) - 1)) / 2
    for row, language in enumerate(grid.by_gain):
        for line, condition in enumerate(grid.compared):
            gain = grid.gain(language, condition)
            if gain is not None:
                yield from _interval(gain, condition, TOP + row * row_height(grid) + first + line * _LINE, at)


def _interval(gain: Difference, condition: Condition, y: float, at: Scale) -> Iterator[str]:
    kind = VERDICT_CLASSES[gain.verdict]
    yield element("line", x1=at(gain.low), x2=at(gain.high), y1=y, y2=y, class_=f"bar {kind}")
    yield marker(condition, at(gain.mean), y, gain.verdict)
    yield label(f"{MARKS[gain.verdict]} {points(gain.mean)}", WIDTH, y + 4, f"figure {kind}", "end")


def _legend(grid: Grid) -> Iterator[str]:
    for number, condition in enumerate(grid.compared):
        x = number * _LEGEND_WIDTH
        yield marker(condition, x + 5, TOP - 15, "no evidence")
        yield label(cut(condition_name(condition, grid.results.source_language), 18), x + 14, TOP - 11, "axis")
