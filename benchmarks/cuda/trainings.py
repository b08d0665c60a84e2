"""Cases: every method trained by every objective, with and without gradient checkpointing, at every precision."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.optim import LBFGS, Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from adaptkit.data.tasks import TaskData
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter
from adaptkit.task_types import HeadConfig
from benchmarks.cuda import limits
from benchmarks.cuda.case import Case, against_cpu
from benchmarks.cuda.place import PAIRS, SWAHILI, TEXTS, UNTIED, Place
from tests.adapters import random_adapter
from tests.calls import train_adapter
from tests.unit.heads import examples

_USUAL: dict[str, Any] = {"lang": "sw", "max_steps": 5, "batch_size": 16, "learning_rate": 1e-3, "progress": False}
_BELOW = AdapterConfig(method=LoraConfig(rank=2, alpha=2))
TEXT: dict[str, dict[str, Any]] = {
    "lora": {"rank": 4},
    "lora with dropout": {"rank": 4, "dropout": 0.2},
    "lora + invertible": {"rank": 4, "invertible": True},
    "bottleneck": {"method": "bottleneck", "reduction_factor": 4},
    "bottleneck + invertible": {
        "method": "bottleneck",
        "reduction_factor": 4,
        "invertible": True,
        "sites": ("attention.residual", "block.output"),
    },
    "fusion": {"method": "fusion"},
}
"""Methods that train on text, as flat options."""
TASKS: dict[str, TaskData] = {
    "classification": examples.topics(40),
    "pairs": examples.pairs(40),
    "tagging": examples.tags(40),
    "qa": examples.questions(40),
    "choice": examples.choices(40),
    "similarity": examples.similar(40),
}
MASKED: dict[str, Any] = {"text": SWAHILI, "head_warmup": 1}
OBJECTIVES: dict[str, dict[str, Any]] = {
    "mlm of whole words, full vocabulary, without anchors": {
        "text": SWAHILI,
        "head_warmup": 0,
        "whole_words": True,
        "full_vocabulary": True,
        "anchor": 0.0,
    },
    "distilling single sentences": {"parallel": PAIRS, "pair_share": 0.0, "token_anchor": 0.0, "inner_weight": 0.0},
}
_PRECISIONS = ((32, "fp32"), (32, "bf16"), (16, "bf16"), (8, "fp32"), (8, "bf16"), (4, "fp32"), (4, "bf16"))


def trained(
    place: Place,
    *,
    load: Mapping[str, Any],
    precision: str,
    checkpointing: bool,
    **asked: Any,  # noqa: ANN401
) -> Mapping[str, Tensor]:
    """A short training: its first gradient, its losses, and the way that the weights went."""
    model = place.model(**load)
    if asked.get("method") == "fusion":
        asked["on"] = [
            random_adapter(place.cpu.model(**load), _BELOW, name=name, seed=n) for n, name in enumerate("ab")
        ]
    with watched() as steps:
        adapter = train_adapter(
            **{**_USUAL, **asked},
            backbone=model,
            precision=precision,
            gradient_checkpointing=checkpointing,
            seed=3,
        )
    facts = adapter.card.training
    assert facts is not None
    _use(model, adapter, asked.get("on", ()))
    found = {
        "first gradient": steps.first_gradient,
        "loss before": torch.tensor(facts.heldout_loss_before),
        "loss after": torch.tensor(facts.heldout_loss_after),
    }
    return {**found, "steps": steps.after - steps.before} if precision == "fp32" else found


@dataclass
class Steps:
    """What an optimizer did. Shape: (n_weights), all trained weights one behind the other, on the CPU."""

    first_gradient: Tensor = field(default_factory=lambda: torch.empty(0))
    before: Tensor = field(default_factory=lambda: torch.empty(0))
    after: Tensor = field(default_factory=lambda: torch.empty(0))


@contextmanager
def watched() -> Iterator[Steps]:
    """The steps of a training while the context is open; the search for the regression of a head is none."""
    steps = Steps()

    def begin(optimizer: Optimizer, _args: object, _kwargs: object) -> None:
        if not isinstance(optimizer, LBFGS) and not len(steps.before):
            steps.before = _flat(_weights(optimizer))
            steps.first_gradient = _flat([w.grad for w in _weights(optimizer) if w.grad is not None])

    def end(optimizer: Optimizer, _args: object, _kwargs: object) -> None:
        if not isinstance(optimizer, LBFGS):
            steps.after = _flat(_weights(optimizer))

    handles = [register_optimizer_step_pre_hook(begin), register_optimizer_step_post_hook(end)]
    try:
        yield steps
    finally:
        for handle in handles:
            handle.remove()


def _weights(optimizer: Optimizer) -> list[Tensor]:
    return [weight for group in optimizer.param_groups for weight in group["params"]]


def _flat(tensors: Sequence[Tensor]) -> Tensor:
    return torch.cat([tensor.detach().flatten().float().cpu() for tensor in tensors])


def _use(model: AdaptedModel, adapter: Adapter, below: Sequence[Adapter]) -> None:
    """Attach what was trained, which replays its probes, and let it act."""
    model.attach(*below, adapter)
    model.encode(TEXTS, stack=adapter)


def head_outputs(model: AdaptedModel, stack: str, config: HeadConfig) -> Tensor:
    """What a head gives for texts, at real tokens where it gives something for each. Shape: (n, n_outputs)."""
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS))
    with torch.inference_mode():
        outputs: Tensor = model.head_of(stack)[0](model(ids, mask, stacks=[stack] * len(ids)), mask)
    return outputs[mask.bool()] if config.task_type in ("tagging", "qa") else outputs


def cases() -> Iterator[Case]:
    """All of these."""
    yield from _of_methods()
    yield from _of_objectives()
    yield from _of_embeddings()
    yield from _of_families()
    yield from _of_tasks()


def _of_methods() -> Iterator[Case]:
    for method, options in TEXT.items():
        # Dropout inside blocks is drawn again when they are computed again: looked at in states.py.
        for checkpointing in (False, True) if "dropout" not in options else (False,):
            asked = {**options, "parallel": PAIRS}
            for bits, precision in _PRECISIONS:
                yield _case(f"{method} by distillation", asked, bits, precision, checkpointing)
            asked = {**options, **MASKED}
            for bits, precision in ((32, "fp32"), (32, "bf16"), (4, "bf16")):
                yield _case(f"{method} by mlm", asked, bits, precision, checkpointing)


def _of_objectives() -> Iterator[Case]:
    for objective, options in OBJECTIVES.items():
        for precision in ("fp32", "bf16"):
            yield _case(f"lora by {objective}", {"rank": 4, **options}, 32, precision)


def _of_embeddings() -> Iterator[Case]:
    for embeddings in ("paged", "int8", "nf4"):
        for trimmed in (False, True):
            name = f"lora by mlm, {embeddings} embeddings{', trimmed' if trimmed else ''}"
            yield _case(name, {"rank": 4, **MASKED}, 32, "fp32", True, embeddings=embeddings, trimmed=trimmed)


def _of_families() -> Iterator[Case]:
    for model_type in ("llama", "qwen3", UNTIED):
        for bits, precision in _PRECISIONS:
            for method in ("lora", "bottleneck"):
                asked, load = {**TEXT[method], "text": SWAHILI}, {"model_type": model_type}
                yield _case(f"{method} by clm on {model_type}", asked, bits, precision, bits < 32, **load)
    for model_type in ("xlm-roberta", "distilbert", "deberta-v2"):
        for precision in ("fp32", "bf16"):
            asked = {"rank": 4, **MASKED}
            yield _case(f"lora by mlm on {model_type}", asked, 32, precision, True, model_type=model_type)


def _of_tasks() -> Iterator[Case]:
    for task, data in TASKS.items():
        for method in ("lora", "bottleneck", "head"):
            # A comparison of vectors has no weights of its own to train.
            if (task, method) != ("similarity", "head"):
                asked = {"task": "trial", "data": data, "method": method, "lang": None}
                for bits, precision in ((32, "fp32"), (32, "bf16"), (4, "bf16")):
                    yield _case(f"{method} for {task}", asked, bits, precision, bits == 4)


def _case(
    name: str,
    asked: dict[str, Any],
    bits: int,
    precision: str,
    checkpointing: bool = False,
    **load: Any,  # noqa: ANN401 - those of `load_model`
) -> Case:
    load = {"bits": bits, "dtype": torch.bfloat16 if bits == 16 else torch.float32, **load}
    whole = f"train: {name}, {bits} bits, {precision}{', gradient checkpointing' if checkpointing else ''}"

    def values(place: Place) -> Mapping[str, Tensor]:
        return trained(place, load=load, precision=precision, checkpointing=checkpointing, **asked)

    return Case(whole, against_cpu(values, limits.of_training(bits, precision, with_head="task" in asked)))
