"""Cases: other ways to the same states: bound networks, recorded passes and banks; and text that is written."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from adaptkit.holding import Graphs
from adaptkit.model import AdaptedModel, StackLike
from benchmarks.cuda import limits
from benchmarks.cuda.case import Case, against_cpu, against_itself
from benchmarks.cuda.forms import LORA
from benchmarks.cuda.place import TEXTS, Place
from benchmarks.cuda.stacks import with_adapters
from tests.adapters import random_adapter

_BOUND = (
    None,
    "language/sw > domain/news > task/topics",
    "language/yo > domain/farm",
    "language/ig > domain/news",
    "language/rw > task/topics",
    "language/fused",
)
_IN_BANKS: tuple[StackLike, ...] = (None, "language/sw", "language/sw > domain/news", "language/yo > domain/farm")
_Pairs = Mapping[str, tuple[Tensor, Tensor]]


def _batch(model: AdaptedModel, texts: Sequence[str] = TEXTS) -> tuple[Tensor, Tensor]:
    return model.backbone.pad(model.backbone.tokenize(texts))


def _bound(place: Place, *, compiled: bool = False, **options: Any) -> _Pairs:  # noqa: ANN401
    model = with_adapters(place, **options)
    found = {}
    for stack in _BOUND[: 2 if compiled else None]:
        network = model.bound(stack)
        run = torch.compile(network, fullgraph=True) if compiled else network
        ids, mask = _batch(model)
        with torch.no_grad(), model.active(stack):
            found[str(stack)] = (run(ids, mask), model(ids, mask))
    return found


def _recorded(place: Place, **options: Any) -> _Pairs:  # noqa: ANN401
    """Twice each, as the second pass is a replay; then under an adapter that took another's place."""
    model = with_adapters(place, **options)
    graphs: Graphs = "always" if place.device.type == "cuda" else "never"

    def encoded(graphs: Graphs) -> Tensor:
        model.use_graphs(graphs)
        return torch.cat([model.encode(TEXTS, stack=stack, batch_size=3) for stack in _BOUND])

    plain = encoded("never")
    found = {"first": (encoded(graphs), plain), "replayed": (encoded(graphs), plain)}
    model.swap(random_adapter(place.cpu.model(), LORA, name="sw", seed=40))
    return {**found, "swapped": (encoded(graphs), encoded("never"))}


def _in_banks(place: Place, **options: Any) -> _Pairs:  # noqa: ANN401
    model = with_adapters(place, **options)
    mixtures = [[_IN_BANKS[(row + shift) % len(_IN_BANKS)] for row in range(len(TEXTS))] for shift in range(3)]
    plain = [model.encode(TEXTS, stacks=stacks) for stacks in mixtures]
    model.use_banks(slots=4)
    return {
        f"mixture {number}": (model.encode(TEXTS, stacks=stacks), plain[number])
        for number, stacks in enumerate(mixtures)
    }


def _written(place: Place) -> Mapping[str, Tensor]:
    """What a decoder writes, as code points: greedy, each row under its own stack."""
    model = with_adapters(place, model_type="qwen2")
    stacks: list[StackLike] = [None, "language/sw", "language/sw > domain/news"]
    written = model.generate(TEXTS[:3], stacks=stacks, max_new_tokens=6)
    signs = [float(ord(sign)) for each in written for sign in each.text]
    assert signs
    return {"text": torch.tensor(signs)}


def cases() -> Iterator[Case]:
    """All of these."""
    for bits, dtype in ((32, torch.float32), (16, torch.bfloat16), (8, torch.float32), (4, torch.float32)):
        form: dict[str, Any] = {"bits": bits, "dtype": dtype}
        limit = limits.of_form(bits, bf16=False)
        yield Case(f"passes: bound, {bits} bits", against_itself(partial(_bound, **form), limit))
        yield Case(f"passes: recorded, {bits} bits", against_itself(partial(_recorded, **form), limit))
        yield Case(f"passes: banks, {bits} bits", against_itself(partial(_in_banks, **form), limit))
    for bits in (32, 16):
        form = {"bits": bits, "dtype": torch.float32 if bits == 32 else torch.bfloat16, "compiled": True}
        limit = limits.of_form(bits, bf16=False)
        yield Case(f"passes: bound and compiled, {bits} bits", against_itself(partial(_bound, **form), limit))
    yield Case("passes: written, rows under their own stacks", against_cpu(_written, 0.0))
