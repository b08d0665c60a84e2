"""Starts workers until all cases are done: a crash, a device that is lost or a case that hangs costs that case only."""

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cuda.options import DEAD, LATE
from benchmarks.cuda.results import Results

_MOST_STARTS = 12
_POLL_S = 0.2


def supervise(worker: Sequence[str], output: Path, *, until: float, silent_s: float = 90.0) -> bool:
    """Run a worker, and another one where it ended early, each going on behind the last case of the one before.

    A worker that writes nothing for `silent_s` seconds is ended. Gives whether all cases were run.
    """
    for _ in range(_MOST_STARTS):
        code = _run(worker, output, until=until + min(silent_s, 30.0), silent_s=silent_s)
        if code in (0, LATE):
            return code == 0
        if output.exists():
            results = Results(output, {})
            if results.running is not None:
                results.broken(results.running, _reason(code, silent_s))
        elif code != DEAD:
            return False  # It never came to a case: another would not either.
        if time.time() > until:
            return False
    return False


def _run(worker: Sequence[str], output: Path, *, until: float, silent_s: float) -> int | None:
    """How a worker ended; None: it was ended."""
    process = subprocess.Popen(worker)
    started = time.time()
    while process.poll() is None:
        written = output.stat().st_mtime if output.exists() else started
        if time.time() > until or time.time() - max(written, started) > silent_s:
            process.kill()
            process.wait()
            return None
        time.sleep(_POLL_S)
    return process.returncode


def _reason(code: int | None, silent_s: float) -> str:
    if code is None:
        return f"no result within {silent_s:g} s, or the time was over: the process was ended"
    return f"the process died (exit status {code})"
