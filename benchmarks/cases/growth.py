"""How adaptkit's cost grows: training over sequence length, vocabulary and rank, serving over the adapters attached.

`python -m benchmarks.run growth [--only length;vocabulary;rank;attached] [--steps 12]`. Each point in a process of its
own; LoRA at all linear layers, masked language modelling on Swahili news, batches of 16.
"""

import argparse
import json
from collections.abc import Callable
from typing import Any

from benchmarks.process import measured
from benchmarks.swahili_news import lines
from benchmarks.training import shared_arguments
from benchmarks.write_results import write_result

LENGTHS = (32, 64, 128, 256, 512)
LINES = (250, 1000, 4000, 7500)
RANKS = (4, 16, 64, 256)
ATTACHED = (1, 16, 64, 256, 1024, 4096)

Points = dict[str, dict[str, Any]]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default=";".join(CURVES))
    parser.add_argument("--steps", type=int, default=12)
    options = parser.parse_args(arguments)
    curves = {name: CURVES[name](options.steps) for name in options.only.split(";")}
    print(write_result("growth", seeds=[0], config=vars(options), measured=curves))


def _over_length(steps: int) -> Points:
    long = lines()
    joined = [" ".join(long[start : start + 24]) for start in range(0, len(long), 24)]
    return {str(length): _trained(joined, steps, length=length) for length in LENGTHS}


def _over_vocabulary(steps: int) -> Points:
    points = {str(n): _trained(lines()[:n], steps) for n in LINES}
    points["full"] = _trained(lines()[: LINES[-1]], steps, full_vocabulary=True)
    return points


def _over_rank(steps: int) -> Points:
    return {str(rank): _trained(lines()[:1000], steps, rank=rank) for rank in RANKS}


def _over_attached(_steps: int) -> Points:
    return {str(n): _told("attached", n, measured("adaptkit_attached", [f"--adapters={n}"])) for n in ATTACHED}


def _trained(text: list[str], steps: int, *, length: int = 64, rank: int = 8, **options: Any) -> dict[str, Any]:  # noqa: ANN401
    settings = {"batch-size": 16, "max-length": length, "rank": rank, "seed": 0, "steps": steps}
    with shared_arguments({"text": text}, settings) as shared:
        found = measured("adaptkit_training", [*shared, f"--options={json.dumps({'anchor': 0, **options})}"])
    found["tokens_per_s"] = round(found["tokens"] / found["elapsed_s"], 1)
    return _told("trained", (length, len(text), rank), found)


def _told(what: str, point: object, found: dict[str, Any]) -> dict[str, Any]:
    print(what, point, found, flush=True)
    return found


CURVES: dict[str, Callable[[int], Points]] = {
    "length": _over_length,
    "vocabulary": _over_vocabulary,
    "rank": _over_rank,
    "attached": _over_attached,
}
