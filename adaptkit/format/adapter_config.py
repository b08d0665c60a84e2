"""`adapter_config.json`: an ordinary peft config for a pure LoRA, our own fields for everything else."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from adaptkit.composition import AdapterId
from adaptkit.config import (
    LINEAR_SITES,
    MAX_ALPHA,
    MAX_RANK,
    AdapterConfig,
    BottleneckConfig,
    BottleneckMadxConfig,
    FusionConfig,
    HeadConfig,
    HeadOnlyConfig,
    InvertibleConfig,
    LoraConfig,
    MethodConfig,
    SiteName,
)
from adaptkit.errors import ConfigError, LimitExceeded, MalformedConfig
from adaptkit.format.shapes import BackboneShape, DecoderShape, SiteAddress
from adaptkit.format.spec import MAX_BELOW, OWN_PEFT_TYPE, OWN_PREFIX, PEFT_PREFIX
from adaptkit.format.typed_json import LATEST, MistypedJson, decode, encode, needed_version

# What peft needs to read the folder, with the only values under which our layers compute the same.
_PEFT_FIXED: dict[str, object] = {
    "peft_type": "LORA",
    "task_type": None,
    "bias": "none",
    "fan_in_fan_out": False,
    "inference_mode": True,
}
_LIMITS = {
    "r": MAX_RANK,
    "rank": MAX_RANK,
    "width": MAX_RANK,
    "reduction_factor": MAX_RANK,
    "lora_alpha": MAX_ALPHA,
    "alpha": MAX_ALPHA,
}
_METHODS: dict[str, type[MethodConfig]] = {
    "lora": LoraConfig,
    "bottleneck": BottleneckConfig,
    "bottleneck_madx": BottleneckMadxConfig,
    "fusion": FusionConfig,
    "head": HeadOnlyConfig,
}
_FIELDS = {"peft_type", "method", "settings", "invertible"}
_FIELDS_OF_2 = {"head", "hides_top_block"}


@dataclass(frozen=True)
class _OptionalHead:
    head: HeadConfig | None


def _check_fused(method: FusionConfig) -> None:
    if len(method.fuses) > MAX_BELOW:
        raise MistypedJson(f"fuses names {len(method.fuses)} adapters; the reader's bound is {MAX_BELOW}")
    for name in method.fuses:
        AdapterId.parse(name)


def tensor_prefix(config: AdapterConfig) -> str:
    """What every tensor name begins with."""
    return PEFT_PREFIX if is_peft(config) else OWN_PREFIX


def is_peft(config: AdapterConfig) -> bool:
    """Whether plain peft can load the whole adapter."""
    return isinstance(config.method, LoraConfig) and config.invertible is None and not _needs_2(config)


def format_version(config: AdapterConfig, shape: BackboneShape) -> int:
    """The oldest format version that can hold a config."""
    if isinstance(config.method, BottleneckMadxConfig):
        version = 4
    else:
        version = 3 if isinstance(shape, DecoderShape) else 2 if _needs_2(config) else 1
    return max(version, needed_version(config.head))


def _needs_2(config: AdapterConfig) -> bool:
    return config.head is not None or config.hides_top_block or isinstance(config.method, FusionConfig)


def to_json(
    config: AdapterConfig, shape: BackboneShape, backbone_name: str, *, version: int = LATEST
) -> dict[str, object]:
    """The content of `adapter_config.json` in a version of the format."""
    if is_peft(config) and isinstance(config.method, LoraConfig):
        return _to_peft(config.method, shape, backbone_name)
    content = {
        "peft_type": OWN_PEFT_TYPE,
        "method": config.method_name,
        "settings": encode(config.method),
        "invertible": encode(config.invertible),
    }
    if not _needs_2(config):
        return content
    return {**content, "head": encode(config.head, version), "hides_top_block": config.hides_top_block}


def from_json(
    content: Mapping[str, object], shape: BackboneShape, path: Path, *, version: int = LATEST
) -> AdapterConfig:
    """Read `adapter_config.json` that was written in a version of the format.

    Raises:
        MalformedConfig: A field that is missing, unknown or of a value that adaptkit does not compute.
        LimitExceeded: A rank, alpha or factor above the reader's bounds.
    """
    for part in (content, content.get("settings"), content.get("invertible")):
        _check_limits(part, path)
    try:
        if content.get("peft_type") == "LORA":
            return AdapterConfig(method=_from_peft(content, shape))
        return _from_own(content, version)
    except (MistypedJson, ConfigError) as error:
        raise MalformedConfig(path, str(error)) from error


def _check_limits(part: object, path: Path) -> None:
    if isinstance(part, dict):
        for name, bound in _LIMITS.items():
            value = part.get(name)
            if isinstance(value, int | float) and value > bound:
                raise LimitExceeded(path, f"{name} is {value:,}; the reader's bound is {bound:,}.")


def _to_peft(method: LoraConfig, shape: BackboneShape, backbone_name: str) -> dict[str, object]:
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


def _from_peft(content: Mapping[str, object], shape: BackboneShape) -> LoraConfig:
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
            f"target module {unknown[0]!r} is no linear site of a {shape.model_type} backbone of this size"
        )
    if len(set(targets)) != len(targets):
        raise MistypedJson("a target module is named twice")
    named = {addresses[target] for target in targets}
    sites = tuple(site for site in LINEAR_SITES if any(address.site == site for address in named))
    blocks = tuple(sorted({address.block for address in named}))
    if {SiteAddress(block, site) for block in blocks for site in sites} != named:
        raise MistypedJson("the target modules are not the same sites in every block")
    return sites, None if blocks == tuple(range(shape.n_blocks)) else blocks


def _from_own(content: Mapping[str, object], version: int) -> AdapterConfig:
    if content.get("peft_type") != OWN_PEFT_TYPE:
        raise MistypedJson(f"peft_type is {content.get('peft_type')!r}, expected 'LORA' or {OWN_PEFT_TYPE!r}")
    if content.keys() not in (_FIELDS, _FIELDS | _FIELDS_OF_2):
        raise MistypedJson(
            f"the fields are {', '.join(sorted(content))}; expected {', '.join(sorted(_FIELDS))}, and for format "
            f"version 2 also {', '.join(sorted(_FIELDS_OF_2))}"
        )
    method = _METHODS.get(str(content["method"]))
    if method is None:
        raise MistypedJson(f"method {content['method']!r} is unknown; known: {', '.join(_METHODS)}")
    invertible = content["invertible"]
    config = AdapterConfig(
        method=decode(method, content["settings"], "settings"),
        invertible=None if invertible is None else decode(InvertibleConfig, invertible, "invertible"),
        head=decode(_OptionalHead, {"head": content.get("head")}, version=version).head,
        hides_top_block=decode(bool, content.get("hides_top_block", False), "hides_top_block"),
    )
    if isinstance(config.method, FusionConfig):
        _check_fused(config.method)
    if _needs_2(config) != (content.keys() > _FIELDS):
        raise MistypedJson("the fields of format version 2 are there without need, or are missing")
    if is_peft(config):
        raise MistypedJson("a LoRA without an invertible layer is written with peft_type 'LORA'")
    return config
