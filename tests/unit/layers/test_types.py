"""Every layer and head at every pair of types of what it reads, what it adds to, and its weights.

A GPU may give float32 between blocks of 16 bits, and a caller's autocast does; nothing may rest on one pair.
"""

from collections.abc import Callable, Sequence
from itertools import product

import pytest
import torch
from torch import Tensor, nn

from adaptkit.heads import build_head
from adaptkit.layers import BottleneckLayer, BottleneckMadxLayer, FusionLayer, InvertibleLayer, LoraLayer, Normed
from adaptkit.layers.dora import DoraLayer
from adaptkit.layers.ia3 import Ia3Layer
from adaptkit.layers.types import MasterLinear, compute_type
from adaptkit.task_types import HeadConfig

WIDTH, ROWS, SEQ = 16, 3, 5
TYPES = (torch.float32, torch.bfloat16, torch.float16)
ROUNDING = {torch.float32: 2.0**-24, torch.bfloat16: 2.0**-8, torch.float16: 2.0**-11}
ROUNDINGS_OF_GRADIENTS = {"fusion": 48}
"""A share's gradient is what one contribution gives less the mean of all: most of it cancels."""
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]])

Act = Callable[[nn.Module, Tensor, Tensor], Tensor]
"""A layer, what its site reads and what its site gives, to what comes out."""


def _before_norm(layer: nn.Module, site_input: Tensor, site_output: Tensor) -> Tensor:
    def norm(x: Tensor) -> Tensor:
        return nn.functional.layer_norm(x.float(), (WIDTH,)).to(site_output.dtype)

    given: Tensor = layer(Normed(site_input, site_output, norm), site_output)
    return given


def _inverse(layer: nn.Module, _: Tensor, vectors: Tensor) -> Tensor:
    assert isinstance(layer, InvertibleLayer)
    return layer.inverse(vectors)


def _dora() -> nn.Module:
    layer, linear = DoraLayer(in_width=WIDTH, out_width=WIDTH, rank=4, scale=0.5), nn.Linear(WIDTH, WIDTH)
    nn.init.normal_(linear.weight, std=0.3, generator=torch.Generator().manual_seed(2))
    layer.use(linear)
    return layer


LAYERS: dict[str, tuple[Callable[[], nn.Module], Act]] = {
    "lora": (lambda: LoraLayer(in_width=WIDTH, out_width=WIDTH, rank=4, scale=0.5), lambda f, x, y: f(x, y)),
    "dora": (_dora, lambda f, x, y: f(x, y)),
    "ia3": (lambda: Ia3Layer(WIDTH), lambda f, x, y: f(x, y)),
    "bottleneck": (
        lambda: BottleneckLayer(hidden_width=WIDTH, bottleneck_width=4, activation="gelu"),
        lambda f, x, y: f(x, y),
    ),
    "bottleneck_madx": (
        lambda: BottleneckMadxLayer(hidden_width=WIDTH, bottleneck_width=4, activation="silu"),
        _before_norm,
    ),
    "invertible": (
        lambda: InvertibleLayer(hidden_width=WIDTH, coupling_width=4, activation="silu"),
        lambda f, x, y: f(x, y),
    ),
    "inverse": (lambda: InvertibleLayer(hidden_width=WIDTH, coupling_width=4, activation="silu"), _inverse),
    "fusion": (
        lambda: FusionLayer(width=8, site_width=WIDTH),
        lambda f, x, y: f(y, torch.stack([x, x.roll(1, dims=-1)])),
    ),
}
HEADS: tuple[str, ...] = ("classification", "tagging", "qa", "choice", "similarity")


def made(build: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(0)
    layer = build().eval()
    for weight in layer.parameters():
        nn.init.normal_(weight, std=0.3)
    return layer


def site(*types: torch.dtype) -> list[Tensor]:
    """Values that every type holds exactly, so that only the layer's own arithmetic differs."""
    torch.manual_seed(1)
    return [torch.randn(ROWS, SEQ, WIDTH).bfloat16().half().to(dtype).requires_grad_() for dtype in types]


def pulled(result: Tensor, leaves: Sequence[Tensor]) -> list[Tensor]:
    """Gradients of a weighted sum of the result. Shape: as the leaves."""
    above = torch.linspace(-1, 1, result.numel()).view(result.shape)
    torch.autograd.backward((result.float() * above).sum())
    return [torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for leaf in leaves]


def require_near(found: Tensor, expected: Tensor, types: Sequence[torch.dtype], roundings: int = 8) -> None:
    """So many roundings of the coarsest type that takes part, as a share of the whole: sums may lose small terms."""
    worst = max(ROUNDING[dtype] for dtype in types)
    error = (found.detach().float() - expected.detach()).norm()
    assert float(error) <= roundings * worst * float(expected.detach().norm())


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize(("read", "given", "held"), list(product(TYPES, repeat=3)), ids=str)
def test_a_layer_is_that_of_float32_nearly(name: str, read: torch.dtype, given: torch.dtype, held: torch.dtype) -> None:
    build, act = LAYERS[name]
    layer, reference = made(build).to(held), made(build)
    # What the weights are is what they were rounded to.
    reference.load_state_dict({key: value.float() for key, value in layer.state_dict().items()})
    leaves, expected_leaves = site(read, given), site(torch.float32, torch.float32)
    result, expected = act(layer, *leaves), act(reference, *expected_leaves)
    assert result.dtype == given
    types = (read, given, held)
    require_near(result, expected, types)
    weights, expected_weights = list(layer.parameters()), list(reference.parameters())
    of, expected_of = pulled(result, [*leaves, *weights]), pulled(expected, [*expected_leaves, *expected_weights])
    for leaf, found, right in zip([*leaves, *weights], of, expected_of, strict=True):
        assert found.dtype == leaf.dtype
        require_near(found, right, types, ROUNDINGS_OF_GRADIENTS.get(name, 8))


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize(("read", "given"), list(product(TYPES[:2], repeat=2)), ids=str)
def test_a_layer_under_a_callers_autocast(name: str, read: torch.dtype, given: torch.dtype) -> None:
    build, act = LAYERS[name]
    layer, reference = made(build), made(build)
    leaves, expected_leaves = site(read, given), site(torch.float32, torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        result = act(layer, *leaves)
    assert result.dtype == given
    of = pulled(result, [*leaves, *layer.parameters()])
    expected_of = pulled(act(reference, *expected_leaves), [*expected_leaves, *reference.parameters()])
    for found, right in zip(of, expected_of, strict=True):
        require_near(found, right, [torch.bfloat16], ROUNDINGS_OF_GRADIENTS.get(name, 8))


@pytest.mark.parametrize("task_type", HEADS)
@pytest.mark.parametrize(("read", "held"), list(product(TYPES, repeat=2)), ids=str)
def test_a_head_computes_in_float32(task_type: str, read: torch.dtype, held: torch.dtype) -> None:
    labels = ("a", "b", "c") if task_type in ("classification", "tagging") else ()
    config = HeadConfig(task_type=task_type, labels=labels, dropout=0.0)
    head, reference = made(lambda: build_head(config, WIDTH)).to(held), made(lambda: build_head(config, WIDTH))
    reference.load_state_dict({key: value.float() for key, value in head.state_dict().items()})
    (hidden,), (expected_hidden,) = site(read), site(torch.float32)
    result, expected = head(hidden, MASK), reference(expected_hidden, MASK)
    assert result.dtype == torch.float32
    require_near(result, expected, [torch.float32])
    of = pulled(result, [hidden, *head.parameters()])
    expected_of = pulled(expected, [expected_hidden, *reference.parameters()])
    for found, right in zip(of, expected_of, strict=True):
        require_near(found, right, (read, held))


def test_the_type_of_a_product_is_that_of_what_it_reads_or_the_callers() -> None:
    x = torch.randn(2, 3)
    assert compute_type(x) == torch.float32
    assert compute_type(x.half()) == torch.float16
    with torch.autocast("cpu", torch.bfloat16):
        assert compute_type(x) == torch.bfloat16


def test_a_master_linear_is_a_linear_layer_in_the_type_of_its_input() -> None:
    layer, plain = MasterLinear(4, 3), nn.Linear(4, 3)
    plain.load_state_dict(layer.state_dict())
    x = torch.randn(2, 4)
    assert torch.equal(layer(x), plain(x))
    assert torch.equal(layer(x.bfloat16()), plain.bfloat16()(x.bfloat16()))
    assert layer(x.double()).dtype == torch.float64
