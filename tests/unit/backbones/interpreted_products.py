"""The kernels of a GPU, run by Triton's interpreter: `test_weight_products.py` starts this in a process of its own.

The interpreter cuts bfloat16 where a GPU rounds it, and multiplies its bits as if they were numbers, so that products
are tried in float16 here.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import adaptkit
from adaptkit.backbones import product_kernels, weight_products
from adaptkit.backbones.linears import Int4Linear, Int8Linear, Nf4Linear, QuantizedLinear
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.holding import Bits
from adaptkit.methods import LoraConfig
from adaptkit.storage import load_adapter
from tests.adapters import random_adapter
from tests.saved import saved_backbone

SHAPES = [(40, 96), (33, 64), (7, 50), (5, 33)]
FORMS = (Int8Linear, Int4Linear, Nf4Linear)
LAYERS = [
    pytest.param(form, widths, id=f"{form.form} {widths[0]} x {widths[1]}")
    for form in FORMS
    for widths in SHAPES
    if form is not Int4Linear or widths[1] % 32 == 0
]
FUSED = [case for case in LAYERS if case.values[0] is not Nf4Linear or case.values[1][1] % 64 == 0]  # type: ignore[index]
HALF = torch.float16
# Sums are rounded once from float32: half of float16's last place, and a little for the order of sums.
ROUNDED = 2.0**-11 * 1.1


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Let the CPU multiply as a GPU does; nothing may go wrong and be mended by torch's operations."""
    monkeypatch.setattr(weight_products, "DEVICES", {"cpu"})
    yield
    assert not caplog.records


def made(form: type[QuantizedLinear], widths: tuple[int, int], *, bias: bool = True) -> QuantizedLinear:
    torch.manual_seed(0)
    return form(torch.randn(widths), torch.randn(widths[0]).to(HALF) if bias else None)


def error(found: Tensor, expected: Tensor) -> float:
    return float((found.float() - expected).detach().norm() / expected.detach().norm())


@pytest.mark.parametrize(("form", "widths"), LAYERS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_the_widened_weight_is_the_same(
    form: type[QuantizedLinear], widths: tuple[int, int], dtype: torch.dtype
) -> None:
    layer = made(form, widths)
    found, expected = product_kernels.widened(layer.held, form.form, widths, dtype), layer.weight_as(dtype)
    assert found.dtype == dtype
    if dtype == torch.bfloat16:
        torch.testing.assert_close(found, expected, rtol=2.0**-6, atol=0)  # cut twice, in the scale and in the weight
    else:
        assert torch.equal(found, expected)


@pytest.mark.parametrize(("form", "widths"), FUSED)
@pytest.mark.parametrize("rows", [1, 37, 300])
def test_the_fused_product_is_that_of_the_weight(
    form: type[QuantizedLinear], widths: tuple[int, int], rows: int
) -> None:
    layer = made(form, widths)
    weight = layer.weight_as(HALF).float()
    assert layer.bias is not None
    for bias in (layer.bias, None):
        x = torch.randn(rows, widths[1], dtype=HALF)
        found = product_kernels.fused(x, bias, layer.held, form.form, widths, backward=False)
        assert error(found, F.linear(x.float(), weight, None if bias is None else bias.float())) < ROUNDED
    gradient = torch.randn(rows, widths[0], dtype=HALF)
    found = product_kernels.fused(gradient, None, layer.held, form.form, widths, backward=True)
    assert found.shape == (rows, widths[1])
    assert error(found, gradient.float() @ weight) < ROUNDED


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("form", FORMS)
def test_rows_that_lie_otherwise_in_memory(form: type[QuantizedLinear], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weight_products, "FUSED_FORMS", ("int8", "int4", "nf4"))
    layer = made(form, (64, 128))
    x = torch.randn(6, 2, 128, dtype=HALF)
    expected = layer(x)
    assert torch.equal(layer(x.transpose(0, 1)).transpose(0, 1), expected)
    columns = x.permute(2, 0, 1).contiguous().permute(1, 2, 0)
    assert torch.equal(layer(columns), expected)
    wide = torch.randn(12, 200, dtype=HALF)
    assert torch.equal(layer(wide[:, 3:131]), layer(wide[:, 3:131].contiguous()))
    gradient = torch.ones(1, 64, dtype=HALF).expand(9, 64)
    through = torch.zeros(9, 128, dtype=HALF, requires_grad=True)
    torch.autograd.backward(layer(through), gradient)
    assert through.grad is not None
    assert error(through.grad, gradient.float() @ layer.weight_as(HALF).float()) < ROUNDED


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("form", "widths"), LAYERS)
@pytest.mark.parametrize(("dtype", "fused_below"), [(torch.float32, 100), (torch.float16, 0), (torch.float16, 100)])
def test_layers_multiply_as_on_a_cpu(
    form: type[QuantizedLinear],
    widths: tuple[int, int],
    dtype: torch.dtype,
    fused_below: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(weight_products, "FUSED_BELOW", fused_below)
    layer = made(form, widths)
    x = torch.randn(2, 3, widths[1], dtype=dtype, requires_grad=True)
    above = torch.randn(2, 3, widths[0], dtype=dtype)
    given = layer(x)
    torch.autograd.backward(given, above)
    assert given.dtype == dtype
    assert x.grad is not None
    weight = layer.weight_as(dtype).float()
    assert layer.bias is not None
    limit = ROUNDED if dtype == HALF else 1e-6
    assert error(given, F.linear(x.float(), weight, layer.bias.float())) < limit
    assert error(x.grad, above.float() @ weight) < limit
    with torch.inference_mode():
        assert torch.equal(layer(x), given)
    assert layer(torch.empty(0, widths[1], dtype=dtype)).shape == (0, widths[0])


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("form", FORMS)
def test_few_rows_are_fused_and_many_are_not(form: type[QuantizedLinear], monkeypatch: pytest.MonkeyPatch) -> None:
    called = []

    def noted(name: str) -> Callable[..., Tensor]:
        right: Callable[..., Tensor] = getattr(product_kernels, name)

        def noting(*args: object, **options: object) -> Tensor:
            called.append(name)
            return right(*args, **options)

        return noting

    for name in ("fused", "widened"):
        monkeypatch.setattr(product_kernels, name, noted(name))
    monkeypatch.setattr(weight_products, "FUSED_BELOW", 8)
    layer = made(form, (32, 64))
    for rows, dtype in ((7, HALF), (8, HALF), (7, torch.float32)):
        layer(torch.randn(rows, 64, dtype=dtype))
    assert called == ["widened" if form is Nf4Linear else "fused", "widened", "widened"]


@pytest.mark.usefixtures("here")
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # torch's own, while it traces
@pytest.mark.parametrize("form", FORMS)
def test_traced_whole_with_gradients(form: type[QuantizedLinear]) -> None:
    layer = made(form, (64, 128))
    traced = torch.compile(layer, fullgraph=True, backend="aot_eager", dynamic=True)
    for rows in (3, 20):
        x = torch.randn(rows, 128, dtype=HALF, requires_grad=True)
        given = traced(x)
        assert torch.equal(given, layer(x))
        (found,) = torch.autograd.grad(given.sum(), x)
        (expected,) = torch.autograd.grad(layer(x).sum(), x)
        assert torch.equal(found, expected)


@pytest.mark.parametrize("bits", [8, 4])
def test_a_whole_model_and_an_adapter_of_a_cpu(bits: Bits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = saved_backbone(tmp_path / "tiny")
    model = adaptkit.load_model(folder, bits=bits)
    random_adapter(model, AdapterConfig(method=LoraConfig(rank=4, alpha=2))).save(tmp_path / "adapter")
    model.attach(load_adapter(tmp_path / "adapter"))
    texts = ["Habari ya asubuhi", "Akuya tana barci a gida."]
    expected = model.encode(texts, stack="sw")
    monkeypatch.setattr(weight_products, "DEVICES", {"cpu"})
    other = adaptkit.load_model(folder, bits=bits)
    assert other.backbone.fingerprint == model.backbone.fingerprint
    stored = model.network.state_dict()
    assert all(torch.equal(tensor, stored[name]) for name, tensor in other.network.state_dict().items())
    other.attach(load_adapter(tmp_path / "adapter"), replay=True)
    torch.testing.assert_close(other.encode(texts, stack="sw"), expected)
