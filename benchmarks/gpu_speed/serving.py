"""adaptkit's rows: passes under no, one and many adapters, precisions, attaching, and how busy the device is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import cycle, islice
from typing import Any, TypeAlias
from unittest.mock import patch

import torch
from torch import Tensor, nn

import adaptkit
from adaptkit.attaching import AdapterLayers, CudaGraphs, Record, ReplayedNetwork
from adaptkit.backbones.backbone import Backbone
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel, StackLike
from adaptkit.model.building import LayerBuilder
from adaptkit.model.registry import Attachment
from benchmarks.gpu_speed.clock import WARM_UP, computing_ms, median_ms, seconds_of
from benchmarks.gpu_speed.place import Place
from benchmarks.gpu_speed.rows import AHEAD
from benchmarks.gpu_speed.texts import drawn_ids
from benchmarks.peers.adaptkit_serving import random_adapter
from tests.recorded import RunAgain

RANK = 8
LORA = AdapterConfig(method=LoraConfig(rank=RANK))
_LONGEST = 64
_models: dict[tuple[Place, str, int], AdaptedModel] = {}

Call: TypeAlias = Callable[[], Any]


def model_of(place: Place, shape: str, bits: Any = 16) -> AdaptedModel:  # noqa: ANN401 - 32, 16, 8 or 4
    """The backbone of this shape; the last one that was asked for is kept, and no other."""
    key = (place, shape, bits)
    if key not in _models:
        _models.clear()
        _models[key] = adaptkit.load_model(place.backbone(shape), bits=bits, device=place.device, graphs="never")
    return _models[key]


def with_adapters(model: AdaptedModel, count: int) -> list[str]:
    """Ids of so many attached adapters with random weights, as if they had been tried: that takes its own row."""
    names = [f"language/x{number}" for number in range(count)]
    missing = names[len(model.attached) :]
    if missing:
        one = model.attached_adapter(names[0]) or random_adapter(model, "language", "x0", RANK, 0)
        model._registry.add({name: Attachment(_random_layers(model), one.renamed(name)) for name in missing})
    model.eval()
    return names


def _random_layers(model: AdaptedModel) -> AdapterLayers:
    layers = LayerBuilder(model.backbone).fresh(LORA)
    for weight in layers.parameters():
        nn.init.normal_(weight.requires_grad_(False), std=0.02)
    return layers


def call_of(model: AdaptedModel, form: str, ids: Tensor, mask: Tensor, *, tiny: bool) -> "partial[Any]":
    """One pass in this form."""
    if form == "bare":
        return partial(model.bound(None), ids, mask)
    (name,) = with_adapters(model, 1)
    if form == "hooks":
        return partial(_under, model, name, ids, mask)
    bound: Any = model.bound(name)
    if form == "graph":
        return partial(ReplayedNetwork(bound, model.backbone.max_length, recorder(model.device)), ids, mask)
    if form.startswith("compiled"):
        _, _, mode = form.partition(", ")
        options = {"backend": "eager"} if tiny else {"mode": mode or None}
        bound = torch.compile(bound, fullgraph=True, dynamic=False, **options)
    return partial(bound, ids, mask)


_prepared: dict[tuple[Place, str, str], "partial[Any]"] = {}


def prepare(place: Place, shape: str, form: str) -> dict[str, float]:
    """Compile, while others measure; gives the seconds that the first passes take."""
    with torch.inference_mode():
        model = model_of(place, shape)
        call = call_of(model, form, *place.batch(model.backbone.shape.vocabulary_size), tiny=place.tiny)
        taken = seconds_of(lambda: [call() for _ in range(WARM_UP)], place.device)
    _prepared[place, shape, form] = call
    return {"first_s": round(taken, 3)}


def recorder(device: torch.device) -> Record:
    """What records passes on CUDA; elsewhere they are run again."""
    return CudaGraphs(device) if device.type == "cuda" else RunAgain()


def _under(model: AdaptedModel, name: str, ids: Tensor, mask: Tensor) -> Tensor:
    with model.active(name):
        states: Tensor = model(ids, mask)
    return states


def passes(place: Place, shape: str, form: str) -> dict[str, float]:
    """Milliseconds of a pass; the first one may compile or capture."""
    model = model_of(place, shape)
    ids, mask = place.batch(model.backbone.shape.vocabulary_size)
    with torch.inference_mode():
        call = _prepared.get((place, shape, form)) or call_of(model, form, ids, mask, tiny=place.tiny)
        first = seconds_of(call, place.device)
        ms = median_ms(call, place.device, place.repeats(30))
    return {"ms": ms, "tokens_per_s": round(ids.numel() / ms * 1000), "first_s": round(first, 3)}


def replayed(place: Place, shape: str) -> dict[str, float]:
    """How far what is replayed is from what is not: for a batch of the recorded shape, and for one that is padded."""
    model = model_of(place, shape)
    ids, mask = place.batch(model.backbone.shape.vocabulary_size)
    mask[1, place.tokens // 2 :] = 0
    with torch.inference_mode():
        plain, again = model.bound(with_adapters(model, 1)[0]), call_of(model, "graph", ids, mask, tiny=place.tiny)
        same = _gap(again(), plain(ids, mask), mask)
        few = ids[: len(ids) - 2, :-2], mask[: len(ids) - 2, :-2]
        padded = _gap(again.func(*few), plain(*few), few[1])
    return {"difference": same, "difference_padded": padded}


def _gap(found: Tensor, expected: Tensor, mask: Tensor) -> float:
    """The largest difference at a token of a text, as a share of the largest state."""
    read = mask > 0
    return float((found[read] - expected[read]).abs().max() / expected[read].abs().max())


def encode_texts(place: Place, shape: str, graphs: Any) -> dict[str, float]:  # noqa: ANN401 - of `use_graphs`
    """Vectors of many texts of all lengths under one adapter, tokenized already, as `model.encode` makes them."""
    model = model_of(place, shape)
    (name,) = with_adapters(model, 1)
    texts = drawn_ids("news", 12 if place.tiny else 4096, _LONGEST, model.backbone.shape.vocabulary_size)
    taken = _second_s(model, texts, name, graphs, place)
    return {"tokens_per_s": round(sum(map(len, texts)) / taken), "s": round(taken, 3)}


def _second_s(model: AdaptedModel, texts: list[list[int]], stack: StackLike, graphs: Any, place: Place) -> float:  # noqa: ANN401
    """Seconds of the second run over texts: in the first, kernels are chosen, rows paged in, and passes recorded."""
    model.use_graphs(graphs)
    once = partial(model.encode_ids, texts, stack=stack, batch_size=4 if place.tiny else 64)
    try:
        seconds_of(once, place.device)
        return seconds_of(once, place.device)
    finally:
        model.use_graphs("never")


def many(place: Place, shape: str, adapters: int, form: str) -> dict[str, float]:
    """Each row under one of so many adapters, and the bare backbone on the same rows.

    By hooks, by banks, or by banks whose passes are recorded.
    """
    model = model_of(place, shape)
    count = min(adapters, 8) if place.tiny else adapters
    names = with_adapters(model, count)
    ids, mask = place.batch(model.backbone.shape.vocabulary_size, max(place.rows, count))
    stacks = list(islice(cycle(names[:count]), len(ids)))
    with torch.inference_mode():
        bare = median_ms(partial(model.bound(None), ids, mask), place.device, place.repeats(20))
        with _served(model, form, names[:count]):
            call = partial(model, ids, mask, stacks=stacks)
            first = seconds_of(call, place.device)
            ms = median_ms(call, place.device, place.repeats(10))
    return {"ms": ms, "bare_ms": bare, "x_bare": round(ms / bare, 2), "rows": len(ids), "first_s": round(first, 3)}


@contextmanager
def _served(model: AdaptedModel, form: str, names: list[str]) -> Iterator[None]:
    if form == "hooks":
        yield
        return
    recorded = form == "banks, graph" and model.device.type == "cuda"
    model.use_graphs("always" if recorded else "never")
    banks = model.use_banks(*names, slots=len(names) + 1)
    try:
        yield
    finally:
        banks.stop()
        model.use_graphs("never")


def encode(place: Place, shape: str, bits: int) -> dict[str, float]:
    """The bare backbone in this precision: a pass, and vectors of many texts that are tokenized already."""
    model = model_of(place, shape, bits)
    vocabulary_size = model.backbone.shape.vocabulary_size
    ids, mask = place.batch(vocabulary_size)
    texts = drawn_ids("news", 12 if place.tiny else 4096, _LONGEST, vocabulary_size)
    with torch.inference_mode():
        ms = median_ms(partial(model.bound(None), ids, mask), place.device, place.repeats(20))
    taken, replayed = (_second_s(model, texts, None, graphs, place) for graphs in ("never", "auto"))
    return {
        "ms": ms,
        "pass_tokens_per_s": round(ids.numel() / ms * 1000),
        "encode_tokens_per_s": round(sum(map(len, texts)) / taken),
        "encode_replayed_tokens_per_s": round(sum(map(len, texts)) / replayed),
        "held_mb": round(model.memory().total / 1e6, 1),
    }


def paged(place: Place, shape: str, bits: Any, words: str) -> dict[str, float]:  # noqa: ANN401 - 32, 16, 8 or 4
    """Vectors of many texts where the table of words lies on disk: rows fetched a batch ahead, or as they are read."""
    _models.clear()
    model = adaptkit.load_model(
        place.backbone(shape), bits=bits, embeddings="paged", device=place.device, graphs="never"
    )
    texts = drawn_ids("news", 12 if place.tiny else 4096, _LONGEST, model.backbone.shape.vocabulary_size)
    with nullcontext() if words == AHEAD else patch.object(Backbone, "fetch_words"):
        taken, replayed = (_second_s(model, texts, None, graphs, place) for graphs in ("never", "auto"))
    n_tokens = sum(map(len, texts))
    return {
        "encode_tokens_per_s": round(n_tokens / taken),
        "encode_replayed_tokens_per_s": round(n_tokens / replayed),
        "held_mb": round(model.memory().total / 1e6, 1),
    }


def attach(place: Place, shape: str, adapters: int) -> dict[str, float]:
    """Seconds to attach so many adapters, each tried by its probes, and again, when that is remembered."""
    _models.clear()
    model = model_of(place, shape)
    count = 2 if place.tiny else adapters
    made = [random_adapter(model, "language", f"x{number}", RANK, number) for number in range(count)]
    first = seconds_of(lambda: model.attach(*made, replay=True), place.device)
    model.detach(*(adapter.id for adapter in made))
    again = seconds_of(lambda: model.attach(*made), place.device)
    _models.clear()
    return {"first_s": round(first, 3), "again_s": round(again, 3)}


def busy(place: Place, shape: str, form: str) -> dict[str, float]:
    """The share of a pass in which the device computes."""
    model = model_of(place, shape)
    ids, mask = place.batch(model.backbone.shape.vocabulary_size)
    with torch.inference_mode():
        call = call_of(model, form, ids, mask, tiny=place.tiny)
        return shares(call, place)


def shares(call: Call, place: Place) -> dict[str, float]:
    """Milliseconds of a call, those in which the device computes, and their share."""
    ms = median_ms(call, place.device, place.repeats(20))
    computing = computing_ms(call, place.device, place.repeats(5))
    return {"ms": ms, "computing_ms": computing, "share": round(computing / ms, 3)}
