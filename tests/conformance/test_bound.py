"""A bound network is what the hooks are, in every architecture, method and precision, and is traced whole."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from adaptkit import load_model
from adaptkit.attaching import BoundNetwork
from adaptkit.backbones.linears import Int4Linear, Int8Linear, Nf4Linear
from adaptkit.composition import Average, Stack
from adaptkit.errors import ConfigError
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.holding import EMBEDDING_FORMS, Bits
from adaptkit.methods import BottleneckConfig, BottleneckMadxConfig, FusionConfig, InvertibleConfig, LoraConfig, Reading
from adaptkit.methods.dora import DoraConfig
from adaptkit.methods.ia3 import Ia3Config
from adaptkit.model import AdaptedModel, StackLike
from tests.adapters import attach_random, random_adapter
from tests.pieces import OWN_PIECES, PIECES, invented_sentences
from tests.saved import saved_backbone
from tests.tiny import ARCHITECTURES, CONFORMING, REPRESENTATIVES, tiny_model, unigram_model

pytestmark = [
    # torch's own doing while it traces a function with a backward of its own.
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.torch.jit.script_method. is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf"),
]
CONFIGS = {
    "language/sw": AdapterConfig(method=LoraConfig(rank=4)),
    "language/ha": AdapterConfig(method=BottleneckConfig(reduction_factor=8), invertible=InvertibleConfig()),
    "language/yo": AdapterConfig(method=Ia3Config()),
    "domain/news": AdapterConfig(method=DoraConfig(rank=2)),
}
STACKS: tuple[StackLike, ...] = (
    None,
    "sw > news",
    "ha > news",
    "yo",
    Average({"language/sw": 0.25, "language/ha": 0.75}),
)
EVERY_METHOD = Stack(Average("language/sw", "language/ha", "language/yo"), "domain/news")
IDS = torch.arange(24).view(3, 8) + 5
MASK = torch.tensor([[1] * 8, [1] * 5 + [0] * 3, [1] * 8])


def with_adapters(model_type: str = "bert") -> AdaptedModel:
    return attached(tiny_model(model_type, n_blocks=1))  # tracing takes its time for each block


def attached(model: AdaptedModel) -> AdaptedModel:
    for seed, (name, config) in enumerate(CONFIGS.items()):
        attach_random(model, name, config, seed=seed)
    return model.eval()


def hooked(model: AdaptedModel, stack: StackLike) -> Tensor:
    with model.active(stack):
        states: Tensor = model(IDS, MASK)
    return states


def traced(bound: BoundNetwork, backend: str = "eager") -> Callable[[Tensor, Tensor], Tensor]:
    torch._dynamo.reset()
    compiled: Callable[[Tensor, Tensor], Tensor] = torch.compile(bound, fullgraph=True, backend=backend)
    return compiled


@pytest.mark.parametrize("model_type", [name for name in CONFORMING if name in ARCHITECTURES])
def test_bound_is_hooked_bit_for_bit_and_is_traced_whole(model_type: str) -> None:
    model = with_adapters(model_type)
    with torch.no_grad():
        for stack in STACKS:
            assert torch.equal(model.bound(stack)(IDS, MASK), hooked(model, stack))
        # How a method is traced depends on the features of a block; a family's own code is traced under any.
        whole: StackLike = EVERY_METHOD if model_type in REPRESENTATIVES else "sw"
        assert torch.equal(traced(model.bound(whole))(IDS, MASK), hooked(model, whole))


def test_what_acts_before_a_norm_and_what_mixes_is_bound_too() -> None:
    model = with_adapters()
    attach_random(model, "language/rw", AdapterConfig(method=BottleneckMadxConfig(width=4)))
    fused = FusionConfig(fuses=("language/sw", "language/ha"))
    attach_random(model, "language/both", AdapterConfig(method=fused))
    with torch.no_grad():
        for stack in ("rw > news", "both"):
            assert torch.equal(traced(model.bound(stack))(IDS, MASK), hooked(model, stack))


def test_gradients_reach_the_same_weights() -> None:
    model = with_adapters()
    weights = [weight for weight in model.adapters.parameters() if weight.is_floating_point()]
    for weight in weights:
        weight.requires_grad_()
    bound = model.bound("sw > news")
    found = []
    for states in (hooked(model, "sw > news"), bound(IDS, MASK), traced(bound, "aot_eager")(IDS, MASK)):
        states.pow(2).mean().backward()
        found.append([None if weight.grad is None else weight.grad.clone() for weight in weights])
        model.zero_grad()
    assert sum(gradient is not None for gradient in found[0]) > 10
    torch.testing.assert_close(found[1], found[0], rtol=0, atol=0)
    # The joint graph sums in an order of its own: sums of some hundred terms, in units of float32.
    torch.testing.assert_close(found[2], found[0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("model_type", ["bert", "albert"])
def test_recomputed_activations_give_the_same_gradients(model_type: str) -> None:
    model = with_adapters(model_type)
    for weight in model.adapters.parameters():
        weight.requires_grad_()
    found = []
    for recompute in (False, True):
        model.gradient_checkpointing(recompute)
        model.bound("sw")(IDS, MASK).pow(2).mean().backward()
        found.append([weight.grad for weight in model.adapters.parameters() if weight.grad is not None])
        model.zero_grad()
    assert found[0]
    torch.testing.assert_close(found[1], found[0])


def test_mode_and_type_are_the_models() -> None:
    model = with_adapters()
    bound = model.bound("sw").train()
    assert not any(layer.training for layer in model.adapters.modules())
    for change in (bound.half, bound.double):
        with pytest.raises(ConfigError, match="bind the stack again"):
            change()
    bound.to("cpu").float()
    assert model.network.dtype == torch.float32


def test_the_adapter_is_not_what_is_trained_through_it() -> None:
    model = tiny_model()
    adapter = random_adapter(model, CONFIGS["language/sw"], name="sw")
    before = {name: tensor.clone() for name, tensor in adapter.tensors.items()}
    model.attach(adapter)
    bound = model.bound("sw")
    for weight in bound.adapters.parameters():
        weight.requires_grad_()
    bound(IDS, MASK).sum().backward()
    with torch.no_grad():
        for weight in bound.adapters.parameters():
            weight.sub_(0.1)
    assert all(torch.equal(adapter.tensors[name], tensor) for name, tensor in before.items())


def test_the_model_stays_as_it_is_and_what_comes_later_changes_nothing() -> None:
    model = with_adapters()
    before = [type(module) for module in model.network.modules()]
    bound = model.bound("sw")
    with torch.no_grad():
        states = bound(IDS, MASK)
        assert [type(module) for module in model.network.modules()] == before
        assert not torch.equal(model(IDS, MASK), states)
        model.detach("language/sw", "language/ha")
        attach_random(model, "language/sw", CONFIGS["language/sw"], seed=9)
        assert torch.equal(bound(IDS, MASK), states)
        assert not torch.equal(model.bound("sw")(IDS, MASK), states)
    ours = {weight.data_ptr() for weight in model.network.parameters()}
    assert {weight.data_ptr() for weight in bound.network.parameters()} == ours


def test_pieces_of_an_adapter_are_read() -> None:
    model = unigram_model()
    model.attach(random_adapter(model, OWN_PIECES, name="dz"))
    ids, mask = model.backbone.pad(model.backbone.reader(Reading(PIECES)).tokenize(invented_sentences(3)))
    assert int(ids.max()) >= model.backbone.shape.vocabulary_size
    with torch.no_grad():
        expected = model(ids, mask, stacks=["dz"] * len(ids))
        torch.testing.assert_close(traced(model.bound("dz"))(ids, mask), expected)


HELD: list[tuple[Bits, type[nn.Module], str]] = [
    (4, Int4Linear, "paged"),
    (8, Int8Linear, "nf4"),
    *((32, nn.Linear, form) for form in EMBEDDING_FORMS if form != "nf4"),
]
"""Each kind of linear layer, and each form of word embeddings: neither is traced otherwise because of the other."""


@pytest.mark.parametrize(("bits", "kind", "embeddings"), HELD)
def test_every_way_of_holding_weights_is_traced_whole(
    bits: Bits, kind: type[nn.Module], embeddings: str, tmp_path: Path
) -> None:
    folder = saved_backbone(tmp_path / "backbone", n_blocks=1)
    model = attached(load_model(str(folder), bits=bits, embeddings=embeddings))
    assert any(type(module) is kind for module in model.network.modules())
    stack = "sw > news" if kind is not nn.Linear else "sw"
    with torch.no_grad():
        assert torch.equal(traced(model.bound(stack))(IDS, MASK), hooked(model, stack))


def test_nf4_is_traced_whole() -> None:
    model = with_adapters()
    for path, module in list(model.network.named_modules()):
        if isinstance(module, nn.Linear):
            model.network.set_submodule(path, Nf4Linear(module.weight, module.bias))
    model = attached(AdaptedModel(model.backbone))
    with torch.no_grad():
        assert torch.equal(traced(model.bound("sw"))(IDS, MASK), hooked(model, "sw"))


def test_inductor_gives_the_same_states() -> None:
    model = attached(tiny_model(n_blocks=1))
    with torch.no_grad():
        # Fused sums are in another order: some ten units in the last place of float32, of states of about one.
        torch.testing.assert_close(
            traced(model.bound("sw"), "inductor")(IDS, MASK), hooked(model, "sw"), rtol=1e-4, atol=1e-5
        )
