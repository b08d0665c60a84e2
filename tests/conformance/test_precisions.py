"""What every method keeps on a backbone of every precision and every form of embeddings."""

import itertools
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from transformers import AutoConfig

import adaptkit
from adaptkit.backbones import vocabulary_of
from adaptkit.data.sample import sample_pairs
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.holding import Bits
from adaptkit.methods import (
    BottleneckConfig,
    BottleneckMadxConfig,
    Ia3Config,
    InvertibleConfig,
    LoraConfig,
    MethodConfig,
)
from adaptkit.model import AdaptedModel
from adaptkit.storage import load_adapter
from tests.adapters import attach_random, random_adapter
from tests.calls import train_adapter
from tests.saved import saved_backbone
from tests.tiny import ARCHITECTURES, CONFORMING, REPRESENTATIVES, states_of

METHODS = {
    "lora": AdapterConfig(method=LoraConfig(rank=4, alpha=8)),
    "bottleneck + invertible": AdapterConfig(
        method=BottleneckConfig(reduction_factor=4), invertible=InvertibleConfig(activation="silu")
    ),
}
FORMS: dict[str, tuple[Bits, str | None]] = {
    "32, paged": (32, "paged"),
    "16": (16, None),
    "16, int8": (16, "int8"),
    "8, paged": (8, None),
    "8, nf4": (8, "nf4"),
    "4, paged": (4, None),
    "4, int8": (4, "int8"),
}
TEXTS = ["Habari ya asubuhi", "The goat sleeps.", "Akuya tana barci a gida."]
PAIRS = sample_pairs("sw")[:120]
FEW = PAIRS[:60]
QUICK: dict[str, Any] = {"lang": "sw", "max_steps": 30, "batch_size": 8, "progress": False, "learning_rate": 2e-3}


FAMILIES = [name for name in CONFORMING if name in ARCHITECTURES]
MANY = [name for name in FAMILIES if name in REPRESENTATIVES]
HELD = [
    *itertools.product(MANY, FORMS),
    *zip([name for name in FAMILIES if name not in MANY], itertools.cycle(FORMS), strict=False),
]
"""Each form on the representatives, and one form on each of the others."""
RECOMPUTED = ("16", "8, nf4", "4, int8")
PAIRED = ("xlm-roberta", "gemma3_text")
"""Whose adapters go from every form to every form; those of others go from each form to the next one and to the first,
as what an adapter meets depends on where it is taken, not on where it is from."""


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A folder of each family, which no test changes."""
    return cache(lambda family: saved_backbone(tmp_path_factory.mktemp(family) / "tiny", family))


@pytest.fixture(params=FAMILIES)
def folder(request: pytest.FixtureRequest, saved: Callable[[str], Path]) -> Path:
    return saved(request.param)


def folder_family(folder: Path) -> str:
    return str(AutoConfig.from_pretrained(folder).model_type)


@pytest.fixture(params=HELD, ids="-".join)
def model(request: pytest.FixtureRequest, saved: Callable[[str], Path]) -> AdaptedModel:
    family, form = request.param
    bits, embeddings = FORMS[form]
    return adaptkit.load_model(saved(family), bits=bits, embeddings=embeddings)


@pytest.mark.parametrize("config", METHODS.values(), ids=METHODS)
def test_an_adapter_acts_and_goes_without_a_trace(config: AdapterConfig, model: AdaptedModel) -> None:
    stored = {name: tensor.clone() for name, tensor in model.network.state_dict().items()}
    bare = model.encode(TEXTS)
    attach_random(model, "language/sw", config)
    assert not torch.allclose(model.encode(TEXTS, stack="sw"), bare, atol=1e-3)
    assert torch.equal(model.encode(TEXTS), bare)
    model.detach("sw")
    assert torch.equal(model.encode(TEXTS), bare)
    assert all(torch.equal(tensor, stored[name]) for name, tensor in model.network.state_dict().items())


@pytest.mark.parametrize("config", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize(
    ("model", "checkpointing"),
    [
        *((held, False) for held in HELD),
        *((held, True) for held in itertools.product(MANY, RECOMPUTED)),
    ],
    indirect=["model"],
    ids=str,
)
def test_gradients_reach_every_tensor_of_the_adapter(
    config: AdapterConfig, checkpointing: bool, model: AdaptedModel
) -> None:
    layers = attach_random(model, "language/sw", config)
    layers.requires_grad_(requires_grad=True)
    model.gradient_checkpointing(on=checkpointing)
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS))
    with model.active("sw"):
        states = states_of(model, ids, mask)
    torch.autograd.backward((states.float() * torch.linspace(-1, 1, states.shape[-1])).sum())
    assert not [name for name, weight in layers.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert not [name for name, weight in model.network.named_parameters() if weight.grad is not None]


@pytest.mark.parametrize("form", ["16", "8, paged", "4, paged"])
@pytest.mark.parametrize(
    "method", [BottleneckMadxConfig(width=8, sites=("attention.residual", "block.output")), Ia3Config()]
)
def test_methods_whose_layers_read_no_weight(method: MethodConfig, form: str, tmp_path: Path) -> None:
    bits, embeddings = FORMS[form]
    config = AdapterConfig(method=method)
    folder = saved_backbone(tmp_path / "tiny", "bert")
    test_an_adapter_acts_and_goes_without_a_trace(config, adaptkit.load_model(folder, bits=bits, embeddings=embeddings))
    adapter = random_adapter(adaptkit.load_model(folder), config)
    adaptkit.load_model(folder, bits=bits, embeddings=embeddings).attach(adapter)


def test_the_gradient_is_that_of_full_precision_nearly(folder: Path) -> None:
    gradients = []
    for bits in (32, 8, 4):
        model = adaptkit.load_model(folder, bits=bits)
        layers = attach_random(model, "language/sw", METHODS["lora"])
        layers.requires_grad_(requires_grad=True)
        ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS))
        with model.active("sw"):
            torch.autograd.backward((states_of(model, ids, mask) * torch.linspace(-1, 1, 32)).sum())
        grads = [weight.grad.reshape(-1) for weight in layers.parameters() if weight.grad is not None]
        gradients.append(torch.cat(grads))
    exact, *coarse = gradients
    for found, worst in zip(coarse, (0.1, 0.5), strict=True):
        assert float((found - exact).norm() / exact.norm()) < worst


def test_adapters_are_exchanged_between_precisions(folder: Path, tmp_path: Path) -> None:
    """Trained at any precision, verified and loaded at any other."""
    vocabulary = vocabulary_of(TEXTS, languages=["sw"], backbone=folder)
    models = [
        adaptkit.load_model(folder),
        adaptkit.load_model(folder, bits=16),
        adaptkit.load_model(folder, bits=16, embeddings="paged"),
        adaptkit.load_model(folder, embeddings="nf4"),
        adaptkit.load_model(folder, embeddings="int8"),
        adaptkit.load_model(folder, bits=8),
        adaptkit.load_model(folder, bits=4),
        adaptkit.load_model(folder, bits=4, vocabulary=vocabulary),
    ]
    family = folder_family(folder)
    if family not in MANY:
        models = [models[0], models[-2]]
    for number, origin in enumerate(models):
        # Random weights at full strength would amplify what 4 bits lose beyond what trained ones do.
        made = random_adapter(origin, AdapterConfig(method=LoraConfig(rank=4, alpha=2)))
        made.save(tmp_path / str(number))
        to_some = {id(model): model for model in (origin, models[number - 1], models[0])}.values()
        for model in models if family in PAIRED else to_some:
            model.attach(load_adapter(tmp_path / str(number)))
            assert torch.isfinite(model.encode(TEXTS, stack="sw")).all()
            model.detach("sw")


@pytest.mark.parametrize("text", [{"parallel": FEW}, {"text": [text for _, text in FEW]}], ids=["pairs", "text"])
def test_sixteen_bits_train_without_autocast(text: dict[str, Any], folder: Path) -> None:
    model = adaptkit.load_model(folder, bits=16)
    adapter = train_adapter(**{**QUICK, "max_steps": 2}, **text, precision="fp32", backbone=model)
    assert adapter.card.training is not None
    assert adapter.card.training.settings["bits"] == 16


@pytest.mark.parametrize(
    "model",
    [*itertools.product(["xlm-roberta"], FORMS), ("deberta-v2", "16"), ("deberta-v2", "4, int8")],
    indirect=True,
    ids="-".join,
)
@pytest.mark.parametrize("objective", ["mlm", "distill"])
def test_training_works_and_stacks(objective: Literal["mlm", "distill"], model: AdaptedModel) -> None:
    text: dict[str, Any] = {"parallel": PAIRS} if objective == "distill" else {"text": [text for _, text in PAIRS]}
    # Pairs of sentences want some more steps than sentences; after 40, the loss of deberta-v2 is still what it was.
    enough = 80 if model.network.config.model_type == "deberta-v2" else 40
    steps = {"max_steps": enough} if objective == "distill" else {}
    lower = train_adapter(**{**QUICK, **steps}, **text, objective=objective, backbone=model)
    facts = lower.card.training
    assert facts is not None
    assert facts.heldout_loss_after < facts.heldout_loss_before
    examples = [{"text": text, "label": "long" if len(text) > 40 else "short"} for pair in PAIRS[:40] for text in pair]
    few: dict[str, Any] = {"max_steps": 4, "batch_size": 8, "progress": False}
    upper = train_adapter(task="length", data=examples, on=[lower], **few, backbone=model)
    model.attach(lower, upper)
    answers = model.predict(TEXTS, stack=adaptkit.Stack("language/sw", "task/length"))
    assert {answer.label for answer in answers} <= {"long", "short"}
