"""The training loop of a documentation page, for libraries that leave it to their users. Imports nothing of ours."""

import argparse
import importlib
import json
import random
import resource
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.peers.training_options import training_parser

LINEAR_LAYERS = [
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
]


def options_of(description: str | None) -> argparse.Namespace:
    parser = training_parser(description)
    parser.add_argument("--library", choices=["peft", "adapters"], required=True)
    parser.add_argument("--method", default="lora")
    parser.add_argument("--group-by-length", action="store_true")
    parser.add_argument("--bf16", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    random.seed(options.seed)
    return options


def with_adapter(model: Any, options: argparse.Namespace, *, trained_head: str, **peft_options: Any) -> Any:  # noqa: ANN401
    """The model with a fresh adapter and a head that trains with it."""
    if options.library == "peft":
        from peft import LoraConfig, get_peft_model

        config = LoraConfig(
            r=options.rank,
            lora_alpha=options.rank,
            target_modules=LINEAR_LAYERS,
            modules_to_save=[trained_head],
            **peft_options,
        )
        return get_peft_model(model, config)
    # In an environment of its own, which ours knows nothing of.
    adapters: Any = importlib.import_module("adapters")
    adapters.init(model)
    every = {"intermediate_lora": True, "output_lora": True, "attn_matrices": ["q", "k", "v"]}
    config = (
        adapters.LoRAConfig(r=options.rank, alpha=options.rank, **every) if options.method == "lora" else options.method
    )
    model.add_adapter("it", config=config)
    model.train_adapter("it")
    for name, weight in model.named_parameters():
        if f"{trained_head}." in name:
            weight.requires_grad_(True)
    return model


def batches_of(lengths: Sequence[int], options: argparse.Namespace) -> list[list[int]]:
    """Row numbers of each batch; grouped by length over the whole set, as a trainer's option does."""
    order = list(range(len(lengths)))
    random.shuffle(order)
    if options.group_by_length:
        order.sort(key=lambda row: lengths[row])
    size = options.batch_size
    batches = [order[start : start + size] for start in range(0, len(order) - size + 1, size)]
    random.shuffle(batches)
    return batches[: options.steps]


def train(
    model: nn.Module,
    batches: Sequence[list[int]],
    loss_of: Callable[[list[int]], Tensor],
    options: argparse.Namespace,
    *,
    learning_rate: float = 1e-3,
) -> dict[str, Any]:
    """Run the loop; gives its seconds, the peak memory of the process, and the type of its products."""
    model.train()
    optimizer = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], lr=learning_rate)
    started = time.perf_counter()
    for batch in batches:
        with torch.autocast("cpu", torch.bfloat16, enabled=options.bf16):
            loss = loss_of(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
    elapsed_s = time.perf_counter() - started
    return {
        "elapsed_s": elapsed_s,
        "peak_memory_bytes": peak_memory_bytes(),
        "steps": len(batches),
        "computed_in": "bfloat16" if options.bf16 else "float32",
    }


def peak_memory_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def report(measured: dict[str, Any]) -> None:
    print(json.dumps(measured))
