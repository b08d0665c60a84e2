"""The results that are there, and which of them were accepted: those that are committed."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.write_results import RESULTS


@dataclass(frozen=True)
class Result:
    """One file in `results/`."""

    name: str
    content: Mapping[str, Any]

    @property
    def key(self) -> tuple[str, str]:
        """What a result is compared by: the case, and the settings that it was run with."""
        return self.content["case"], json.dumps(self.content["config"], sort_keys=True)

    def numbers(self) -> dict[str, float]:
        """Everything that was measured, by its path."""
        return dict(_numbers("", self.content["measured"]))


def _numbers(path: str, value: object) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _numbers(f"{path} / {name}" if path else str(name), inner)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, float(value)


def all_results() -> list[Result]:
    """Every result, the oldest first."""
    return [Result(path.name, json.loads(path.read_text(encoding="utf-8"))) for path in sorted(RESULTS.glob("*.json"))]


def accepted() -> list[Result]:
    """Those that git knows, the oldest first."""
    listed = subprocess.run(["git", "ls-files", "."], cwd=RESULTS, capture_output=True, text=True, check=True)  # noqa: S607
    names = {Path(line).name for line in listed.stdout.splitlines()}
    return [result for result in all_results() if result.name in names]
