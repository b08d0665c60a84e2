"""A process that a plan has started, from the point of view of the plan."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from adaptkit.named_modules import imported_names

Told = Callable[[Mapping[str, Any]], None]
_LAST_BYTES = 4096
_ENDED_S = 5.0


class Child:
    """A process of its own for a job; what it says is handed to `told` by a thread, and `{"ended": status}` at last.

    It is in a session of its own: Ctrl-C reaches the plan alone, which says when it stops. Where the plan is killed,
    the child stops by itself, since its standard input ends.
    """

    def __init__(
        self,
        job: Mapping[str, Any],
        told: Told,
        *,
        environment: Mapping[str, str],
        log: Path,
        modules: tuple[str, ...] = (),
    ) -> None:
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "adaptkit.plans.work"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **environment},
                start_new_session=True,
                text=True,
                encoding="utf-8",
            )
        self._listener = threading.Thread(target=self._listen, args=[told], daemon=True)
        self._listener.start()
        assert self._process.stdin is not None  # noqa: S101 - a pipe
        with suppress(BrokenPipeError):  # it is said how it ended
            self._process.stdin.write(json.dumps({**job, "modules": [*imported_names(), *modules]}) + "\n")
            self._process.stdin.flush()

    def stop(self) -> None:
        """Let it end as at a scheduler's signal: after its step, with a checkpoint."""
        self._process.terminate()

    def kill(self) -> None:
        """End it at once, and wait until it has ended: what it has used of the cores is known then."""
        self._process.kill()
        self._listener.join(_ENDED_S)

    def last_line(self) -> str:
        """What it wrote last to its log, such as the end of a traceback."""
        with suppress(OSError), self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - _LAST_BYTES))
            lines = file.read().decode("utf-8", errors="replace").split("\n")
            return next((line.strip() for line in reversed(lines) if line.strip()), "")
        return ""

    def _listen(self, told: Told) -> None:
        assert self._process.stdout is not None  # noqa: S101 - a pipe
        with self._process.stdout as answers:
            for line in answers:
                with suppress(ValueError):
                    told(json.loads(line))
        status = self._process.wait()
        with suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        told({"ended": status})


def how_it_ended(status: int) -> str:
    """An exit status in words, where nothing else was said."""
    if status >= 0:
        return f"its process ended with status {status}"
    name = signal.Signals(-status).name
    memory = "; the system ends a process so when the memory is full" if -status == signal.SIGKILL else ""
    return f"its process was ended by {name}{memory}"
