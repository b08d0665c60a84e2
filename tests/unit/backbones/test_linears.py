"""8- and 4-bit linear layers against plain formulas on their dequantised weights."""

import logging

import pytest
import torch
import torch.nn.functional as F

from adaptkit.backbones.linears import Int4Linear, Int8Linear, Nf4Linear, QuantizedLinear, four_bit_linear

WIDTHS = (128, 64)
LINEARS = (Int8Linear, Nf4Linear, Int4Linear)
WORST = {Int8Linear: 0.01, Nf4Linear: 0.12, Int4Linear: 0.12}


def made(
    kind: type[QuantizedLinear], *, bias: bool = True
) -> tuple[QuantizedLinear, torch.Tensor, torch.Tensor | None]:
    torch.manual_seed(0)
    weight = torch.randn(WIDTHS[1], WIDTHS[0])
    offset = torch.randn(WIDTHS[1]) if bias else None
    return kind(weight, offset), weight, offset


@pytest.mark.parametrize("kind", LINEARS)
def test_the_weight_is_near_the_one_given(kind: type[QuantizedLinear]) -> None:
    layer, weight, _ = made(kind)
    error = (layer.weight_as(torch.float32) - weight).norm() / weight.norm()
    assert 0 < float(error) < WORST[kind]


@pytest.mark.parametrize("kind", LINEARS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_product_is_that_of_the_dequantized_weight(
    kind: type[QuantizedLinear], bias: bool, dtype: torch.dtype
) -> None:
    layer, _, offset = made(kind, bias=bias)
    x = torch.randn(3, 5, WIDTHS[0], dtype=dtype)
    given = layer(x)
    expected = F.linear(x, layer.weight_as(torch.float32).to(dtype), None if offset is None else offset.to(dtype))
    assert given.dtype == dtype
    # Weights are rounded once more on their way to bfloat16.
    rtol, atol = (1e-3, 1e-3) if dtype == torch.float32 else (2e-2, 0.2)
    torch.testing.assert_close(given, expected, rtol=rtol, atol=atol)


@pytest.mark.parametrize("kind", LINEARS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gradients_pass_through_the_dequantized_weight(kind: type[QuantizedLinear], dtype: torch.dtype) -> None:
    layer, _, _ = made(kind)
    x = torch.randn(3, WIDTHS[0], dtype=dtype, requires_grad=True)
    above = torch.randn(3, WIDTHS[1], dtype=dtype)
    torch.autograd.backward(layer(x), above)
    assert x.grad is not None
    expected = above.float() @ layer.weight_as(torch.float32)
    assert float((x.grad.float() - expected).norm() / expected.norm()) < 0.02


@pytest.mark.parametrize("kind", LINEARS)
def test_use_changes_nothing_that_is_stored(kind: type[QuantizedLinear]) -> None:
    layer, _, _ = made(kind)
    before = {name: tensor.clone() for name, tensor in layer.state_dict().items()}
    for dtype in (torch.float32, torch.bfloat16):
        layer(torch.randn(2, WIDTHS[0], dtype=dtype))
    after = layer.state_dict()
    assert all(
        torch.equal(after[name], tensor) and after[name].dtype == tensor.dtype for name, tensor in before.items()
    )


@pytest.mark.parametrize("kind", LINEARS)
def test_nothing_of_the_full_weight_is_kept(kind: type[QuantizedLinear]) -> None:
    layer, weight, _ = made(kind, bias=False)
    held = sum(tensor.numel() * tensor.element_size() for tensor in [*layer.parameters(), *layer.buffers()])
    assert held < weight.numel() * weight.element_size() * (0.3 if kind is Int8Linear else 0.2)


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for kind in LINEARS:
        layer, _, _ = made(kind)
        layer(torch.randn(2, WIDTHS[0]))
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def on_a_grid(in_features: int = 128) -> torch.Tensor:
    """A weight as a 4-bit release has it: in each 32 values of a row, whole numbers times a 16-bit scale."""
    generator = torch.Generator().manual_seed(3)
    numbers = torch.randint(-8, 8, (64, in_features // 32, 32), generator=generator).float()
    numbers[..., 5] = -8
    scales = (torch.rand(64, in_features // 32, 1, generator=generator) - 0.5).half().float()
    scales[0, 0] = 0
    return (numbers * scales).reshape(64, in_features)


def test_a_four_bit_release_is_held_without_loss() -> None:
    weight = on_a_grid()
    layer = four_bit_linear(weight, None)
    assert isinstance(layer, Int4Linear)
    assert torch.equal(layer.weight_as(torch.float32), weight)
    x = torch.randn(3, 128)
    torch.testing.assert_close(layer(x), F.linear(x, weight))
    held = sum(tensor.numel() * tensor.element_size() for tensor in layer.state_dict().values())
    assert held == weight.numel() // 2 + 2 * weight.numel() // 32


def test_any_other_weight_is_held_by_the_nearer_of_the_two() -> None:
    torch.manual_seed(0)
    for weight in (torch.randn(64, 128), torch.rand(64, 128), torch.randn(64, 128) ** 3):
        chosen = four_bit_linear(weight, None)
        errors = {
            kind: (kind(weight, None).weight_as(torch.float32) - weight).norm() for kind in (Nf4Linear, Int4Linear)
        }
        assert type(chosen) is min(errors, key=lambda kind: float(errors[kind]))


def test_rows_that_no_block_of_32_fits_are_nf4() -> None:
    assert isinstance(four_bit_linear(torch.randn(8, 40), torch.zeros(8)), Nf4Linear)


def test_a_row_of_zeros_stays_one() -> None:
    assert not Int4Linear(torch.zeros(4, 32), None).weight_as(torch.float32).any()
