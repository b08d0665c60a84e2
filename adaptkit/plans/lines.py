"""A line for each training of a plan: bars on a terminal, and elsewhere a line now and then."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from rich.progress import Progress, TaskID

from adaptkit.terminal.amounts import time_text
from adaptkit.terminal.bar import LINE_EVERY_S, bars_of_trainings
from adaptkit.terminal.console import PlainConsole
from adaptkit.terminal.plain_text import one_line


class Lines(Protocol):
    """Where a plan shows how far each training is."""

    def note(self, text: str) -> None:
        """A sentence."""

    def now(self, id_: str, state: str) -> None:
        """A training waits, begins, is done, or has failed."""

    def told(self, id_: str, said: Mapping[str, Any]) -> None:
        """What its process says while it works."""


class NoLines:
    """Shows nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def now(self, id_: str, state: str) -> None:
        """Nothing."""

    def told(self, id_: str, said: Mapping[str, Any]) -> None:
        """Nothing."""


class PrintedLines:
    """Prints a line where something happens, and now and then how far a training is."""

    def __init__(self, console: PlainConsole) -> None:
        self._console = console
        self._last_s: dict[str, float] = {}

    def note(self, text: str) -> None:
        """Print it."""
        self._console.print(text, soft_wrap=True)

    def now(self, id_: str, state: str) -> None:
        """Print it, unless it waits."""
        if state != "waits":
            self.note(f"{id_}: {state}")

    def told(self, id_: str, said: Mapping[str, Any]) -> None:
        """Print its step now and then."""
        now = time.monotonic()
        if "step" in said and now - self._last_s.setdefault(id_, now) > LINE_EVERY_S:
            self._last_s[id_] = now
            self.note(f"{id_}: step {said['step']:,}/{said['of']:,}  {_figures(said)}  {_left(said)}")


class Bars:
    """A bar for each training."""

    def __init__(self, progress: Progress, ids: Sequence[str]) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {
            id_: progress.add_task(id_, total=None, start=False, figures="waits", heldout="") for id_ in ids
        }
        self._heldout: dict[str, str] = {}

    def note(self, text: str) -> None:
        """Print it above the bars."""
        self._progress.console.print(text, soft_wrap=True)

    def now(self, id_: str, state: str) -> None:
        """Say it behind the bar."""
        if state.startswith("begins"):
            self._progress.start_task(self._tasks[id_])
        self._progress.update(self._tasks[id_], figures=one_line(state, at_most=70))

    def told(self, id_: str, said: Mapping[str, Any]) -> None:
        """Move the bar."""
        if "heldout" in said:
            self._heldout[id_] = f"  held-out {said['heldout']:.3f}"
        if "step" in said:
            figures = _figures(said) + self._heldout.get(id_, "")
            self._progress.update(self._tasks[id_], completed=said["step"], total=said["of"], figures=figures)


@contextmanager
def open_lines(ids: Sequence[str], *, shown: bool) -> Iterator[Lines]:
    """The lines of these trainings on standard error, while open."""
    console = PlainConsole(stderr=True, soft_wrap=False)
    if not shown:
        yield NoLines()
        return
    if not console.is_terminal:
        yield PrintedLines(console)
        return
    with bars_of_trainings(console) as progress:
        yield Bars(progress, ids)


def _figures(said: Mapping[str, Any]) -> str:
    return f"{said['tokens'] / max(said['elapsed_s'], 1e-9):,.0f} tokens/s  loss {said['loss']:.3f}"


def _left(said: Mapping[str, Any]) -> str:
    return f"{time_text(said['elapsed_s'] / max(1, said['step']) * (said['of'] - said['step']))} left"
