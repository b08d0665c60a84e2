"""Every method in the variations that tests go through, and where each has a place."""

from dataclasses import replace
from typing import Any

from adaptkit.config import LINEAR_SITES, SiteName
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.architectures import architecture_of
from adaptkit.methods import (
    BottleneckConfig,
    BottleneckMadxConfig,
    DoraConfig,
    Ia3Config,
    InvertibleConfig,
    LoraConfig,
    NgramsConfig,
)
from adaptkit.model import AdaptedModel

METHODS: dict[str, AdapterConfig] = {
    "lora": AdapterConfig(method=LoraConfig(rank=4, alpha=8, sites=LINEAR_SITES)),
    "lora, rank stabilized, some sites and blocks": AdapterConfig(
        method=LoraConfig(rank=3, scaling="rank_stabilized", sites=("attention.query", "ffn.output"), blocks=(1,))
    ),
    "dora": AdapterConfig(method=DoraConfig(rank=4, alpha=8)),
    "ia3": AdapterConfig(method=Ia3Config()),
    "bottleneck": AdapterConfig(method=BottleneckConfig(reduction_factor=4)),
    "bottleneck at both sites": AdapterConfig(
        method=BottleneckConfig(reduction_factor=4, activation="gelu", sites=("attention.residual", "block.output"))
    ),
    "bottleneck before the norm": AdapterConfig(
        method=BottleneckMadxConfig(width=8, sites=("attention.residual", "block.output")),
        invertible=InvertibleConfig(),
    ),
    "lora, hiding the top block from below": AdapterConfig(method=LoraConfig(rank=4), hides_top_block=True),
    "ngrams": AdapterConfig(method=NgramsConfig(n_rows=256, rank=8)),
    "lora + invertible": AdapterConfig(method=LoraConfig(rank=4), invertible=InvertibleConfig()),
    "bottleneck + invertible": AdapterConfig(
        method=BottleneckConfig(reduction_factor=4), invertible=InvertibleConfig(activation="silu")
    ),
}


def methods_on(family: str) -> list[str]:
    """The names of those that a backbone of this architecture has a place for."""
    row = architecture_of(family)
    free = [name for name, config in METHODS.items() if not isinstance(config.method, BottleneckMadxConfig)]
    if row.generates or row.blocks_field != "num_hidden_layers":
        free.remove("ngrams")  # there is no place behind the last block that is reached once
    if row.decoder is not None:
        # One of each kind: what differs there are the places, not the methods.
        return [name for name in free if name in ("lora", "ia3", "bottleneck + invertible")]
    return [name for name in METHODS if name in free or (row.post_norm and name != "ngrams")]


def at_sites_of(model: AdaptedModel, config: AdapterConfig) -> AdapterConfig:
    """The method at those of its sites that the backbone has, or at those that give the same together with others."""
    there = {address.site for address in model.backbone.shape.sites()}
    method: Any = config.method
    if there.issuperset(method.sites):
        return config
    named = dict.fromkeys(site if site in there else _FUSED.get(site, site) for site in method.sites)
    return replace(config, method=replace(method, sites=tuple(site for site in named if site in there)))


_FUSED: dict[SiteName, SiteName] = {
    "attention.query": "attention.qkv",
    "attention.key": "attention.qkv",
    "attention.value": "attention.qkv",
    "ffn.gate": "ffn.gate_input",
    "ffn.input": "ffn.gate_input",
}
