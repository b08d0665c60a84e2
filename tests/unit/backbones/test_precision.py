import pytest
import torch

from adaptkit.backbones.precision import bfloat16_blocks, has_fast_bfloat16, is_in_bfloat16_blocks, uses_bfloat16
from tests.tiny import tiny_network

CPU = torch.device("cpu")
IDS = torch.tensor([[0, 20, 30, 2]])


def test_auto_is_what_the_hardware_does_fast() -> None:
    assert isinstance(has_fast_bfloat16(CPU), bool)
    assert uses_bfloat16("auto", CPU) == has_fast_bfloat16(CPU)
    assert uses_bfloat16("bf16", CPU)
    assert not uses_bfloat16("fp32", CPU)
    assert not has_fast_bfloat16(torch.device("meta"))


def test_the_backbone_is_bit_for_bit_as_before_after_an_error_too() -> None:
    network = tiny_network()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(ZeroDivisionError), bfloat16_blocks(network):
        1 / 0  # noqa: B018
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert {tensor.dtype for tensor in network.state_dict().values()} == {torch.float32}
    assert not any(module._forward_hooks for module in network.modules())


def test_blocks_compute_in_bfloat16_and_near_the_full_result() -> None:
    network = tiny_network()
    with torch.no_grad():
        full = network(input_ids=IDS).last_hidden_state
        with bfloat16_blocks(network):
            half = network(input_ids=IDS).last_hidden_state
    assert half.dtype == torch.bfloat16
    assert torch.allclose(half.float(), full, atol=0.1)


def test_blocks_that_are_not_asked_to_stay_as_they_are() -> None:
    network = tiny_network()
    with torch.no_grad():
        full = network(input_ids=IDS).last_hidden_state
        with bfloat16_blocks(network, on=False):
            assert torch.equal(network(input_ids=IDS).last_hidden_state, full)
            assert not is_in_bfloat16_blocks(network)
