"""LoRA: what is asked for, what an adapter is, and its row."""

from dataclasses import dataclass
from typing import ClassVar

from adaptkit.later import later
from adaptkit.methods.low_rank import LowRankConfig, LowRankOptions
from adaptkit.methods.method import Method


@dataclass(frozen=True, kw_only=True)
class LoraConfig(LowRankConfig):
    """Low-rank adaptation (Hu et al. 2021, arXiv:2106.09685): `scaling * B(A(dropout(x)))` added at each site.

    Raises:
        ConfigError: As `LowRankConfig`.
    """

    method: ClassVar[str] = "lora"


@dataclass(frozen=True, kw_only=True)
class Lora(LowRankOptions):
    """A LoRA to be trained.

    Raises:
        ConfigError: Options that cannot be right.
    """

    made: ClassVar[type[LowRankConfig]] = LoraConfig


LORA = Method(
    name="lora",
    config=LoraConfig,
    options=Lora,
    layer=later("adaptkit.layers.lora", "lora_layer"),
    paper="LoRA: Hu et al. 2021, arXiv:2106.09685",
    is_peft=True,
)
