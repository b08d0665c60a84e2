"""results.csv: a row for each language, condition and seed, for who computes on."""

import csv
import io

from adaptkit.evaluation.report.grid import Grid
from adaptkit.evaluation.report.words import plain
from adaptkit.evaluation.results import Cell, TransferResults

_NUMBERS = ("gain", "low", "high", "verdict")
_FORMULA = ("=", "+", "-", "@")


def results_csv(results: TransferResults) -> bytes:
    """Every score, with the gain of its language and condition over no adapter, in UTF-8 with a header.

    A name that a spreadsheet would take for a formula gets an apostrophe in front.

    Raises:
        ConfigError: The results have no cell, or two for one place.
    """
    grid = Grid(results)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("language", "condition", "stack", "examples", "seed", *map(_name, results.metrics), *_NUMBERS))
    for cell in results.cells:
        table.writerows(_rows(grid, cell))
    return text.getvalue().encode()


def _rows(grid: Grid, cell: Cell) -> list[tuple[object, ...]]:
    gain = grid.gain(cell.language, cell.condition)
    found = ("", "", "", "") if gain is None else (gain.mean, gain.low, gain.high, gain.verdict)
    place = (_name(cell.language), cell.condition, _name(cell.stack), cell.n_examples)
    scores = [cell.scores.get(metric, ()) for metric in grid.results.metrics]
    return [
        (*place, seed, *(each[number] if number < len(each) else "" for each in scores), *found)
        for number, seed in enumerate(grid.results.seeds or ("",))
    ]


def _name(text: str) -> str:
    shown = plain(text)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
