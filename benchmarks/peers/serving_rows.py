"""Processor time of one thread for a batch without adapters, with one, and with another one on every row.

Run in a process of its own; prints one JSON line.
"""

import argparse
import json
import statistics
import time
from functools import partial

import torch

import adaptkit
from benchmarks.peers.adaptkit_serving import random_adapter
from benchmarks.peers.timing import random_batch

_ADAPTERS, _TOKENS = 32, 32


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--repeats", type=int, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = adaptkit.load_model()
    adapters = [random_adapter(model, "language", f"x{n}", options.rank, n) for n in range(_ADAPTERS)]
    model.attach(*adapters)
    named = [adapter.id for adapter in adapters]
    every_ids, every_mask = random_batch(model.backbone.shape.vocabulary_size, _TOKENS)
    calls = {}
    for rows in (_ADAPTERS, 2 * _ADAPTERS):
        stacks = {"bare": [None] * rows, "one adapter": [named[0]] * rows, "32 adapters": (named * 2)[:rows]}
        for name, each in stacks.items():
            call = partial(model, every_ids[:rows], every_mask[:rows], stacks=each)
            calls[f"{rows} x {_TOKENS}: {name}"] = call
    taken: dict[str, list[float]] = {name: [] for name in calls}
    with torch.inference_mode():
        for number in range(options.repeats + 1):
            for name, call in calls.items():
                started = time.process_time()
                call()
                if number:
                    taken[name].append(time.process_time() - started)
    print(json.dumps({name: statistics.median(each) for name, each in taken.items()}))


if __name__ == "__main__":
    main()
