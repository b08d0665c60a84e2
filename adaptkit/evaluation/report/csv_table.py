"""Tables for who computes on: results.csv, a row for each language, condition and seed, and classes.csv."""

import csv
import io

from adaptkit.evaluation.report.grid import Grid
from adaptkit.evaluation.report.words import plain
from adaptkit.evaluation.results import Cell, TransferResults
from adaptkit.scores import Difference

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


def classes_csv(results: TransferResults) -> bytes:
    """A row for each language, condition and class, with the gain of its F1 over no adapter, in UTF-8 with a header."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("language", "condition", "class", "counted", "n", "precision", "recall", "f1", *_NUMBERS))
    for it in results.classes:
        shares = ["" if share is None else share for share in (it.precision, it.recall, it.f1)]
        table.writerow(
            (_name(it.language), it.condition, _name(it.label), it.counted, it.n, *shares, *_numbers(it.gain))
        )
    return text.getvalue().encode()


def _numbers(gain: Difference | None) -> tuple[object, ...]:
    return ("", "", "", "") if gain is None else (gain.mean, gain.low, gain.high, gain.verdict)


def _rows(grid: Grid, cell: Cell) -> list[tuple[object, ...]]:
    gain = grid.gain(cell.language, cell.condition)
    place = (_name(cell.language), cell.condition, _name(cell.stack), cell.n_examples)
    scores = [cell.scores.get(metric, ()) for metric in grid.results.metrics]
    return [
        (*place, seed, *(each[number] if number < len(each) else "" for each in scores), *_numbers(gain))
        for number, seed in enumerate(grid.results.seeds or ("",))
    ]


def _name(text: str) -> str:
    shown = plain(text)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
