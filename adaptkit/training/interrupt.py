"""Ctrl-C that waits for the end of the step."""

import signal
import threading
from types import FrameType, TracebackType


class InterruptFlag:
    """While open, the first Ctrl-C sets the flag and a second one interrupts at once.

    Python delivers signals to the main thread only; elsewhere nothing is changed.
    """

    def __init__(self) -> None:
        self.is_set = False

    def __enter__(self) -> "InterruptFlag":
        self._in_main_thread = threading.current_thread() is threading.main_thread()
        if self._in_main_thread:
            self._before = signal.signal(signal.SIGINT, self._set)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._in_main_thread:
            signal.signal(signal.SIGINT, self._before)

    def _set(self, _number: int, _frame: FrameType | None) -> None:
        if self.is_set:
            raise KeyboardInterrupt
        self.is_set = True
