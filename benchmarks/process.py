"""One measurement in a process of its own, perhaps in the environment of another library."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]
ENVIRONMENTS = _ROOT / ".venv-peers"
"""`make bench-peers` builds one environment there for each library that cannot live in ours."""


class Failed(Exception):
    """The process ended badly; the message is its last line."""


def measured(
    module: str, arguments: Sequence[str], *, environment: str | None = None, checkout: Path = _ROOT
) -> dict[str, Any]:
    """The JSON object that `python -m benchmarks.peers.MODULE` of a checkout prints last.

    Raises:
        Failed: It ended with an error.
    """
    python = sys.executable if environment is None else str(ENVIRONMENTS / environment / "bin/python")
    command = [python, "-m", f"benchmarks.peers.{module}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=checkout)
    if done.returncode:
        raise Failed(done.stderr.strip()[-2000:])
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


@dataclass(frozen=True)
class Contestant:
    """A library with its settings, on the same input as the others."""

    module: str
    arguments: tuple[str, ...] = ()
    environment: str | None = None
    checkout: Path = _ROOT

    @property
    def is_here(self) -> bool:
        """Whether its environment has been built."""
        return self.environment is None or (ENVIRONMENTS / self.environment).is_dir()


def contest(
    contestants: Mapping[str, Contestant], shared: Sequence[str], *, repeats: int, by: str
) -> dict[str, dict[str, Any]]:
    """Each contestant `repeats` times, all in turn, so that a slow moment meets them alike; its run of median `by`."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in contestants}
    for number in range(repeats):
        for name, contestant in contestants.items():
            run = measured(
                contestant.module,
                [*shared, *contestant.arguments],
                environment=contestant.environment,
                checkout=contestant.checkout,
            )
            runs[name].append(run)
            print(f"{number + 1}/{repeats}  {name:36s} {run[by]:10.2f} {by}", flush=True)
    return {
        name: {**sorted(each, key=lambda run: run[by])[(len(each) - 1) // 2], f"every {by}": [run[by] for run in each]}
        for name, each in runs.items()
    }


def over(results: Mapping[str, dict[str, Any]], base: str, *, rate: str) -> None:
    """Add to each result its speed and memory as multiples of one of them."""
    for result in results.values():
        result["speed_over_peer"] = round(result[rate] / results[base][rate], 2)
        result["memory_over_peer"] = round(result["peak_memory_bytes"] / results[base]["peak_memory_bytes"], 3)
