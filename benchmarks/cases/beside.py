"""This checkout against another one of adaptkit, all in turn on the same input: what has a change made slower?

`git worktree add ../before COMMIT`, then `python -m benchmarks.run beside ../before [--repeats 3] [--steps 40]`.
Start-up is wall-clock time of a whole process, the best of all; training and serving are medians.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from adaptkit.backbones import embedded
from benchmarks import swahili_news
from benchmarks.process import Contestant, contest, measured
from benchmarks.training import shared_arguments
from benchmarks.write_results import write_result

_HERE = Path(__file__).parents[2]
_SETTINGS = {"batch-size": 16, "max-length": 128, "rank": 8, "seed": 0}
_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "import adaptkit": ("-c", "import adaptkit"),
    "--version": ("-m", "adaptkit", "--version"),
    "--help": ("-m", "adaptkit", "--help"),
    "train --help": ("-m", "adaptkit", "train", "--help"),
    "list adapters_zoo": ("-m", "adaptkit", "list", "adapters_zoo"),
}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("other", type=Path, help="another checkout")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--sentences", type=int, default=1500)
    options = parser.parse_args(arguments)
    checkouts = {"other": options.other.resolve(), "this": _HERE}
    results: dict[str, Any] = {
        "start-up, s": {name: _start_up(checkout, options.repeats) for name, checkout in checkouts.items()},
        "training": _training(checkouts, options),
        "serving, s": _serving(checkouts, options.repeats),
    }
    config = {**vars(options), "other": commit_of(checkouts["other"])}
    print(write_result("beside", seeds=[_SETTINGS["seed"]], config=config, measured=results))


def _start_up(checkout: Path, repeats: int) -> dict[str, float]:
    return {name: min(_seconds(command, checkout) for _ in range(repeats)) for name, command in _COMMANDS.items()}


def _seconds(command: tuple[str, ...], checkout: Path) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *command], cwd=checkout, check=True, stdout=subprocess.DEVNULL)
    return round(time.perf_counter() - started, 3)


def _training(checkouts: Mapping[str, Path], options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    contestants = {name: Contestant("adaptkit_training", checkout=checkout) for name, checkout in checkouts.items()}
    data = {"text": swahili_news.lines()[: options.sentences]}
    with shared_arguments(data, {**_SETTINGS, "steps": options.steps}) as shared:
        return contest(contestants, shared, repeats=options.repeats, by="elapsed_s")


def _serving(checkouts: Mapping[str, Path], repeats: int) -> dict[str, dict[str, float]]:
    told = [f"--backbone={embedded.materialise()}", "--rank=8", "--repeats=5", "--attached=200", "--bf16"]
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in checkouts}
    for _ in range(repeats):
        for name, checkout in checkouts.items():
            runs[name].append(measured("adaptkit_serving", told, checkout=checkout))
    return {name: {what: median(run[what] for run in found) for what in found[0]} for name, found in runs.items()}


def commit_of(checkout: Path) -> str:
    """The commit of a checkout."""
    found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=checkout, capture_output=True, text=True, check=True)  # noqa: S607
    return found.stdout.strip()


if __name__ == "__main__":
    main(sys.argv[1:])
