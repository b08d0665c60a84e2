"""`adapter_config.json`: an ordinary peft config for a pure LoRA, our own fields for everything else."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adaptkit.composition import AdapterId
from adaptkit.config import MAX_ALPHA, MAX_RANK
from adaptkit.errors import ConfigError, LimitExceeded, MalformedConfig
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.peft_form import from_peft, to_peft
from adaptkit.format.shapes import BackboneShape, DecoderShape, EncoderDecoderShape, FactorisedShape
from adaptkit.format.spec import MAX_BELOW, OWN_PEFT_TYPE, OWN_PREFIX, PEFT_PREFIX
from adaptkit.format.typed_json import LATEST, MistypedJson, decode, encode, needed_version
from adaptkit.methods import METHODS, PIECES, InvertibleConfig, LoraConfig, PiecesConfig, method_of
from adaptkit.objectives.projection import ProjectionConfig
from adaptkit.task_types import HeadConfig

_LIMITS = {
    "r": MAX_RANK,
    "rank": MAX_RANK,
    "width": MAX_RANK,
    "reduction_factor": MAX_RANK,
    "lora_alpha": MAX_ALPHA,
    "alpha": MAX_ALPHA,
}
_FIELDS = {"peft_type", "method", "settings", "invertible"}
_FIELDS_OF_2 = {"head", "hides_top_block"}
_FIELDS_OF_8 = {"pieces"}
_FIELDS_OF_9 = {"projection"}
_PROJECTION_SINCE = 9


@dataclass(frozen=True)
class _OptionalHead:
    head: HeadConfig | None


def _check_fused(fuses: tuple[str, ...]) -> None:
    if len(fuses) > MAX_BELOW:
        raise MistypedJson(f"fuses names {len(fuses)} adapters; the reader's bound is {MAX_BELOW}")
    for name in fuses:
        AdapterId.parse(name)


def tensor_prefix(config: AdapterConfig) -> str:
    """What every tensor name begins with."""
    return PEFT_PREFIX if is_peft(config) else OWN_PREFIX


def is_peft(config: AdapterConfig) -> bool:
    """Whether plain peft can load the whole adapter."""
    return method_of(config.method).is_peft and config.invertible is None and not _needs_2(config)


def format_version(config: AdapterConfig, shape: BackboneShape) -> int:
    """The oldest format version that can hold a config."""
    version = 3 if isinstance(shape, DecoderShape) else 2 if _needs_2(config) else 1
    version = 9 if isinstance(shape, EncoderDecoderShape | FactorisedShape) else version
    version = version if config.projection is None else _PROJECTION_SINCE
    pieces = 1 if config.pieces is None else PIECES.format_version
    return max(version, method_of(config.method).format_version, needed_version(config.head), pieces)


def _needs_2(config: AdapterConfig) -> bool:
    parts = (config.head, config.pieces, config.projection)
    return any(part is not None for part in parts) or config.hides_top_block or bool(config.method.fuses)


def to_json(
    config: AdapterConfig, shape: BackboneShape, backbone_name: str, *, version: int = LATEST
) -> dict[str, object]:
    """The content of `adapter_config.json` in a version of the format."""
    if is_peft(config) and isinstance(config.method, LoraConfig):
        return to_peft(config.method, shape, backbone_name)
    content = {
        "peft_type": OWN_PEFT_TYPE,
        "method": config.method_name,
        "settings": encode(config.method),
        "invertible": encode(config.invertible),
    }
    if not _needs_2(config):
        return content
    content |= {"head": encode(config.head, version), "hides_top_block": config.hides_top_block}
    more = {"pieces": config.pieces, "projection": config.projection}
    return {**content, **{name: encode(part) for name, part in more.items() if part is not None}}


def from_json(
    content: Mapping[str, object], shape: BackboneShape, path: Path, *, version: int = LATEST
) -> AdapterConfig:
    """Read `adapter_config.json` that was written in a version of the format.

    Raises:
        MalformedConfig: A field that is missing, unknown or of a value that adaptkit does not compute; a method
            that is not registered here.
        LimitExceeded: A rank, alpha or factor above the reader's bounds.
    """
    for part in (content, content.get("settings"), content.get("invertible")):
        _check_limits(part, path)
    try:
        if content.get("peft_type") == "LORA":
            return AdapterConfig(method=from_peft(content, shape))
        return _from_own(content, version)
    except (MistypedJson, ConfigError) as error:
        raise MalformedConfig(path, str(error)) from error


def _check_limits(part: object, path: Path) -> None:
    if isinstance(part, dict):
        for name, bound in _LIMITS.items():
            value = part.get(name)
            if isinstance(value, int | float) and value > bound:
                raise LimitExceeded(path, f"{name} is {value:,}; the reader's bound is {bound:,}.")


def _from_own(content: Mapping[str, object], version: int) -> AdapterConfig:
    if content.get("peft_type") != OWN_PEFT_TYPE:
        raise MistypedJson(f"peft_type is {content.get('peft_type')!r}, expected 'LORA' or {OWN_PEFT_TYPE!r}")
    least = _FIELDS | _FIELDS_OF_2
    if content.keys() != _FIELDS and not least <= content.keys() <= least | _FIELDS_OF_8 | _FIELDS_OF_9:
        raise MistypedJson(
            f"the fields are {', '.join(sorted(content))}; expected {', '.join(sorted(_FIELDS))}, and for format "
            f"version 2 also {', '.join(sorted(_FIELDS_OF_2))}, and where it has pieces (version 8) or a projection "
            "(version 9) these"
        )
    name = str(content["method"])
    if name not in METHODS:
        raise MistypedJson(
            f"method {name!r} is not registered here; registered: {', '.join(METHODS)}. Import the module that defines "
            "it before the adapter is read (it calls adaptkit.METHODS.register; in a shell: adaptkit --import FILE.py "
            "...); a newer version may have it"
        )
    invertible = content["invertible"]
    config = AdapterConfig(
        method=decode(METHODS[name].config, content["settings"], "settings"),
        invertible=None if invertible is None else decode(InvertibleConfig, invertible, "invertible"),
        head=decode(_OptionalHead, {"head": content.get("head")}, version=version).head,
        hides_top_block=decode(bool, content.get("hides_top_block", False), "hides_top_block"),
        pieces=decode(PiecesConfig, content["pieces"], "pieces") if "pieces" in content else None,
        projection=decode(ProjectionConfig, content["projection"], "projection") if "projection" in content else None,
    )
    _check_fused(config.method.fuses)
    if _needs_2(config) != (content.keys() > _FIELDS):
        raise MistypedJson("the fields of format version 2 are there without need, or are missing")
    if is_peft(config):
        raise MistypedJson("a LoRA without an invertible layer is written with peft_type 'LORA'")
    return config
