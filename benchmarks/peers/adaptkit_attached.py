"""Many small adapters attached: what a batch, an activation and an attachment take; prints one JSON line."""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from itertools import cycle, islice

import torch

import adaptkit
from adaptkit.config import AdapterConfig, LoraConfig

ROWS, TOKENS, REPEATS = 64, 16, 15
SMALL = AdapterConfig(method=LoraConfig(rank=4, sites=("attention.query", "attention.value")))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--adapters", type=int, required=True)
    n_adapters: int = parser.parse_args().adapters
    model = adaptkit.load_model()
    names = [f"language/x{number}" for number in range(n_adapters)]
    started = time.perf_counter()
    for name in names:
        layers = model.attach_layers(name, SMALL)
        for parameter in layers.parameters():
            torch.nn.init.normal_(parameter, std=0.02)
    attached_s = time.perf_counter() - started
    model.eval()
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(1000, 200_000, (ROWS, TOKENS), generator=generator)
    mask = torch.ones_like(ids)
    stacks = list(islice(cycle(names), ROWS))

    def activate() -> None:
        with model.active(names[-1]):
            pass

    with torch.inference_mode():
        found = {
            "bare_s": _median(lambda: model(ids, mask)),
            "batch_s": _median(lambda: model(ids, mask, stacks=stacks)),
            "activate_s": _median(activate),
            "attach_one_s": attached_s / n_adapters,
        }
    print(json.dumps(found))


def _median(call: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return statistics.median(times[2:])


if __name__ == "__main__":
    main()
