"""How far a long piece of work has come: a bar on a terminal, a line now and then elsewhere, or nothing."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from adaptkit.terminal.console import PlainConsole

Advance = Callable[[int], None]
LINE_EVERY_S = 15.0
"""Where there is no bar, how often there is a line."""
_LONG = 1000


def is_long(count: int) -> bool:
    """Whether so much work is worth a bar that nobody asked for: on a terminal, and not for a moment."""
    return count >= _LONG and PlainConsole(stderr=True).is_terminal


def bars_of_trainings(console: Console) -> Progress:
    """Bars with a field `figures` behind each, such as its loss."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
        console=console,
    )


@contextmanager
def bar(what: str, total: int, *, shown: bool) -> Iterator[Advance]:
    """Something to be told how many of `total` were done since the last time, while open; on standard error."""
    console = PlainConsole(stderr=True, soft_wrap=False)
    if not shown:
        yield lambda _: None
    elif console.is_terminal:
        with Progress(console=console) as progress:
            task = progress.add_task(what, total=total)
            yield lambda count: progress.advance(task, count)
    else:
        yield _lines(what, total, console)


def _lines(what: str, total: int, console: PlainConsole) -> Advance:
    started = last = time.monotonic()
    done = 0

    def advance(count: int) -> None:
        nonlocal done, last
        done += count
        now = time.monotonic()
        if now - last > LINE_EVERY_S and done < total:
            last = now
            left_s = (now - started) / done * (total - done)
            console.print(f"{what}: {done:,} of {total:,}, about {left_s:,.0f} s left")

    return advance
