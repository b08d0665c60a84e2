"""The report in a terminal: the answer with its number, a table, and what weakens them."""

from collections.abc import Iterator, Sequence

from adaptkit.evaluation.report.answers import answers
from adaptkit.evaluation.report.grid import Grid
from adaptkit.evaluation.report.summary import verdicts, warnings
from adaptkit.evaluation.report.words import DASH, MARKS, condition_name, language_label, plain, points, score_text
from adaptkit.evaluation.results import Condition, TransferResults

_BETWEEN = "   "


def spoken(results: TransferResults) -> str:
    """All that `print(report)` says.

    Raises:
        ConfigError: The results have no cell, or two for one place.
    """
    grid = Grid(results)
    return "\n".join([*(answers(grid) or verdicts(grid)), "", *_table(grid), "", *warnings(grid)]).rstrip()


def _table(grid: Grid) -> Iterator[str]:
    """A line for each language: its score under each condition, and what an adapter adds."""
    metric, source = grid.results.metrics[0], grid.results.source_language
    majority = {it.language: score_text(it.accuracy) for it in grid.results.majority}
    more = ["most frequent label"] if majority else []
    rows = [[plain(metric), *(condition_name(condition, source) for condition in grid.conditions), *more]]
    for name in grid.in_order:
        cells = [_cell(grid, name, condition) for condition in grid.conditions]
        rows.append([language_label(name), *cells, *([majority.get(name, DASH)] if majority else [])])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    yield from (_line(row, widths) for row in rows)
    if grid.compared:
        yield ", ".join(f"{mark} {verdict}" for verdict, mark in MARKS.items())


def _cell(grid: Grid, language: str, condition: Condition) -> str:
    score = grid.score(language, condition, grid.results.metrics[0])
    gain = grid.gain(language, condition)
    if score is None:
        return DASH
    return score_text(score.mean) + ("" if gain is None else f" ({points(gain.mean)}) {MARKS[gain.verdict]}")


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (text.ljust(width) for text, width in zip(row, widths, strict=True))
    return _BETWEEN.join([first, *others]).rstrip()
