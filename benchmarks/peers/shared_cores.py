"""Rounds of a short training and of encoding, one for each line of standard input; the environment is the setting."""

import json
import resource
import sys
import time
from collections.abc import Callable

import torch

import adaptkit

TEXTS = 40
STEPS = 3


def main() -> None:
    torch.set_num_threads(int(sys.argv[1]))
    model = adaptkit.load_model()
    pairs = adaptkit.sample_pairs("sw")
    texts = [text for _, text in pairs][:TEXTS]
    run = adaptkit.Run(max_steps=STEPS, batch_size=8, evaluate_every=1000, progress=False)

    def train() -> None:
        adaptkit.train_adapter(lang="sw", parallel=pairs[:TEXTS], backbone=model, run=run)

    def encode() -> None:
        model.encode(texts)

    encode()
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps({"train": _taken(train), "encode": _taken(encode)}), flush=True)


def _taken(act: Callable[[], None]) -> dict[str, float]:
    """Seconds by the clock, and of the processor."""
    started, used = time.perf_counter(), _processor_s()
    act()
    return {"elapsed_s": time.perf_counter() - started, "processor_s": _processor_s() - used}


def _processor_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
