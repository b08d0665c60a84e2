"""Cases: stacks on an attached model, for all rows of a batch or for each row, and what takes another's place."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import torch
from torch import Tensor

from adaptkit import Average, Fuse, Stack
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import BottleneckConfig, BottleneckMadxConfig, FusionConfig, InvertibleConfig, LoraConfig
from adaptkit.model import AdaptedModel, StackLike
from benchmarks.cuda import limits
from benchmarks.cuda.case import Case, against_cpu, against_itself
from benchmarks.cuda.forms import LORA
from benchmarks.cuda.place import TEXTS, Place
from tests.adapters import attach_random, random_adapter

_BOTTLENECK = AdapterConfig(method=BottleneckConfig(reduction_factor=8))
_ATTACHED = {
    "language/sw": LORA,
    "language/ha": AdapterConfig(
        method=LoraConfig(
            rank=3, alpha=2, scaling="rank_stabilized", sites=("attention.query", "ffn.output"), blocks=(1,)
        )
    ),
    "language/yo": _BOTTLENECK,
    "language/ig": AdapterConfig(method=LoraConfig(rank=2, alpha=1), invertible=InvertibleConfig()),
    "language/rw": AdapterConfig(
        method=BottleneckMadxConfig(width=8, sites=("attention.residual", "block.output")),
        invertible=InvertibleConfig(),
    ),
    "language/fused": AdapterConfig(method=FusionConfig(fuses=("language/sw", "language/ha"))),
    "domain/farm": AdapterConfig(method=BottleneckConfig(reduction_factor=4)),
    "domain/news": LORA,
    "task/topics": AdapterConfig(method=LoraConfig(rank=2, alpha=1), hides_top_block=True),
}
_STACKS: list[StackLike] = [
    None,
    "language/sw",
    "language/sw > domain/news > task/topics",
    "language/yo > domain/farm",
    "language/ig > domain/news",
    "language/rw > task/topics",
    Stack(Average({"language/sw": 0.3, "language/ha": 0.9}), "task/topics"),
    Stack(Average("language/sw", "language/yo"), "domain/farm"),
    Stack(Fuse("language/sw", "language/ha"), "domain/news"),
    "language/sw",
]


def with_adapters(place: Place, model_type: str = "bert", **options: Any) -> AdaptedModel:  # noqa: ANN401
    """A model with adapters of every method that this family has a place for."""
    model = place.model(model_type, **options)
    for seed, (name, config) in enumerate(_ATTACHED.items()):
        if _fits(model, name):
            attach_random(model, name, config, seed=seed)
    model.adapters.eval()
    return model


def _fits(model: AdaptedModel, name: str) -> bool:
    return not (model.backbone.architecture.causal and name == "language/rw")


def _stacks_on(model: AdaptedModel) -> list[StackLike]:
    return [stack if _fits(model, str(stack).partition(" ")[0]) else "language/yo" for stack in _STACKS]


def _encoded(place: Place, **options: Any) -> Mapping[str, Tensor]:  # noqa: ANN401
    model = with_adapters(place, **options)
    stacks = _stacks_on(model)
    found = {f"all rows: {stack}": model.encode(TEXTS, stack=stack) for stack in stacks}
    return {
        **found,
        "each row its own": model.encode(TEXTS, stacks=stacks, batch_size=len(TEXTS)),
        "each row its own, in small batches": model.encode(TEXTS, stacks=stacks, batch_size=3),
    }


def _gradients(place: Place) -> Mapping[str, Tensor]:
    """Of every adapter, from one batch in which each row has its stack."""
    model = with_adapters(place)
    model.adapters.requires_grad_(requires_grad=True)
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS))
    states = model(ids, mask, stacks=_STACKS) * mask[..., None]
    torch.autograd.backward((states * torch.linspace(-1, 1, states.shape[-1], device=states.device)).sum())
    grads = [weight.grad.flatten() for weight in model.adapters.parameters() if weight.grad is not None]
    return {"gradient": torch.cat(grads)}


def _swapped(place: Place) -> Mapping[str, Tensor]:
    model = with_adapters(place)
    before = model.encode(TEXTS, stack="language/sw > domain/news")
    model.detach("language/sw", "language/fused")
    model.attach(random_adapter(place.cpu.model(), LORA, name="sw", seed=40))
    attached = model.encode(TEXTS, stack="language/sw > domain/news")
    model.swap(random_adapter(place.cpu.model(), _BOTTLENECK, name="sw", seed=41))
    swapped = model.encode(TEXTS, stack="language/sw > domain/news")
    model.detach(*model.attached)
    return {"before": before, "another attached": attached, "swapped": swapped, "all detached": model.encode(TEXTS)}


def _in_threads(place: Place) -> Mapping[str, tuple[Tensor, Tensor]]:
    """Requests with other stacks at the same time, through a table that pages."""
    model = with_adapters(place, embeddings="paged", cache_bytes=20 * 32 * 4)
    alone = [model.encode(TEXTS, stack=stack) for stack in _STACKS]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda stack: model.encode(TEXTS, stack=stack), _STACKS * 3))
    return {"vectors": (torch.cat(found), torch.cat(alone * 3))}


def cases() -> Iterator[Case]:
    """All of these."""
    for model_type in ("bert", "deberta-v2", "qwen2"):
        for bits, dtype in ((32, torch.float32), (16, torch.bfloat16), (8, torch.float32), (4, torch.float32)):
            form: dict[str, Any] = {"model_type": model_type, "bits": bits, "dtype": dtype}
            limit = limits.of_form(bits, bf16=False)
            yield Case(
                f"stacks: {model_type}, {bits} bits",
                against_cpu(partial(_encoded, **form), limit),
            )
    yield Case("stacks: gradients of rows", against_cpu(_gradients, limits.GRADIENT["fp32"]))
    yield Case("stacks: attached, swapped, detached", against_cpu(_swapped, limits.FP32))
    yield Case("stacks: in four threads", against_itself(_in_threads, limits.FP32))
