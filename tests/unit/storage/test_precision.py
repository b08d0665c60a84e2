from pathlib import Path

import pytest
import torch

from adaptkit.backbones import Backbone
from adaptkit.errors import ConfigError
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.fingerprint import Fingerprint
from adaptkit.methods import BottleneckConfig, InvertibleConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import load_adapter
from tests.adapters import random_adapter
from tests.tiny import tiny_backbone, tiny_model

CONFIGS = {
    "lora": AdapterConfig(method=LoraConfig(rank=4)),
    "bottleneck": AdapterConfig(method=BottleneckConfig(reduction_factor=4), invertible=InvertibleConfig()),
}
DTYPES = (torch.float64, torch.float32, torch.float16, torch.bfloat16)


def backbone_in(dtype: torch.dtype) -> Backbone:
    backbone = tiny_backbone()
    backbone.network.to(dtype)  # type: ignore[arg-type]
    return backbone


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_an_adapter_attaches_to_its_backbone_in_every_precision(
    config: AdapterConfig, dtype: torch.dtype, tmp_path: Path
) -> None:
    adapter = load_adapter(random_adapter(tiny_model(), config).save(tmp_path / "sw"))
    model = AdaptedModel(backbone_in(dtype))
    model.attach(adapter)
    assert model.attached == (adapter.id,)


@pytest.mark.parametrize("ours", DTYPES)
@pytest.mark.parametrize("theirs", DTYPES)
def test_the_same_weights_are_known_at_any_two_precisions(ours: torch.dtype, theirs: torch.dtype) -> None:
    verdict = backbone_in(ours).fingerprint.compare(backbone_in(theirs).fingerprint)
    assert verdict == ("identical" if ours == theirs else "same weights at another precision")


@pytest.mark.parametrize("dtype", DTYPES)
def test_other_weights_differ_at_any_precision(dtype: torch.dtype) -> None:
    other = tiny_backbone(seed=1)
    verdict = backbone_in(dtype).fingerprint.compare(other.fingerprint)
    assert verdict == "different"
    assert set(other.fingerprint.differing(backbone_in(dtype).fingerprint)) == set(other.fingerprint.samples)


def test_weights_that_are_no_real_numbers_have_no_fingerprint() -> None:
    with pytest.raises(ConfigError, match="int16"):
        Fingerprint(precision="int16", samples={})
