"""The processes of a run: they import at once and measure in turn, and one that dies or hangs costs its row only."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from queue import Empty, Queue
from threading import Thread
from types import TracebackType
from typing import Any, Self

from benchmarks.gpu_speed.rows import Row

_READY_S = 120.0


class SideProcess:
    """A worker that is begun at once, and begun again behind a row that ended it."""

    def __init__(self, command: Sequence[str], *, row_s: float) -> None:
        self._command, self._row_s = command, row_s
        self._begin()

    @classmethod
    def of(cls, side: str, arguments: Sequence[str], *, row_s: float) -> Self:
        """The worker of a side."""
        return cls([sys.executable, "-m", "benchmarks.gpu_speed.worker", side, *arguments], row_s=row_s)

    def _begin(self) -> None:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answers: Queue[dict[str, Any] | None] = Queue()
        self._is_ready = False
        self._n_begun = 0
        self._reader = Thread(target=_read, args=(self._process, self._answers), daemon=True)
        self._reader.start()

    def begin(self, row: Row) -> dict[str, Any]:
        """Let a row run, and do not wait for it."""
        self._ask(row)
        self._n_begun += 1
        return {"begun": True}

    def measured(self, row: Row, *, until: float) -> dict[str, Any]:
        """Figures of a row, or an error; what was begun is waited for first."""
        if self._process.poll() is not None:
            self.close()
            self._begin()
        if not self._is_ready:
            ready = self._answer(min(_READY_S, until - time.time()))
            if ready is None or "error" in ready:
                return ready or self._ended("it never came to a row")
            self._is_ready = True
        for _ in range(self._n_begun):
            begun = self._answer(until - time.time())
            if begun is None or "error" in begun:
                return begun or self._ended("what was begun did not end")
        self._n_begun = 0
        self._ask(row)
        seconds = max(1.0, min(self._row_s, until - time.time()))
        return self._answer(seconds) or self._ended(f"nothing within {seconds:.0f} s, or the process died")

    def _ask(self, row: Row) -> None:
        assert self._process.stdin is not None
        # One that has just died gives no answer either.
        with suppress(BrokenPipeError):
            asked = {"what": row.what, "options": dict(row.options)}
            print(json.dumps(asked), file=self._process.stdin, flush=True)

    def _answer(self, seconds: float) -> dict[str, Any] | None:
        try:
            return self._answers.get(timeout=max(0.1, seconds))
        except Empty:
            return None

    def _ended(self, why: str) -> dict[str, Any]:
        self.close()
        return {"error": f"{why} (exit status {self._process.returncode})"}

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _read(process: "subprocess.Popen[str]", answers: "Queue[dict[str, Any] | None]") -> None:
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            answers.put(json.loads(line))
    answers.put(None)
