"""How fast adaptkit is on a GPU, and peft beside it, in under four minutes.

`python -m benchmarks.run gpu_speed --device cuda [--minutes 4] [--output rows.jsonl] [--only TEXT;...] [--tiny]`. Two
processes, adaptkit's and peft's, import at once and measure in turn: 64 rows of 32 tokens in bfloat16 without, under
one and under many adapters (LoRA of rank 8 at all linear layers), precisions, training of 32 rows of 128 tokens and of
lengths as news have them, attaching, generation, and the share of a pass in which the card computes. XLM-R's shapes
have random weights, which say nothing about quality. Rows that are wanted most come first; what is left when the time
is over is named. A third process compiles while others measure. `--device cpu --tiny` tries the code.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.gpu_speed.book import Book
from benchmarks.gpu_speed.rows import COMPILED, OURS, PEER, Row, all_rows
from benchmarks.gpu_speed.sides import SideProcess

CASE = "gpu_speed"
_ROW_S = 75.0
_LEAST_S = 3.0

Measure = Callable[[Row, float], dict[str, Any]]
"""Figures of a row, before so many seconds since 1970."""


def main(arguments: list[str]) -> None:
    options = parsed(arguments)
    until = time.time() + 60 * options.minutes
    rows = wanted(options.only)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        shared = [options.device, folder, *(["--tiny"] if options.tiny else [])]
        sides = {
            side: stack.enter_context(SideProcess.of(side, shared, row_s=_ROW_S))
            for side in (OURS, PEER, COMPILED)
            if any(row.side == side for row in rows)
        }
        # Behind the processes: it imports torch too.
        book = book_of(options)
        measure(rows, {name: _asked(side) for name, side in sides.items()}, book, until=until)


def parsed(arguments: list[str]) -> argparse.Namespace:
    """The options of a run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--minutes", type=float, default=3.8)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--result", type=Path)
    parser.add_argument("--only", default="", help="rows with one of these in their names, with semicolons between")
    parser.add_argument("--tiny", action="store_true")
    return parser.parse_args(arguments)


def wanted(only: str) -> list[Row]:
    """The rows that were asked for."""
    parts = [part for part in only.split(";") if part]
    return [row for row in all_rows() if not parts or any(part in row.name for part in parts)]


def book_of(options: argparse.Namespace) -> Book:
    """Where the rows are written: in `results/`, if nothing else was asked for."""
    from benchmarks.write_results import RESULTS, described

    config = {key: str(value) for key, value in vars(options).items() if key not in ("output", "result")}
    result = options.result or RESULTS / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{CASE}.json"
    return Book(result, described(CASE, seeds=[0], config=config, measured={}), options.output)


def measure(rows: Sequence[Row], sides: Mapping[str, Measure], book: Book, *, until: float) -> None:
    """Measure the rows in their order, each by its side, as long as there is time."""
    for number, row in enumerate(rows):
        if time.time() > until - _LEAST_S:
            print(f"out of time: {len(rows) - number} rows were not measured, from {row.name!r} on", flush=True)
            return
        started = time.time()
        book.note(row, sides[row.side](row, until), time.time() - started)


def _asked(side: SideProcess) -> Measure:
    return lambda row, until: side.begin(row) if row.beside else side.measured(row, until=until)
