"""Ctrl-C and SIGTERM that wait for the end of a step, or of what else must not be cut off."""

import signal
import threading
from types import FrameType, TracebackType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class InterruptFlag:
    """While open, Ctrl-C, or the SIGTERM that a scheduler sends, sets the flag; a second Ctrl-C interrupts at once.

    Among `several` processes a second one changes nothing: their launcher passes on the Ctrl-C that they have had
    already. Python delivers signals to the main thread only; elsewhere nothing is changed.
    """

    def __init__(self, *, several: bool = False) -> None:
        self.is_set = False
        self.signal_number: int = signal.SIGINT
        self._several = several
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> "InterruptFlag":
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._set) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal gave

    def _set(self, number: int, _frame: FrameType | None) -> None:
        if self.is_set and number == signal.SIGINT and not self._several:
            raise KeyboardInterrupt
        if not self.is_set:
            self.signal_number = number
        self.is_set = True
