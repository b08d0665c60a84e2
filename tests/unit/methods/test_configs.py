import dataclasses
import math
from collections.abc import Callable
from typing import Any

import pytest

from adaptkit.config import LINEAR_SITES, MAX_RANK, RESIDUAL_SITES, SITES
from adaptkit.errors import ConfigError
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import BottleneckConfig, Ia3Config, InvertibleConfig, LoraConfig

WRONG: list[tuple[Callable[..., object], dict[str, Any], str]] = [
    (LoraConfig, {"rank": 0}, "rank"),
    (LoraConfig, {"rank": MAX_RANK + 1}, "rank"),
    (LoraConfig, {"alpha": 0.0}, "alpha"),
    (LoraConfig, {"alpha": math.nan}, "alpha"),
    (LoraConfig, {"alpha": math.inf}, "alpha"),
    (LoraConfig, {"alpha": 1e7}, "alpha"),
    (LoraConfig, {"scaling": "olora"}, "olora"),
    (LoraConfig, {"dropout": 1.0}, "dropout"),
    (LoraConfig, {"dropout": -0.1}, "dropout"),
    (LoraConfig, {"dropout": math.nan}, "dropout"),
    (LoraConfig, {"sites": ()}, "at least one site"),
    (LoraConfig, {"sites": ("block.output",)}, r"lora cannot act at block\.output"),
    (LoraConfig, {"sites": ("attention.query", "attention.query")}, "twice"),
    (LoraConfig, {"blocks": ()}, "no block"),
    (LoraConfig, {"blocks": (1, 0)}, "ascend"),
    (LoraConfig, {"blocks": (1, 1)}, "ascend"),
    (LoraConfig, {"blocks": (-1, 0)}, "from 0"),
    (BottleneckConfig, {"reduction_factor": 0}, "reduction_factor"),
    (BottleneckConfig, {"reduction_factor": MAX_RANK + 1}, "reduction_factor"),
    (BottleneckConfig, {"activation": "tanh"}, "tanh"),
    (BottleneckConfig, {"sites": ("ffn.output",)}, r"bottleneck cannot act at ffn\.output"),
    (BottleneckConfig, {"blocks": ()}, "no block"),
    (Ia3Config, {"sites": ("block.output",)}, r"ia3 cannot act at block\.output"),
    (Ia3Config, {"sites": ()}, "at least one site"),
    (InvertibleConfig, {"reduction_factor": 0}, "reduction_factor"),
    (InvertibleConfig, {"activation": "tanh"}, "tanh"),
]


@pytest.mark.parametrize(("kind", "fields", "said"), WRONG)
def test_a_value_that_cannot_be_right_is_refused(
    kind: Callable[..., object], fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        kind(**fields)


@pytest.mark.parametrize("config", [LoraConfig(), BottleneckConfig(), InvertibleConfig()])
def test_configs_are_frozen_values(config: LoraConfig | BottleneckConfig | InvertibleConfig) -> None:
    assert config == dataclasses.replace(config)
    assert hash(config) == hash(dataclasses.replace(config))
    field = dataclasses.fields(config)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(config, field, 1)


def test_scale() -> None:
    assert LoraConfig(rank=4, alpha=8).scale == 2
    assert LoraConfig(rank=4, alpha=8, scaling="rank_stabilized").scale == 4


@pytest.mark.parametrize(("factor", "bottleneck", "coupling"), [(2, 16, 8), (16, 2, 1), (100, 1, 1)])
def test_widths(factor: int, bottleneck: int, coupling: int) -> None:
    assert BottleneckConfig(reduction_factor=factor).width(32) == bottleneck
    assert InvertibleConfig(reduction_factor=factor).width(32) == coupling


def test_every_site_in_a_block_belongs_to_one_method() -> None:
    once = ("embeddings", "embeddings.words", "network.output")
    assert sorted((*LINEAR_SITES, "ffn.activation", *RESIDUAL_SITES, *once)) == sorted(SITES)


def test_method_name() -> None:
    assert AdapterConfig(method=LoraConfig()).method_name == "lora"
    assert AdapterConfig(method=BottleneckConfig()).method_name == "bottleneck"
