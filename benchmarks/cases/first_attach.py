"""Sixty-four LoRAs attached for the first time, by this checkout and by another one, in turn on the same folders.

`git worktree add ../before COMMIT`, then `python -m benchmarks.run first_attach ../before [--adapters 64]`.
Seconds of one thread's processor time, the best of all, which other work on the machine disturbs least.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import adaptkit
from adaptkit.backbones import embedded
from benchmarks.peers.adaptkit_serving import random_adapter
from benchmarks.write_results import write_result

_HERE = Path(__file__).parents[2]
_PEER = _HERE / "benchmarks" / "peers" / "first_attach.py"
RANK = 8


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("other", type=Path, help="another checkout")
    parser.add_argument("--adapters", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(arguments)
    checkouts = {"other": options.other.resolve(), "this": _HERE}
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in checkouts}
    with tempfile.TemporaryDirectory() as zoo:
        model = adaptkit.load_model()
        for number in range(options.adapters):
            random_adapter(model, "language", f"x{number}", RANK, number).save(Path(zoo) / f"x{number}")
        for _ in range(options.repeats):
            for name, checkout in checkouts.items():
                runs[name].append(_attached(checkout, zoo))
                print(name, runs[name][-1], flush=True)
    measured = {
        name: {what: round(min(run[what] for run in each), 3) for what in each[0]} for name, each in runs.items()
    }
    ratios = [this["first_s"] / other["first_s"] for this, other in zip(runs["this"], runs["other"], strict=True)]
    config = {
        "adapters": options.adapters,
        "rank": RANK,
        "repeats": options.repeats,
        "other": _commit_of(checkouts["other"]),
    }
    print(
        write_result("first_attach", seeds=[0], config=config, measured={**measured, "ratio": round(median(ratios), 3)})
    )


def _attached(checkout: Path, zoo: str) -> dict[str, float]:
    command = [sys.executable, str(_PEER), str(embedded.materialise()), zoo]
    there = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=checkout, env=there, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _commit_of(checkout: Path) -> str:
    found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=checkout, capture_output=True, text=True, check=True)  # noqa: S607
    return found.stdout.strip()
