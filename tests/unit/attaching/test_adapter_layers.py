import pytest

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.errors import ArchitectureMismatch
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.layers import BottleneckLayer, InvertibleLayer, LoraLayer
from adaptkit.methods import BottleneckConfig, InvertibleConfig, LoraConfig
from tests.tiny import tiny_backbone

SHAPES = tiny_backbone().shape.sites()
LORA = LoraConfig(rank=2, sites=("attention.query", "ffn.output"), blocks=(1,))


def test_only_the_named_sites_and_blocks_get_a_layer() -> None:
    layers = AdapterLayers(AdapterConfig(method=LORA), SHAPES)
    paths = ["encoder.layer.1.attention.self.query", "encoder.layer.1.output.dense"]
    assert [path for path, _ in layers.items()] == paths
    assert all(isinstance(layer, LoraLayer) for _, layer in layers.items())


def test_tensors_are_named_by_module_path() -> None:
    tensors = AdapterLayers(AdapterConfig(method=LORA), SHAPES).named_tensors()
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    assert shapes == {
        "encoder.layer.1.attention.self.query.lora_A.weight": (2, 32),
        "encoder.layer.1.attention.self.query.lora_B.weight": (32, 2),
        "encoder.layer.1.output.dense.lora_A.weight": (2, 64),
        "encoder.layer.1.output.dense.lora_B.weight": (32, 2),
    }


def test_every_parameter_is_a_named_tensor() -> None:
    config = AdapterConfig(method=BottleneckConfig(), invertible=InvertibleConfig())
    layers = AdapterLayers(config, SHAPES)
    assert {id(tensor) for tensor in layers.named_tensors().values()} == {id(p) for p in layers.parameters()}


def test_the_invertible_layer_sits_at_the_embeddings() -> None:
    config = AdapterConfig(method=BottleneckConfig(), invertible=InvertibleConfig())
    layers = AdapterLayers(config, SHAPES)
    by_path = dict(layers.items())
    assert isinstance(by_path["embeddings"], InvertibleLayer)
    assert layers.invertible is by_path["embeddings"]
    assert isinstance(by_path["encoder.layer.0.output.LayerNorm"], BottleneckLayer)


def test_without_one_there_is_none() -> None:
    assert AdapterLayers(AdapterConfig(method=LORA), SHAPES).invertible is None


def test_a_block_that_the_backbone_lacks_is_refused() -> None:
    with pytest.raises(ArchitectureMismatch, match="block 2"):
        AdapterLayers(AdapterConfig(method=LoraConfig(blocks=(0, 2))), SHAPES)
