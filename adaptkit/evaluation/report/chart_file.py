"""The charts of the page as files of their own, for a paper: the same drawing, with the style that it needs in it."""

from adaptkit.errors import ConfigError
from adaptkit.evaluation.report.grid import Grid
from adaptkit.evaluation.report.heatmap import heat_map
from adaptkit.evaluation.report.intervals import interval_plot
from adaptkit.evaluation.report.style import STYLE
from adaptkit.evaluation.report.svg import WIDTH
from adaptkit.evaluation.results import TransferResults

_FONT = "svg { font-family: system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif; }"
_SCALE = 2


def heatmap_svg(results: TransferResults) -> bytes:
    """Gains over `none`, a row for each language and a column for each condition.

    Raises:
        ConfigError: Nothing was compared with `none`.
    """
    return _file(heat_map(_compared(results)))


def gains_svg(results: TransferResults) -> bytes:
    """Gains over `none` with their intervals, the largest on top.

    Raises:
        ConfigError: Nothing was compared with `none`.
    """
    return _file(interval_plot(_compared(results)))


def _compared(results: TransferResults) -> Grid:
    grid = Grid(results)
    if not grid.compared:
        raise ConfigError("nothing was compared with running without a language adapter, so there is no gain to draw.")
    return grid


def _file(drawing: str) -> bytes:
    """An image of its own; its style is as on the page."""
    opened, closed, shapes = drawing.partition(">")
    named = opened.replace("<svg", f'<svg xmlns="http://www.w3.org/2000/svg" width="{_SCALE * WIDTH}"', 1)
    return f"{named}{closed}<style>{_FONT}\n{STYLE}</style>{shapes}\n".encode()
