import pytest
import torch

from adaptkit.backbones.hardware import fast_attention, peak_memory_bytes
from tests.tiny import tiny_network


def test_peak_memory_is_that_of_a_python_process_with_torch() -> None:
    assert 50 * 2**20 < peak_memory_bytes(torch.device("cpu")) < 2**42


@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
def test_attention_is_put_back_as_it_was(implementation: str) -> None:
    network = tiny_network()
    network.set_attn_implementation(implementation)
    with fast_attention(network):
        assert network.config._attn_implementation == "eager"
    assert network.config._attn_implementation == implementation
