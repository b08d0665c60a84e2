"""A pure LoRA as peft's own `adapter_config.json`."""

from collections.abc import Mapping
from functools import lru_cache

from adaptkit.config import LINEAR_SITES, SiteName
from adaptkit.format.shapes import BackboneShape, SiteAddress
from adaptkit.format.typed_json import MistypedJson, decode
from adaptkit.methods import LoraConfig

# What peft needs to read the folder, with the only values under which our layers compute the same.
_PEFT_FIXED: dict[str, object] = {
    "peft_type": "LORA",
    "task_type": None,
    "bias": "none",
    "fan_in_fan_out": False,
    "inference_mode": True,
}


def to_peft(method: LoraConfig, shape: BackboneShape, backbone_name: str) -> dict[str, object]:
    """The whole content, under which peft loads the adapter."""
    return {
        **_PEFT_FIXED,
        "base_model_name_or_path": backbone_name,
        "r": method.rank,
        "lora_alpha": method.alpha,
        "lora_dropout": method.dropout,
        "use_rslora": method.scaling == "rank_stabilized",
        # Whole module paths: a short name such as output.dense would match attention.output.dense too.
        "target_modules": [
            place.module
            for address, place in sorted(shape.sites().items())
            if address.site in method.sites and (method.blocks is None or address.block in method.blocks)
        ],
    }


def from_peft(content: Mapping[str, object], shape: BackboneShape) -> LoraConfig:
    """The LoRA that such content describes.

    Raises:
        MistypedJson: A field that is missing, unknown or of a value that adaptkit does not compute.
    """
    known = {*_PEFT_FIXED, "base_model_name_or_path", "r", "lora_alpha", "lora_dropout", "use_rslora", "target_modules"}
    if unknown := sorted(content.keys() - known):
        raise MistypedJson(f"field {unknown[0]!r} is not one that adaptkit computes with")
    if missing := sorted(known - content.keys()):
        raise MistypedJson(f"field {missing[0]!r} is missing")
    for name, value in _PEFT_FIXED.items():
        if type(content[name]) is not type(value) or content[name] != value:
            raise MistypedJson(f"field {name!r} is {content[name]!r}, expected {value!r}")
    decode(str, content["base_model_name_or_path"], "base_model_name_or_path")
    targets = decode(tuple[str, ...], content["target_modules"], "target_modules")
    sites, blocks = _sites_and_blocks(targets, shape)
    return LoraConfig(
        rank=decode(int, content["r"], "r"),
        alpha=decode(float, content["lora_alpha"], "lora_alpha"),
        dropout=decode(float, content["lora_dropout"], "lora_dropout"),
        scaling="rank_stabilized" if decode(bool, content["use_rslora"], "use_rslora") else "standard",
        sites=sites,
        blocks=blocks,
    )


@lru_cache(maxsize=8)
def _linear_modules(shape: BackboneShape) -> Mapping[str, SiteAddress]:
    return {place.module: address for address, place in shape.sites().items() if address.site in LINEAR_SITES}


def _sites_and_blocks(
    targets: tuple[str, ...], shape: BackboneShape
) -> tuple[tuple[SiteName, ...], tuple[int, ...] | None]:
    addresses = _linear_modules(shape)
    unknown = [target for target in targets if target not in addresses]
    if unknown:
        raise MistypedJson(
            f"target module {unknown[0]!r} is not a linear site of a {shape.model_type} backbone of this size"
        )
    if len(set(targets)) != len(targets):
        raise MistypedJson("a target module is named twice")
    named = {addresses[target] for target in targets}
    sites = tuple(site for site in LINEAR_SITES if any(address.site == site for address in named))
    blocks = tuple(sorted({address.block for address in named}))
    there = set(addresses.values())
    if {SiteAddress(block, site) for block in blocks for site in sites} & there != named:
        raise MistypedJson("the target modules are not the same sites in every block")
    return sites, None if blocks == tuple(range(shape.n_all_blocks)) else blocks
