import pytest
import torch
from torch import Tensor

from adaptkit.config import Scaling
from adaptkit.layers import LoraLayer
from adaptkit.methods import LoraConfig

IN, OUT, RANK = 6, 10, 4


def lora(scaling: Scaling = "standard", *, dropout: float = 0.0) -> LoraLayer:
    config = LoraConfig(rank=RANK, alpha=6.0, scaling=scaling)
    layer = LoraLayer(in_width=IN, out_width=OUT, rank=RANK, scale=config.scale, dropout=dropout)
    torch.nn.init.normal_(layer.lora_B.weight)
    return layer


@pytest.fixture
def site() -> tuple[Tensor, Tensor]:
    return torch.randn(2, 5, IN), torch.randn(2, 5, OUT)


@pytest.mark.parametrize(("scaling", "scale"), [("standard", 6 / 4), ("rank_stabilized", 6 / 2)])
def test_plain_formula(site: tuple[Tensor, Tensor], scaling: Scaling, scale: float) -> None:
    x, y = site
    layer = lora(scaling)
    plain = y + scale * (x @ layer.lora_A.weight.T) @ layer.lora_B.weight.T
    torch.testing.assert_close(layer(x, y), plain)


def test_gradients_are_those_of_the_plain_formula(site: tuple[Tensor, Tensor]) -> None:
    layer = lora().double()
    x, y = (part.double().requires_grad_() for part in site)
    torch.autograd.gradcheck(layer, (x, y))
    of = (x, y, layer.lora_A.weight, layer.lora_B.weight)
    plain = y + layer.scale * (x @ layer.lora_A.weight.T) @ layer.lora_B.weight.T
    weights = torch.randn_like(plain)
    found = torch.autograd.grad((layer(x, y) * weights).sum(), of)
    torch.testing.assert_close(found, torch.autograd.grad((plain * weights).sum(), of))


@pytest.mark.parametrize("x_learns", [False, True])
@pytest.mark.parametrize("layer_learns", [False, True])
def test_frozen_layers_pass_gradients_on(site: tuple[Tensor, Tensor], x_learns: bool, layer_learns: bool) -> None:
    """A frozen language adapter below a task, or the lowest site, whose input asks for nothing."""
    layer = lora().requires_grad_(layer_learns)
    x, y = site[0].to(torch.bfloat16).requires_grad_(x_learns), site[1].to(torch.bfloat16).requires_grad_()
    layer(x, y).float().pow(2).sum().backward()
    assert [part.grad is not None for part in (x, y, *layer.parameters())] == [x_learns, True, *[layer_learns] * 2]
    assert all(part.grad is None or part.grad.dtype == part.dtype for part in layer.parameters())


def test_a_fresh_layer_changes_nothing(site: tuple[Tensor, Tensor]) -> None:
    layer = LoraLayer(in_width=IN, out_width=OUT, rank=RANK, scale=2.0)
    assert torch.equal(layer(*site), site[1])
    assert bool(layer.lora_A.weight.ne(0).all())


def test_dropout_acts_on_the_input_in_training_only(site: tuple[Tensor, Tensor]) -> None:
    layer, plain = lora(dropout=0.5), lora()
    plain.load_state_dict(layer.state_dict())
    assert not torch.equal(layer.train()(*site), layer(*site))
    assert torch.equal(layer.eval()(*site), plain(*site))


def test_dropout_keeps_the_mean() -> None:
    layer, x, y = lora(dropout=0.5), torch.randn(IN), torch.zeros(OUT)
    many = layer.train()(x.expand(20_000, IN), y.expand(20_000, OUT)).mean(dim=0)
    torch.testing.assert_close(many, layer.eval()(x, y), atol=0.3, rtol=0.0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_site_keeps_its_type(site: tuple[Tensor, Tensor], dtype: torch.dtype) -> None:
    layer = lora()
    x, y = site[0].to(dtype), site[1].to(dtype)
    out = layer(x, y)
    assert out.dtype == dtype
    # The change is computed in the site's type too.
    torch.testing.assert_close(out.float(), layer(x.float(), y.float()), atol=0.1, rtol=0.05)


def test_it_has_two_tensors() -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in lora().named_parameters()}
    assert shapes == {"lora_A.weight": (RANK, IN), "lora_B.weight": (OUT, RANK)}
