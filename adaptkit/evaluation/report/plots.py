"""The two charts of the report as pictures for a paper."""

import io
import warnings
from typing import TYPE_CHECKING

from adaptkit.errors import ConfigError
from adaptkit.evaluation.report.grid import Grid
from adaptkit.evaluation.report.heatmap import colour_bound
from adaptkit.evaluation.report.intervals import axis_ticks
from adaptkit.evaluation.report.words import DASH, MARKS, condition_name, cut, language_label, plain, points
from adaptkit.evaluation.results import Condition, TransferResults
from adaptkit.scores import Difference
from adaptkit.terminal.colours import ON_PAPER, css, ink_on, shade, step_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

_DPI = 200
_LABEL_LENGTH = 24
_COLOURS = {"helps": css(ON_PAPER[2]), "hurts": css(ON_PAPER[0]), "no evidence": "#5b616b"}
_QUIET = "#5b616b"


def heatmap_png(results: TransferResults) -> bytes:
    """Gains over `none`, a row for each language and a column for each condition.

    Raises:
        ConfigError: Nothing was compared with `none`.
    """
    grid = _compared(results)
    figure, axes = _canvas(1.9 + 1.1 * len(grid.compared), 1.2 + 0.32 * len(grid.by_gain))
    for row, language in enumerate(grid.by_gain):
        for column, condition in enumerate(grid.compared):
            _draw_cell(axes, (column, row), grid.gain(language, condition), colour_bound(grid))
    axes.set_xticks(range(len(grid.compared)), _names(grid))
    axes.set_xlim(-0.5, len(grid.compared) - 0.5)
    _name_unit(axes, grid)
    axes.tick_params(length=0)
    _name_languages(axes, grid)
    return _png(figure)


def gains_png(results: TransferResults) -> bytes:
    """Gains over `none` with their intervals, the largest on top.

    Raises:
        ConfigError: Nothing was compared with `none`.
    """
    grid = _compared(results)
    line = 0.8 / len(grid.compared)
    figure, axes = _canvas(5.6, 1.2 + max(0.32, 0.22 * len(grid.compared)) * len(grid.by_gain))
    for row, language in enumerate(grid.by_gain):
        for number, condition in enumerate(grid.compared):
            gain = grid.gain(language, condition)
            if gain is not None:
                _draw_interval(axes, condition, row + (number - (len(grid.compared) - 1) / 2) * line, gain)
    axes.axvline(0, color="#1b1e23", linewidth=1, zorder=0)
    ticks = axis_ticks(grid)
    axes.set_xticks(ticks)
    axes.set_xlim(ticks[0], ticks[-1])
    _name_unit(axes, grid)
    _name_languages(axes, grid)
    _name_conditions(axes, grid)
    return _png(figure)


def _compared(results: TransferResults) -> Grid:
    grid = Grid(results)
    if not grid.compared:
        raise ConfigError("nothing was compared with running without a language adapter, so there is no gain to draw.")
    return grid


def _canvas(width: float, height: float) -> "tuple[Figure, Axes]":
    """A figure of its own: pyplot would keep it, and choose a window system."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[:].set_visible(False)
    axes.tick_params(labelsize=9)
    return figure, axes


def _draw_cell(axes: "Axes", place: tuple[int, int], gain: Difference | None, largest: float) -> None:
    from matplotlib.patches import Rectangle

    column, row = place
    if gain is None:
        axes.text(column, row, DASH, ha="center", va="center", fontsize=9, color=_QUIET)
        return
    colour = shade(step_of(gain.mean, largest), ON_PAPER)
    axes.add_patch(Rectangle((column - 0.48, row - 0.46), 0.96, 0.92, facecolor=css(colour), edgecolor="none"))
    axes.text(
        column,
        row,
        f"{MARKS[gain.verdict]} {points(gain.mean)}",
        ha="center",
        va="center",
        fontsize=9,
        fontweight="normal" if gain.verdict == "no evidence" else "bold",
        color=css(ink_on(colour)),
    )


def _draw_interval(axes: "Axes", condition: Condition, y: float, gain: Difference) -> None:
    colour = _COLOURS[gain.verdict]
    axes.plot([gain.low, gain.high], [y, y], color=colour, linewidth=1.6, solid_capstyle="butt")
    axes.add_line(_marker(condition, colour, at=(gain.mean, y)))
    axes.annotate(
        f"{MARKS[gain.verdict]} {points(gain.mean)}",
        (1.02, y),
        xycoords=("axes fraction", "data"),
        va="center",
        fontsize=8,
        color=colour,
    )


def _marker(condition: Condition, colour: str, *, name: str = "", at: tuple[float, float] | None = None) -> "Line2D":
    """As in the page: filled for target, open for source, a diamond for relative. Without a place, for the legend."""
    from matplotlib.lines import Line2D

    x, y = ([at[0]], [at[1]]) if at else ([], [])
    inside = "white" if condition == "source" else colour
    shape = "D" if condition == "relative" else "o"
    return Line2D(
        x,
        y,
        label=name,
        linestyle="",
        color=colour,
        marker=shape,
        markerfacecolor=inside,
        markersize=5.5,
        zorder=3,
    )


def _name_languages(axes: "Axes", grid: Grid) -> None:
    names = [cut(language_label(name), _LABEL_LENGTH) for name in grid.by_gain]
    for text in axes.set_yticks(range(len(names)), names):
        text.label1.set_parse_math(False)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)


def _name_conditions(axes: "Axes", grid: Grid) -> None:
    handles = [_marker(each, _QUIET, name=name) for each, name in zip(grid.compared, _names(grid), strict=True)]
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=9)


def _names(grid: Grid) -> list[str]:
    return [cut(condition_name(condition, grid.results.source_language), _LABEL_LENGTH) for condition in grid.compared]


def _name_unit(axes: "Axes", grid: Grid) -> None:
    axes.set_xlabel(
        f"points of {cut(plain(grid.results.metrics[0]), _LABEL_LENGTH)}\nover no language adapter", fontsize=9
    )
    axes.xaxis.label.set_parse_math(False)


def _png(figure: "Figure") -> bytes:
    picture = io.BytesIO()
    with warnings.catch_warnings():
        # A name in a script that matplotlib's own font lacks is drawn as boxes: no reason to stop.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(picture, format="png", dpi=_DPI)
    return picture.getvalue()
