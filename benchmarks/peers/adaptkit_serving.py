"""adaptkit serving many adapters: one batch under one stack, and under a stack of its own for every row.

Run in a process of its own; prints one JSON line.
"""

import argparse
import json
import time
from contextlib import nullcontext
from functools import partial

import torch

import adaptkit
from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.backbones.precision import bfloat16_blocks
from adaptkit.config import Kind
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import Card
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel, StackLike
from adaptkit.model.making import made
from adaptkit.storage import Adapter
from benchmarks.peers.timing import ROWS, median_of, medians, random_batch

LEVELS: tuple[Kind, ...] = ("language", "domain", "task")


def random_adapter(model: AdaptedModel, kind: Kind, name: str, rank: int, seed: int) -> Adapter:
    """An adapter with random weights and the probes that belong to them."""
    config = AdapterConfig(method=LoraConfig(rank=rank))
    generator = torch.Generator().manual_seed(seed)
    tensors = {
        weight: 0.02 * torch.randn(tensor.shape, generator=generator)
        for weight, tensor in AdapterLayers(config, model.backbone.shape.sites()).named_tensors().items()
    }
    return made(model, kind=kind, name=name, language=None, config=config, tensors=tensors, card=Card())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--repeats", type=int, required=True)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--attached", type=int, default=1000)
    options = parser.parse_args()
    model = adaptkit.load_model(options.backbone)
    adapters = [random_adapter(model, kind, f"x{n}", options.rank, n) for kind in LEVELS for n in range(32)]
    adapters += [random_adapter(model, "language", f"x{n}", options.rank, n) for n in range(32, 64)]
    languages = [adapter for adapter in adapters if adapter.kind == "language"]

    found: dict[str, float] = {}
    started = time.perf_counter()
    model.attach(*languages)
    found["attach 64, each verified by its probes"] = time.perf_counter() - started
    model.detach(*(adapter.id for adapter in languages))
    started = time.perf_counter()
    model.attach(*languages)
    found["attach 64 that were verified before"] = time.perf_counter() - started
    model.attach(*(adapter for adapter in adapters if adapter.kind != "language"))

    deep: list[StackLike] = [adaptkit.Stack(*(f"{kind}/x{n}" for kind in LEVELS)) for n in range(32)]
    flat: list[StackLike] = [adapter.id for adapter in languages]
    stacks: dict[str, list[StackLike]] = {
        "bare": [None] * ROWS,
        "one adapter": [flat[0]] * ROWS,
        "one 3-level stack": [deep[0]] * ROWS,
        "32 adapters": [*flat[:32], *flat[:32]],
        "64 adapters": flat,
        "32 3-level stacks": [*deep, *deep],
    }
    with torch.inference_mode(), bfloat16_blocks(model.network) if options.bf16 else nullcontext():
        for tokens in (32, 8):
            ids, mask = random_batch(model.backbone.shape.vocabulary_size, tokens)
            calls = {name: partial(model, ids, mask, stacks=each) for name, each in stacks.items()}
            taken = medians(calls, options.repeats)
            found |= {f"{ROWS} x {tokens}: {name}": seconds for name, seconds in taken.items()}
    found |= activation(model, options.attached)
    print(json.dumps(found))


def activate(model: AdaptedModel, stack: StackLike) -> None:
    with model.active(stack):
        pass


def activation(model: AdaptedModel, most: int) -> dict[str, float]:
    """Seconds to put a stack in force and take it out again, with more and more attached."""
    found = {}
    config = AdapterConfig(method=LoraConfig(rank=1, sites=("attention.query",)))
    for count in (64, most):
        for number in range(len(model.attached), count):
            model.attach_layers(f"language/y{number}", config)
        stack = adaptkit.Stack("language/x1", "task/x1")
        found[f"activate with {len(model.attached)} attached"] = median_of(partial(activate, model, stack), 200)
    return found


if __name__ == "__main__":
    main()
