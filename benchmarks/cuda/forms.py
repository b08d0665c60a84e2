"""Cases: a backbone in every form that it can be held in, and of every family, loaded and encoding."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import BottleneckConfig, InvertibleConfig, LoraConfig
from benchmarks.cuda import limits
from benchmarks.cuda.case import Case, against_cpu, against_itself
from benchmarks.cuda.place import TEXTS, UNTIED, Place
from tests.adapters import attach_random
from tests.tiny import ARCHITECTURES

LORA = AdapterConfig(method=LoraConfig(rank=4, alpha=2))
_WITH_TABLE = AdapterConfig(method=BottleneckConfig(reduction_factor=4), invertible=InvertibleConfig())
_EMBEDDINGS = ("resident", "paged", "int8", "nf4")
_FORMS = [(bits, embeddings, trimmed) for bits in (32, 16, 8, 4) for embeddings in _EMBEDDINGS for trimmed in (0, 1)]


def encoded(place: Place, **options: Any) -> Mapping[str, Tensor]:  # noqa: ANN401 - those of `load_model`
    """Vectors of texts, bare and under adapters."""
    model = place.model(**options)
    decoder = model.backbone.architecture.causal
    attach_random(model, "language/sw", LORA)
    attach_random(model, "language/ha", LORA if decoder else _WITH_TABLE, seed=2)
    model.adapters.eval()
    return {
        "bare": model.encode(TEXTS, batch_size=4),
        "under a LoRA": model.encode(TEXTS, stack="sw", batch_size=4),
        "under another": model.encode(TEXTS, stack="ha", batch_size=4),
    }


def moved(place: Place, **options: Any) -> Mapping[str, tuple[Tensor, Tensor]]:  # noqa: ANN401
    """A backbone that is loaded on the CPU, goes to the device and comes back, against itself."""
    model = place.cpu.model(**options)
    attach_random(model, "language/sw", LORA)
    before = {stack: model.encode(TEXTS, stack=stack) for stack in (None, "language/sw")}
    found: dict[str, tuple[Tensor, Tensor]] = {}
    for where in (place.device, torch.device("cpu")):
        model.to(where)
        for stack, vectors in before.items():
            found[f"{stack or 'bare'}, on the {'device' if where == place.device else 'CPU again'}"] = (
                model.encode(TEXTS, stack=stack),
                vectors,
            )
    return found


def cases() -> Iterator[Case]:
    """All of these."""
    for model_type in (*ARCHITECTURES, UNTIED):
        for bits in (32, 16, 8, 4):
            form: dict[str, Any] = {"model_type": model_type, "bits": bits, "dtype": _dtype(bits)}
            limit = limits.of_form(bits, bf16=False)
            yield Case(
                f"encode: {model_type}, {bits} bits",
                against_cpu(partial(encoded, **form), limit),
            )
    for bits, embeddings, trimmed in _FORMS:
        form = {"bits": bits, "embeddings": embeddings, "trimmed": bool(trimmed)}
        name = f"{bits} bits, {embeddings} embeddings{', trimmed' if trimmed else ''}"
        exact = {**form, "dtype": _dtype(bits)}
        limit = limits.of_form(bits, bf16=False)
        yield Case(f"encode: {name}", against_cpu(partial(encoded, **exact), limit))
        if bits in (8, 4):
            limit = limits.of_form(bits, bf16=True)
            yield Case(
                f"encode: {name}, types as by default",
                against_cpu(partial(encoded, **form), limit),
            )
    small: dict[str, Any] = {"embeddings": "paged", "cache_bytes": 20 * 32 * 4}
    yield Case("encode: paged through a cache of 20 rows", against_cpu(partial(encoded, **small), limits.FP32))
    for bits in (32, 4):
        for embeddings in _EMBEDDINGS:
            form = {"bits": bits, "embeddings": embeddings, "dtype": torch.float32}
            yield Case(
                f"moved to the device and back: {bits} bits, {embeddings} embeddings",
                against_itself(partial(moved, **form), limits.FP32),
            )


def _dtype(bits: int) -> torch.dtype:
    return torch.bfloat16 if bits == 16 else torch.float32
