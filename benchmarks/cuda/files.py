"""Cases: adapters and backbones that were made on one device and are used on another."""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import count
from typing import Any

import torch
from torch import Tensor

import adaptkit
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.storage import load_adapter
from benchmarks.cuda import limits
from benchmarks.cuda.case import Case, against_cpu, against_itself
from benchmarks.cuda.forms import LORA
from benchmarks.cuda.place import PAIRS, TEXTS, Place
from tests.adapters import attach_random, random_adapter
from tests.methods import METHODS, at_sites_of, methods_on

_numbers = count()


def _fresh(place: Place) -> str:
    return str(place.folder / f"made-{next(_numbers)}")


def _saved(place: Place, config: AdapterConfig, model_type: str) -> Mapping[str, tuple[Tensor, Tensor]]:
    """Made on the device, saved, loaded, attached on both; its probes are replayed there."""
    model = place.model(model_type)
    adapter = random_adapter(model, at_sites_of(model, config))
    folder = _fresh(place)
    adapter.save(folder)
    loaded = load_adapter(folder)
    found: dict[str, Tensor] = {}
    for name, where in {"device": place, "CPU": place.cpu}.items():
        model = where.model(model_type)
        model.attach(loaded)
        found[name] = model.encode(TEXTS, stack="sw")
    tensors = torch.cat([tensor.flatten() for tensor in adapter.tensors.values()])
    again = torch.cat([tensor.flatten() for tensor in loaded.tensors.values()])
    return {"vectors": (found["device"], found["CPU"]), "tensors": (again, tensors)}


def _carried(place: Place, made_on: str) -> Mapping[str, Tensor]:
    """Trained on one device at 32 bits, attached on the other at fewer; a probe that is off would be refused."""
    trained_at = place.cpu if made_on == "the CPU" else place
    adapter = adaptkit.train_adapter(
        lang="sw",
        parallel=PAIRS,
        backbone=trained_at.model(),
        method=adaptkit.Lora(rank=4),
        run=adaptkit.Run(max_steps=4, batch_size=8, precision="fp32", progress=False),
    )
    found: dict[str, Tensor] = {}
    for bits in (32, 16, 8, 4):
        model = place.model(bits=bits)
        model.attach(adapter)
        found[f"{bits} bits"] = model.encode(TEXTS, stack=adapter)
    return found


def _merged(place: Place) -> Mapping[str, Tensor]:
    """Merged into the backbone on the device, written there, and loaded again."""
    model = place.model()
    attach_random(model, "language/sw", LORA).requires_grad_(requires_grad=False)
    merged = adaptkit.merge(model, "language/sw")
    folder = _fresh(place)
    merged.save(folder)
    again = adaptkit.load_model(folder, device=place.device)
    return {
        "merged": merged.model.encode(TEXTS),
        "loaded again": again.encode(TEXTS),
        "stack": model.encode(TEXTS, stack="sw"),
    }


def _calculated(place: Place) -> Mapping[str, Tensor]:
    """Two adapters combined into one, with probes taken on the device."""
    model = place.model()
    one, other = (
        random_adapter(place.cpu.model(), LORA, name=name, seed=seed) for seed, name in enumerate(("sw", "ha"))
    )
    both = adaptkit.combine([one, other], "both", weights=[0.5, 0.5], backbone=model)
    model.attach(both)
    return {"vectors": model.encode(TEXTS, stack=both)}


def cases() -> Iterator[Case]:
    """All of these."""
    for model_type in ("bert", "qwen2"):
        for name in methods_on(model_type):
            values: Any = partial(_saved, config=METHODS[name], model_type=model_type)
            yield Case(f"save, load, attach: {name} on {model_type}", against_itself(values, limits.FP32))
    for made_on in ("the CPU", "the device"):
        values = partial(_carried, made_on=made_on)
        loose = {f"{bits} bits": limits.of_form(bits, bf16=bits < 32) for bits in (32, 16, 8, 4)}
        yield Case(f"trained on {made_on}, attached at all bits", against_cpu(values, loose | {"32 bits": 1e-3}))
    yield Case("merge and save", against_cpu(_merged, limits.FP32))
    yield Case("two adapters combined", against_cpu(_calculated, limits.FP32))
