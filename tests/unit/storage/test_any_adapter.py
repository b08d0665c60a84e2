"""Whatever adapter there may be comes back as it was saved."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.config import ENCODER_LINEAR_SITES, LINEAR_SITES, RESIDUAL_SITES, Activation, SiteName
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import Card, Evaluation, TrainingFacts
from adaptkit.format.probe import Probe
from adaptkit.methods import BottleneckConfig, FusionConfig, HeadOnlyConfig, InvertibleConfig, LoraConfig, MethodConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter, load_adapter
from adaptkit.storage.identity import origin_of
from adaptkit.task_types import TASK_TYPES, HeadConfig
from adaptkit.terminal.plain_text import is_one_line
from tests.adapters import randomise
from tests.tiny import tiny_model

MODELS: dict[str, AdaptedModel] = {name: tiny_model(name) for name in ("bert", "distilbert", "llama")}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).filter(is_one_line)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
COUNTS = st.integers(0, 2**64)
BLOCKS = st.sampled_from([None, (0,), (1,), (0, 1)])
ACTIVATIONS: st.SearchStrategy[Activation] = st.sampled_from(get_args(Activation))


def in_order(sites: Sequence[SiteName]) -> tuple[SiteName, ...]:
    """As peft's words give them back: in the order of the table."""
    return tuple(site for site in (*LINEAR_SITES, *RESIDUAL_SITES) if site in sites)


def some_of(sites: Sequence[SiteName]) -> st.SearchStrategy[tuple[SiteName, ...]]:
    return st.lists(st.sampled_from(sites), min_size=1, unique=True).map(in_order)


@st.composite
def heads(draw: st.DrawFn) -> HeadConfig:
    task_type = draw(st.sampled_from(list(TASK_TYPES)))
    has_labels = TASK_TYPES[task_type].least_labels > 0
    labels = draw(st.lists(TEXTS, min_size=2, max_size=4, unique=True)) if has_labels else []
    return HeadConfig(
        task_type=task_type,
        labels=tuple(labels),
        dropout=draw(st.floats(0, 0.99)),
        allows_no_answer=draw(st.booleans()),
        pairs=draw(st.booleans()),
        max_answer_tokens=draw(st.sampled_from([1, 30, 31, 4096])) if task_type == "qa" else 30,
        source_language="en" if TASK_TYPES[task_type].writes else "",
        target_languages=draw(st.sampled_from([("sw",), ("ha", "zh-Hant")])) if TASK_TYPES[task_type].writes else (),
    )


@st.composite
def methods(draw: st.DrawFn, linear: Sequence[SiteName], residual: Sequence[SiteName]) -> MethodConfig:
    blocks = draw(BLOCKS)
    match draw(st.sampled_from(["lora", "bottleneck", "fusion"])):
        case "lora":
            return LoraConfig(
                rank=draw(st.integers(1, 5)),
                alpha=draw(st.floats(1e-6, 1e6)),
                scaling=draw(st.sampled_from(["standard", "rank_stabilized"])),
                dropout=draw(st.floats(0, 0.99)),
                sites=draw(some_of(linear)),
                blocks=None if blocks == (0, 1) else blocks,  # all blocks, as peft's words give it back
            )
        case "bottleneck":
            return BottleneckConfig(
                reduction_factor=draw(st.integers(1, 4096)),
                activation=draw(ACTIVATIONS),
                sites=draw(some_of(residual)),
                blocks=blocks,
            )
    return FusionConfig(
        fuses=draw(st.sampled_from([("language/en", "language/yo"), ("domain/a", "language/b", "task/c")])),
        width=draw(st.integers(1, 5)),
        sites=draw(some_of([*linear, *residual])),
        blocks=blocks,
    )


@st.composite
def adapters(draw: st.DrawFn) -> Adapter:
    name = draw(st.sampled_from(sorted(MODELS)))
    linear = (*ENCODER_LINEAR_SITES, "ffn.gate") if name == "llama" else ENCODER_LINEAR_SITES
    residual: tuple[SiteName, ...] = ("block.output",) if name == "llama" else RESIDUAL_SITES
    head = draw(st.none() | heads())
    method = draw(methods(linear, residual))
    if head is not None and head.has_weights and draw(st.booleans()):
        method = HeadOnlyConfig()
    config = AdapterConfig(
        method=method,
        invertible=draw(
            st.none() | st.builds(InvertibleConfig, reduction_factor=st.integers(1, 4096), activation=ACTIVATIONS)
        ),
        head=head,
        hides_top_block=draw(st.booleans()),
    )
    origin = origin_of(MODELS[name].backbone)
    layers = randomise(AdapterLayers(config, origin.shape.sites()), seed=draw(st.integers(0, 99)))
    dtype = draw(st.sampled_from([torch.float32, torch.float16, torch.bfloat16]))
    return Adapter(
        kind="language" if head is None else "task",
        name="sw",
        language=draw(st.sampled_from([None, "sw", "zh-Hant", "quy"])),
        config=config,
        origin=replace(
            origin, release=draw(TEXTS), text_prefix=draw(st.text(st.characters(exclude_categories=["Cs"])))
        ),
        tensors={name: tensor.detach().to(dtype) for name, tensor in layers.named_tensors().items()},
        below=draw(st.sampled_from([(), ("language/en",), ("language/en", "domain/news")])),
        probes=(Probe(ids=(1, 5, 399), vector=tuple(draw(st.lists(NUMBERS, min_size=32, max_size=32)))),),
        card=draw(CARDS),
    )


FACTS = st.builds(
    TrainingFacts,
    objective=TEXTS,
    steps=COUNTS,
    tokens=COUNTS,
    elapsed_s=NUMBERS,
    tokens_per_s=NUMBERS,
    peak_memory_bytes=COUNTS,
    heldout_loss_before=NUMBERS,
    heldout_loss_after=NUMBERS,
    pseudo_perplexity_before=st.none() | NUMBERS,
    pseudo_perplexity_after=st.none() | NUMBERS,
    stopped_because=TEXTS,
    settings=st.dictionaries(TEXTS, TEXTS | COUNTS | NUMBERS | st.booleans() | st.none(), max_size=3),
)
CARDS = st.builds(
    Card,
    source=TEXTS,
    text_kind=TEXTS,
    n_lines=COUNTS,
    licence=TEXTS,
    adaptkit_version=TEXTS,
    private=st.booleans(),
    training=st.none() | FACTS,
    evaluations=st.lists(
        st.builds(Evaluation, task=TEXTS, metric=TEXTS, n_examples=COUNTS, score_without=NUMBERS, score_with=NUMBERS),
        max_size=2,
    ).map(tuple),
)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(adapters())
def test_any_adapter_comes_back_as_it_was(adapter: Adapter) -> None:
    with tempfile.TemporaryDirectory() as folder:
        read = load_adapter(adapter.save(Path(folder) / "sw"))
    assert replace(read, tensors={}) == replace(adapter, tensors={})
    assert list(read.tensors) == list(adapter.tensors)
    for name, tensor in adapter.tensors.items():
        assert read.tensors[name].dtype == tensor.dtype
        assert torch.equal(read.tensors[name], tensor)
    assert read.weights_sha256 == adapter.weights_sha256
    assert read.render_card() == adapter.render_card()
