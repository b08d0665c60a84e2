"""How long calls take, and the batches that they are timed on. Imports nothing of ours."""

import statistics
import time
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

ROWS = 64


def medians(calls: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median seconds of each, all of them in turn in every round, so that a slow moment meets them alike."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(repeats + 1):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            if number:
                times[name].append(time.perf_counter() - started)
    return {name: statistics.median(each) for name, each in times.items()}


def median_of(call: Callable[[], object], repeats: int) -> float:
    """Median seconds of one call."""
    return medians({"it": call}, repeats)["it"]


def random_batch(vocabulary_size: int, tokens: int) -> tuple[Tensor, Tensor]:
    """Token ids and a mask of ones. Shape: (ROWS, tokens) each."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(1000, vocabulary_size - 1000, (ROWS, tokens), generator=generator)
    return ids, torch.ones_like(ids)
