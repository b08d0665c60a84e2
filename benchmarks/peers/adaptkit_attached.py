"""Many small adapters attached: what a batch, an activation and an attachment take; prints one JSON line."""

import argparse
import json
import time
from functools import partial
from itertools import cycle, islice

import torch

import adaptkit
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from benchmarks.peers.adaptkit_serving import activate
from benchmarks.peers.timing import ROWS, median_of, random_batch

TOKENS, REPEATS = 16, 13
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
    ids, mask = random_batch(model.backbone.shape.vocabulary_size, TOKENS)
    stacks = list(islice(cycle(names), ROWS))

    with torch.inference_mode():
        found = {
            "bare_s": median_of(lambda: model(ids, mask), REPEATS),
            "batch_s": median_of(lambda: model(ids, mask, stacks=stacks), REPEATS),
            "activate_s": median_of(partial(activate, model, names[-1]), REPEATS),
            "attach_one_s": attached_s / n_adapters,
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
