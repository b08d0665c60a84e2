"""What a run shows while it works: a rich bar on a terminal, a line now and then elsewhere, or nothing."""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import Progress as RichProgress
from rich.progress import TaskID

from adaptkit.backbones.hardware import resident_bytes
from adaptkit.terminal.bar import LINE_EVERY_S, bars_of_trainings
from adaptkit.terminal.console import PlainConsole
from adaptkit.training.progress import Progress


class Display(Protocol):
    """Where a run reports to."""

    def note(self, text: str) -> None:
        """A sentence about what comes next."""

    def step(self, progress: Progress, total_steps: int, loss: float) -> None:
        """The state after some steps."""

    def heldout(self, measures: Mapping[str, float], scores: Mapping[str, float]) -> None:
        """The result of a held-out evaluation; `scores` are of 100, the main one first, empty where there are none."""


class Silent:
    """Shows nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def step(self, progress: Progress, total_steps: int, loss: float) -> None:
        """Nothing."""

    def heldout(self, measures: Mapping[str, float], scores: Mapping[str, float]) -> None:
        """Nothing."""


class Shown:
    """Shows a bar with tokens/s, loss, held-out loss and score, memory and time left."""

    def __init__(self, console: Console, bar: RichProgress | None) -> None:
        self._console = console
        self._bar = bar
        self._task: TaskID | None = None
        self._figures, self._heldout = "", ""
        self._last_line_s = time.monotonic()

    def note(self, text: str) -> None:
        """Print the sentence above the bar."""
        self._console.print(text, highlight=False, soft_wrap=True, markup=False)

    def step(self, progress: Progress, total_steps: int, loss: float) -> None:
        """Move the bar."""
        self._figures = (
            f"{progress.tokens / max(progress.elapsed_s, 1e-9):,.0f} tokens/s  loss {loss:.3f}  "
            f"{resident_bytes() / 2**30:.1f} GiB"
        )
        if self._bar is not None:
            self._move(self._bar, progress.step, total_steps)
        elif time.monotonic() - self._last_line_s > LINE_EVERY_S or progress.step == total_steps:
            self._last_line_s = time.monotonic()
            left_s = progress.elapsed_s / progress.step * (total_steps - progress.step)
            self._console.print(
                f"step {progress.step:,}/{total_steps:,}  {self._figures}  {left_s:,.0f} s left", highlight=False
            )

    def heldout(self, measures: Mapping[str, float], scores: Mapping[str, float]) -> None:
        """Put held-out loss and main score beside the bar, behind the last step too; without a bar, print them."""
        self._heldout = f"  held-out {measures['loss']:.3f}"
        if "token_loss" in measures:
            self._heldout += f" (pseudo-perplexity {math.exp(min(measures['token_loss'], 50)):,.1f})"
        for name in list(scores)[:1]:
            self._heldout += f", {name} {scores[name]:.1f}"
        if self._bar is not None:
            self._move(self._bar)
        else:
            self._console.print(self._heldout.strip(), highlight=False)

    def _move(self, bar: RichProgress, step: int | None = None, total: int | None = None) -> None:
        """A run without steps, which has nothing to show there, has no bar."""
        if self._task is None:
            self._task = bar.add_task("training", total=None, figures="")
        bar.update(self._task, completed=step, total=total, figures=self._figures + self._heldout)


@contextmanager
def open_display(*, shown: bool, console: Console | None = None) -> Iterator[Display]:
    """A display on standard error while the context is open."""
    if not shown:
        yield Silent()
        return
    console = console or PlainConsole(stderr=True, soft_wrap=False)
    if not console.is_terminal:
        yield Shown(console, None)
        return
    with bars_of_trainings(console) as bar:
        yield Shown(console, bar)
