"""The tensors of an adapter, said by its config and held by its layers; methods are compared in tests/conformance."""

import pytest

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.tensor_shapes import tensor_shapes
from adaptkit.methods import FusionConfig, HeadOnlyConfig, LoraConfig, MethodConfig
from adaptkit.task_types import HeadConfig
from tests.methods import at_sites_of
from tests.tiny import ARCHITECTURES, tiny_model

LABELS = ("farm", "health", "news")
HEADS = [
    HeadConfig(task_type="classification", labels=LABELS),
    HeadConfig(task_type="tagging", labels=LABELS),
    HeadConfig(task_type="qa"),
    HeadConfig(task_type="choice"),
    HeadConfig(task_type="similarity"),
]


@pytest.mark.parametrize("family", ARCHITECTURES)
@pytest.mark.parametrize("head", HEADS, ids=lambda head: str(head.task_type))
def test_with_every_head(head: HeadConfig, family: str) -> None:
    alone: MethodConfig = HeadOnlyConfig() if head.task_type != "similarity" else LoraConfig(rank=2)
    for method in (alone, LoraConfig(rank=2, blocks=(1,)), FusionConfig(fuses=("language/sw", "language/yo"), width=3)):
        model = tiny_model(family)
        config, shape = at_sites_of(model, AdapterConfig(method=method, head=head)), model.backbone.shape
        held = AdapterLayers(config, shape.sites()).named_tensors()
        assert tensor_shapes(config, shape) == {name: tuple(tensor.shape) for name, tensor in held.items()}
