"""The result file, written anew after every case, so that a run that is cut off loses nothing."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.cuda.case import Check, Outcome
from benchmarks.write_results import described

CASE = "cuda"


class Results:
    """What is known of each case, in a file. `config` says what was asked for; what was there is continued."""

    def __init__(self, path: Path, config: Mapping[str, Any]) -> None:
        self._path = path
        self._content: dict[str, Any]
        if path.exists():
            self._content = json.loads(path.read_text(encoding="utf-8"))
        else:
            measured: dict[str, Any] = {"passed": 0, "failed": 0, "running": None, "not_run": [], "cases": {}}
            self._content = described(CASE, seeds=[], config=config, measured=measured)

    @classmethod
    def merged(cls, path: Path, parts: Sequence[Path]) -> "Results":
        """One file of those of several workers, which are removed; of one worker, it is the file itself."""
        if list(parts) == [path]:
            return cls(path, {})
        parts[0].replace(path)
        whole = cls(path, {})
        for part in parts[1:]:
            other = cls(part, {})
            whole.cases.update(other.cases)
            whole._measured["not_run"] += other._measured["not_run"]
            part.unlink()
        whole._counted()
        whole._write()
        return whole

    @property
    def cases(self) -> dict[str, dict[str, Any]]:
        """The cases that are done, by name."""
        found: dict[str, dict[str, Any]] = self._measured["cases"]
        return found

    @property
    def running(self) -> str | None:
        """The case that was begun last and has no result yet."""
        name: str | None = self._measured["running"]
        return name

    @property
    def failed(self) -> list[str]:
        """The cases that were not as they should be."""
        return [name for name, case in self.cases.items() if not case["passed"]]

    def begin(self, name: str) -> None:
        """Note that a case is running: if the process dies, it is known in which."""
        self._measured["running"] = name
        self._write()

    def done(self, name: str, outcome: Outcome, seconds: float, device_bytes: int | None) -> None:
        """Note what came out."""
        checks = {check.name: _written(check) for check in outcome.checks}
        passed = bool(checks) and all(check.passed for check in outcome.checks)
        facts = {"figures": dict(outcome.figures)} if outcome.figures else {}
        peak = {} if device_bytes is None else {"device_peak_bytes": device_bytes}
        self._note(name, {"passed": passed, "seconds": round(seconds, 3), **peak, "errors": checks, **facts})

    def left(self, names: Sequence[str]) -> None:
        """Note that there was no time for these."""
        self._measured["not_run"] = list(names)
        self._write()

    def broken(self, name: str, why: str) -> None:
        """Note that a case ended in an error."""
        self._note(name, {"passed": False, "error": why})

    def _note(self, name: str, case: dict[str, Any]) -> None:
        self.cases[name] = case
        self._measured["running"] = None
        self._counted()
        self._write()

    def _counted(self) -> None:
        measured = self._measured
        measured["failed"] = len(self.failed)
        measured["passed"] = len(self.cases) - measured["failed"]

    @property
    def _measured(self) -> dict[str, Any]:
        found: dict[str, Any] = self._content["measured"]
        return found

    def _write(self) -> None:
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps(self._content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        partial.replace(self._path)


def _written(check: Check) -> dict[str, float | str]:
    """JSON has no number for NaN and infinity."""
    error = float(f"{check.error:.3g}")
    return {"error": error if math.isfinite(error) else str(error), "limit": check.limit}
