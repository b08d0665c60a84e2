"""Layers that are copied instead of made."""

import torch
from torch import Tensor, nn

from adaptkit.attaching import AdapterLayers, Blanks
from adaptkit.attaching.adapter_layers import build_layer
from adaptkit.config import SiteShape
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.layers import AdapterLayer
from adaptkit.methods import BottleneckConfig, LoraConfig, MethodConfig
from tests.adapters import randomise
from tests.tiny import tiny_backbone

SHAPES = tiny_backbone().shape.sites()
CPU = torch.device("cpu")
PLACE = SiteShape("block.0", 4, 4)


def test_a_copy_is_as_what_is_made_and_has_its_own_weights() -> None:
    blanks = Blanks()
    for method in (LoraConfig(rank=2), BottleneckConfig()):
        config = AdapterConfig(method=method)
        made = randomise(AdapterLayers(config, SHAPES)).eval()
        tensors = {name: tensor.detach() for name, tensor in made.named_tensors().items()}
        held = [AdapterLayers.holding(config, SHAPES, tensors, CPU, blanks) for _ in range(3)]
        for layers in held:
            assert repr(layers) == repr(made)
            assert all(not module.training for module in layers.modules())
            for name, weight in layers.named_tensors().items():
                assert torch.equal(weight, tensors[name])
                assert weight.stride() == tensors[name].stride()
                assert not weight.requires_grad
        weights = [weight.data_ptr() for layers in (made, *held) for weight in layers.parameters()]
        assert len(set(weights)) == len(weights)
        modules = [id(module) for layers in held for module in layers.modules()]
        assert len(set(modules)) == len(modules)


def test_a_hook_on_one_copy_is_on_no_other() -> None:
    blanks = Blanks()
    first, second, third = (blanks.layer(build_layer, LoraConfig(rank=2), PLACE) for _ in range(3))
    second.register_forward_hook(lambda *_: None)
    fourth = blanks.layer(build_layer, LoraConfig(rank=2), PLACE)
    assert [len(layer._forward_hooks) for layer in (first, second, third, fourth)] == [0, 1, 0, 0]


class _Listed(AdapterLayer):
    """A layer of somebody else, which keeps its parts in a list."""

    def __init__(self) -> None:
        super().__init__()
        self.part = nn.Linear(4, 4)
        self.parts = [self.part]

    def forward(self, _site_input: Tensor, site_output: Tensor) -> Tensor:
        return site_output + self.parts[0].weight.sum()


def test_a_layer_that_a_copy_would_share_something_with_is_made_each_time() -> None:
    made = []

    def build(_part: MethodConfig, _place: SiteShape) -> AdapterLayer:
        made.append(_Listed())
        return made[-1]

    blanks = Blanks()
    layers = [blanks.layer(build, LoraConfig(rank=2), PLACE) for _ in range(2)]
    assert len(made) == 2
    assert all(layer.parts[0] is layer.part for layer in layers if isinstance(layer, _Listed))
