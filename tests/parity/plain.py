"""Adapters written straight into a network, without anything of adaptkit: what its stacks must compute."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel


def lora_change(tensors: Mapping[str, Tensor], paths: Iterable[str], *, scale: float) -> dict[str, Tensor]:
    """`scale * B @ A` by module; the tensors must be those of these modules and no more."""
    modules = list(paths)
    assert tensors.keys() == {f"{path}.lora_{matrix}.weight" for path in modules for matrix in "AB"}
    return {
        path: scale * tensors[f"{path}.lora_B.weight"].detach() @ tensors[f"{path}.lora_A.weight"].detach()
        for path in modules
    }


def add_to_weights(network: PreTrainedModel, *changes: Mapping[str, Tensor]) -> PreTrainedModel:
    """Add every change to the weights of the linear modules that it names."""
    with torch.no_grad():
        for change in changes:
            for path, delta in change.items():
                network.get_parameter(f"{path}.weight").add_(delta)
    return network


class PlainBottleneck(nn.Module):
    def __init__(self, tensors: Mapping[str, Tensor], path: str) -> None:
        super().__init__()
        self.down, self.down_bias = tensors[f"{path}.down.weight"], tensors[f"{path}.down.bias"]
        self.up, self.up_bias = tensors[f"{path}.up.weight"], tensors[f"{path}.up.bias"]

    def forward(self, y: Tensor) -> Tensor:
        return y + torch.relu(y @ self.down.T + self.down_bias) @ self.up.T + self.up_bias


def append_bottlenecks(network: PreTrainedModel, tensors: Mapping[str, Tensor], paths: Iterable[str]) -> None:
    """Put a bottleneck after each of these modules, and after what was put there before."""
    modules = list(paths)
    weights = ("down.weight", "down.bias", "up.weight", "up.bias")
    assert tensors.keys() == {f"{path}.{weight}" for path in modules for weight in weights}
    for path in modules:
        network.set_submodule(path, nn.Sequential(network.get_submodule(path), PlainBottleneck(tensors, path)))


def hidden_states(network: nn.Module, ids: Tensor, mask: Tensor) -> Tensor:
    with torch.no_grad():
        states: Tensor = network(input_ids=ids, attention_mask=mask).last_hidden_state
    return states


def relative_error(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).norm() / expected.norm())
