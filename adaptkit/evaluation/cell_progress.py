"""What an evaluation shows while it works."""

import time

from adaptkit.terminal.console import PlainConsole


class CellProgress:
    """A line for each measurement, with the time that is left; silent without a console."""

    def __init__(self, console: PlainConsole | None) -> None:
        self._console = console
        self._total = 0
        self._finished = 0
        self._started_s = time.monotonic()

    def start(self, total: int) -> None:
        """So many measurements are to come."""
        self._total = total
        if self._console is not None:
            self._console.print(f"{total} measurements; the first ones tell how long all will take")

    def note(self, text: str) -> None:
        """What a reader should know before a score is there."""
        if self._console is not None:
            self._console.print(text)

    def done(self, what: str, n_examples: int, elapsed_s: float) -> None:
        """One is finished."""
        self._finished += 1
        if self._console is None:
            return
        spent_s = time.monotonic() - self._started_s
        left_s = spent_s / self._finished * (self._total - self._finished)
        rate = n_examples / max(elapsed_s, 1e-9)
        self._console.print(
            f"{self._finished}/{self._total}  {what}  {n_examples:,} examples, {rate:,.0f} a second  "
            f"about {left_s:,.0f} s left"
        )


def open_progress(*, shown: bool) -> CellProgress:
    """Progress on standard error, or none."""
    return CellProgress(PlainConsole(stderr=True) if shown else None)
