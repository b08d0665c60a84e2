"""What a caller asks of a method, and what comes of it on a backbone."""

from dataclasses import fields

import pytest

import adaptkit
from adaptkit.config import ENCODER_LINEAR_SITES, LINEAR_SITES, SiteName, SiteShape
from adaptkit.errors import ConfigError
from adaptkit.methods import (
    METHODS,
    Below,
    Bottleneck,
    BottleneckConfig,
    Fusion,
    FusionConfig,
    HeadOnly,
    HeadOnlyConfig,
    Ia3,
    Ia3Config,
    InvertibleConfig,
    Lora,
    LoraConfig,
    MethodConfig,
    Surroundings,
    TensorShapes,
    method_of,
    options_named,
)
from adaptkit.options import options_of

ENCODER = Surroundings(sites=ENCODER_LINEAR_SITES)
TWO = (Below("language/sw", ("attention.query",)), Below("language/yo", ("block.output", "attention.query")))


def test_an_ia3_acts_where_the_paper_has_it_or_where_it_is_said() -> None:
    assert Ia3().config(ENCODER) == Ia3Config(sites=("attention.key", "attention.value", "ffn.activation"))
    assert Ia3(sites=("ffn.output",), blocks=(0,)).config(ENCODER) == Ia3Config(sites=("ffn.output",), blocks=(0,))
    with pytest.raises(ConfigError, match=r"ia3 cannot act at block\.output"):
        Ia3(sites=("block.output",))


def test_a_lora_is_filled_in_by_the_backbone() -> None:
    assert Lora().config(ENCODER) == LoraConfig(rank=16, alpha=64, sites=ENCODER_LINEAR_SITES)
    assert Lora().config(Surroundings()).sites == LINEAR_SITES
    asked = Lora(rank=4, alpha=2, scaling="rank_stabilized", dropout=0.1, sites=("ffn.output",), blocks=(1,))
    assert asked.config(ENCODER) == LoraConfig(
        rank=4, alpha=2, scaling="rank_stabilized", dropout=0.1, sites=("ffn.output",), blocks=(1,)
    )


def test_bottlenecks_and_heads_are_the_same_on_every_backbone() -> None:
    assert Bottleneck(reduction_factor=4, blocks=(0,)).config(ENCODER) == BottleneckConfig(
        reduction_factor=4, blocks=(0,)
    )
    assert HeadOnly().config(ENCODER) == HeadOnlyConfig()


def test_a_fusion_acts_wherever_what_it_fuses_does() -> None:
    config = Fusion().config(Surroundings(below=TWO))
    assert config == FusionConfig(fuses=("language/sw", "language/yo"), sites=("attention.query", "block.output"))
    with pytest.raises(ConfigError, match="at least two adapters"):
        Fusion().config(Surroundings(below=TWO[:1]))
    with pytest.raises(ConfigError, match="language/rw have an invertible layer"):
        Fusion().config(Surroundings(below=(*TWO, Below("language/rw", ("attention.query",), inverts=True))))


def test_options_that_cannot_be_right_are_refused_at_once() -> None:
    with pytest.raises(ConfigError, match="rank"):
        Lora(rank=0)
    with pytest.raises(ConfigError, match=r"lora cannot act at block\.output"):
        Lora(sites=("block.output",))
    with pytest.raises(ConfigError, match="reduction_factor"):
        Bottleneck(reduction_factor=-1)


def test_a_name_stands_for_the_defaults() -> None:
    assert options_named("lora") == Lora()
    assert options_named(Lora(rank=2)) == Lora(rank=2)
    assert type(options_named("head")) is HeadOnly
    with pytest.raises(ConfigError, match=r"method is lora, bottleneck, fusion, head.*found 'lorra'"):
        options_named("lorra")
    with pytest.raises(ConfigError, match=r"only imported \(adaptkit\.import_adapterhub\)"):
        options_named("bottleneck_madx")
    with pytest.raises(ConfigError, match=r"takes options such as adaptkit\.Lora"):
        options_named(LoraConfig())  # type: ignore[arg-type]


def test_every_option_has_a_sentence() -> None:
    for row in METHODS.values():
        if row.options is not None:
            assert options_of(row.options).keys() == {field.name for field in fields(row.options)}


def test_a_value_is_of_one_row() -> None:
    assert method_of(LoraConfig()) is method_of(Lora()) is METHODS["lora"]
    for name, row in METHODS.items():
        assert row.name == name
    assert adaptkit.METHODS is METHODS


class StrangeConfig:
    sites: tuple[SiteName, ...] = ("attention.query",)
    blocks = None
    fuses = ()

    def tensors(self, place: SiteShape) -> TensorShapes:
        return {"scale": (place.out_width,)}


def test_a_method_that_is_not_registered_is_refused() -> None:
    config: MethodConfig = StrangeConfig()
    with pytest.raises(ConfigError, match=r"StrangeConfig belongs to no registered method.*METHODS\.register"):
        method_of(config)


def test_kinds_that_a_method_is_not_for() -> None:
    METHODS["lora"].require_kind("task")
    with pytest.raises(ConfigError, match="a domain adapter has none"):
        METHODS["head"].require_kind("domain")
    with pytest.raises(ConfigError, match="fusion is trained on text"):
        METHODS["fusion"].require_kind("task")


def test_the_invertible_layer_is_a_part_and_no_method() -> None:
    assert "invertible" not in METHODS
    assert InvertibleConfig().sites == ("embeddings",)
