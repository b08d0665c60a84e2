"""What hooks cost a training step on the CPU: forward and backward by hooks, and on a bound network, in turn.

`OMP_NUM_THREADS=1 python -m benchmarks.run bound_training [--rounds 15]`: the embedded backbone under one LoRA, on
batches of short rows, in the type in which it trains here. Times are medians over rounds; `same` says whether states
and gradients are those of the hooks, bit for bit.
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from statistics import median

import torch
from torch import Tensor

import adaptkit
from adaptkit.backbones.hardware import fast_attention
from adaptkit.backbones.precision import bfloat16_blocks, uses_bfloat16
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from benchmarks.write_results import write_result

_NAME = "language/trained"
_SHAPES = ((8, 8), (8, 16), (8, 32), (32, 8), (32, 16), (32, 32))
"""Rows and tokens: batches of lines of news."""


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args(arguments)
    model = adaptkit.load_model(device="cpu")
    layers = model.attach_layers(_NAME, AdapterConfig(method=LoraConfig(rank=8)))
    weights = list(layers.parameters())
    found: dict[str, dict[str, float]] = {}
    in_bfloat16 = uses_bfloat16("auto", model.device)
    with fast_attention(model.network), bfloat16_blocks(model.network, on=in_bfloat16):
        bound = model.bound(_NAME)

        def hooked(ids: Tensor, mask: Tensor) -> Tensor:
            with model.active(_NAME):
                states: Tensor = model(ids, mask)
            return states

        for rows, length in _SHAPES:
            name = f"{rows} x {length} tokens"
            found[name] = _beside(hooked, bound, *_batch(rows, length), weights, options.rounds)
            print(f"{name:16s} {found[name]}", flush=True)
    config = {**vars(options), "threads": torch.get_num_threads(), "bfloat16": in_bfloat16}
    print(write_result("bound_training", seeds=[0], config={**config, "load": os.getloadavg()}, measured=found))


def _batch(rows: int, length: int) -> tuple[Tensor, Tensor]:
    ids = torch.randint(5, 1000, (rows, length), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[0, -2:] = 0
    return ids, mask


def _beside(
    hooked: Callable[[Tensor, Tensor], Tensor],
    bound: Callable[[Tensor, Tensor], Tensor],
    ids: Tensor,
    mask: Tensor,
    weights: Sequence[Tensor],
    rounds: int,
) -> dict[str, float]:
    def step(run: Callable[[Tensor, Tensor], Tensor]) -> list[Tensor]:
        states = run(ids, mask)
        loss = states.float().square().mean()
        return [
            states.detach(),
            *(each for each in torch.autograd.grad(loss, weights, allow_unused=True) if each is not None),
        ]

    same = all(map(torch.equal, step(hooked), step(bound)))
    taken: dict[str, list[float]] = {"hooks": [], "bound": []}
    for _ in range(rounds):
        for name, run in (("hooks", hooked), ("bound", bound)):
            started = time.perf_counter()
            step(run)
            taken[name].append(time.perf_counter() - started)
    found = {f"{name}_ms": round(1000 * median(each), 2) for name, each in taken.items()}
    return {**found, "bound_over_hooks": round(found["bound_ms"] / found["hooks_ms"], 3), "same": float(same)}
