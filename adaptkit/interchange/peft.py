"""LoRA folders of peft, read as adapters.

A LoRA of ours has one rank and one scale everywhere. peft's may differ from module to module; such a one is held at its
largest rank, filled up with zeros, with each module's own scale folded into its B. That is exact.
"""

import math
import re
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor

from adaptkit.composition import AdapterId
from adaptkit.config import LINEAR_SITES, MAX_ALPHA, MAX_BLOCKS, MAX_RANK, Kind, SiteShape
from adaptkit.errors import ConfigError, LimitExceeded, MalformedConfig, NotConvertible, TensorShapeMismatch
from adaptkit.format import spec
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import Card
from adaptkit.format.folder import Folder, read_file, read_json
from adaptkit.format.tensor_file import parse_header
from adaptkit.interchange.peft_tensors import Part, PeftTensors, paths_of_module
from adaptkit.languages import canonical_tag
from adaptkit.layers.adapter_layer import product_of
from adaptkit.layers.dora import row_lengths
from adaptkit.methods import DoraConfig, LoraConfig
from adaptkit.model import AdaptedModel, load_model
from adaptkit.model.making import made
from adaptkit.storage import Adapter
from adaptkit.storage.tensors import parse_tensors
from adaptkit.terminal.asking import as_typed
from adaptkit.terminal.plain_text import is_one_line, one_line
from adaptkit.weights.low_rank import LowRank, lora_of

_LEAVE_THE_BACKBONE = (None, True, False, "gaussian", "eva", "orthogonal")
"""Ways to begin that change nothing in the weights below; after others, an adapter alone is not the model."""
_UNDERSTOOD = {
    *("peft_type", "lora_alpha", "use_rslora", "alpha_pattern", "init_lora_weights", "use_dora"),
    # What says nothing of outputs: names, and dropout, which acts in training only.
    *("auto_mapping", "base_model_name_or_path", "inference_mode", "peft_version", "revision", "runtime_config"),
    "lora_dropout",
    # Where layers act and of what rank, the tensors say.
    *("r", "target_modules", "exclude_modules", "layers_to_transform", "layers_pattern", "rank_pattern", "task_type"),
    # How training began, or what acts only with another option that is refused.
    *("loftq_config", "eva_config", "corda_config", "lora_ga_config", "qalora_group_size", "ensure_weight_tying"),
    *("megatron_config", "megatron_core"),
}
_LENGTHS: Part = "magnitude_vector"
_Found: TypeAlias = tuple[dict[str, LowRank], dict[str, Tensor], str]
_MOST_ALPHAS = MAX_BLOCKS * len(LINEAR_SITES)
_PICKLE = "adapter_model.bin"
_HEAD_FIELD = "modules_to_save"
_PLAIN_NAME = re.compile(r"\^?\w+(\\?\.\w+)*")


def import_peft(
    folder: str | PathLike[str],
    *,
    lang: str,
    domain: str | None = None,
    backbone: str | AdaptedModel | None = None,
    licence: str = "not stated",
    without_head: bool = False,
) -> Adapter:
    """Read a LoRA or DoRA that peft saved, as a language adapter, or with `domain` as a domain adapter of that name.

    The result gives what peft gives with the same folder on the same backbone, which is for you to name: a peft folder
    says only what its backbone was called. It may have been trained inside any class with a head; what was trained of
    the head is left out with `without_head`, and the card names it. Rank stabilisation and patterns of ranks and alphas
    are read.

    Raises:
        AdapterFileError: The folder is no sound LoRA of peft, or not one for this backbone.
        NotConvertible: It has what our layers do not compute: biases, trained embeddings; or a head, without
            `without_head`.
        ConfigError: A wrong option; `UnknownLanguage` for `lang`.
    """
    path, language = Path(folder), canonical_tag(lang)
    if not is_one_line(licence):
        raise ConfigError(f"the licence {licence!r} is not one line; give its name.")
    kind: Kind = "language" if domain is None else "domain"
    adapter_id = AdapterId(kind, language if domain is None else domain)
    if (path / _PICKLE).exists() and not (path / spec.WEIGHTS_FILE).exists():
        raise NotConvertible(
            f"{path} holds {_PICKLE}, a pickle, which can run code and is not read. Save it again with peft: "
            "save_pretrained(folder) writes safetensors."
        )
    config = read_json(Folder(path), spec.CONFIG_FILE)
    _check(config, path / spec.CONFIG_FILE, without_head=without_head)
    model = backbone if isinstance(backbone, AdaptedModel) else load_model(backbone)
    sites = {at: place for at, place in model.backbone.shape.sites().items() if at.site in LINEAR_SITES}
    loras, lengths, head = _read(path, config, {place.module: place for place in sites.values()})
    if head and not without_head:
        raise NotConvertible(
            f"{path / spec.WEIGHTS_FILE} holds a head beside the LoRA ({head}), whose outputs would be lost. If the "
            f"LoRA alone is what you need, leave the head out: {as_typed(without_head=True)}."
        )
    method: LoraConfig | DoraConfig
    method, tensors = lora = lora_of(
        {at: loras[place.module] for at, place in sites.items() if place.module in loras},
        sites,
        "rank_stabilized" if config.get("use_rslora") else "standard",
    )
    if config.get("use_dora"):
        method, tensors = _dora(model, *lora, lengths)
    said = one_line(str(config.get("base_model_name_or_path") or "a backbone without a name"), at_most=200)
    return made(
        model,
        kind=kind,
        name=adapter_id.name,
        language=language,
        config=AdapterConfig(method=method),
        tensors=tensors,
        card=Card(
            source=f"imported from a peft folder, which says it was trained on {said}"
            + (f"; its head ({head}) is left out" if head else ""),
            licence=licence,
        ),
    )


def _check(config: Mapping[str, object], path: Path, *, without_head: bool) -> None:
    if config.get("peft_type") != "LORA":
        raise NotConvertible(f"{path} has peft_type {config.get('peft_type')!r}; only 'LORA' is read.")
    begun = config.get("init_lora_weights")
    if begun not in _LEAVE_THE_BACKBONE:
        raise NotConvertible(
            f"{path} has init_lora_weights {begun!r}, which changes the weights below too, so that the adapter alone "
            "is not the model. Convert it with peft (path_initial_model_for_weight_conversion), or merge it there."
        )
    if (trained := config.get(_HEAD_FIELD)) and not without_head:
        raise NotConvertible(
            f"{path} says that more was trained than the LoRA ({_HEAD_FIELD} {trained!r:.80}). If that is a head, and "
            f"the LoRA alone is what you need, leave the head out: {as_typed(without_head=True)}."
        )
    neutral = {"bias": "none"}
    for name, value in config.items():
        if name not in {_HEAD_FIELD, *_UNDERSTOOD} and value and value != neutral.get(name):
            raise NotConvertible(f"{path} has {name} {value!r:.80}, which adaptkit does not compute with.")


def _read(path: Path, config: Mapping[str, object], places: Mapping[str, SiteShape]) -> _Found:
    """The matrices at each module of ours, lengths of rows of a DoRA, and the modules of a head, in words."""
    file = path / spec.WEIGHTS_FILE
    content = read_file(path, spec.WEIGHTS_FILE, max_bytes=spec.MAX_WEIGHTS_BYTES)
    header = parse_header(content, file)
    named = PeftTensors.of(header, places, file)
    expected: dict[str, tuple[int, ...]] = {name: _claimed_shape(header[name]) for name in named.outside}
    kind, wanted = ("DoRA", {*"AB", _LENGTHS}) if config.get("use_dora") else ("LoRA", {*"AB"})
    for module, parts in named.loras.items():
        if parts.keys() != wanted:
            raise MalformedConfig(file, f"has at {module} {_listed(parts)}; a {kind} has {_listed(wanted)} there.")
        rank, place = _rank(header[parts["A"]], parts["A"], file), places[module]
        expected |= {parts["A"]: (rank, place.in_width), parts["B"]: (place.out_width, rank)}
        expected |= {name: (place.out_width,) for part, name in parts.items() if part == _LENGTHS}
    tensors = parse_tensors(content, expected, file)
    alphas = _alphas(config, path / spec.CONFIG_FILE)
    loras = {
        module: LowRank(
            tensors[parts["A"]].float(),
            tensors[parts["B"]].float(),
            _scale(config, alphas, parts["A"], expected[parts["A"]][0], path / spec.CONFIG_FILE),
        )
        for module, parts in named.loras.items()
    }
    lengths = {module: tensors[parts[_LENGTHS]].float() for module, parts in named.loras.items() if _LENGTHS in parts}
    return loras, lengths, named.head


def _listed(parts: Iterable[str]) -> str:
    return " and ".join(f"lora_{part}" for part in sorted(parts))


def _dora(
    model: AdaptedModel, lora: LoraConfig, tensors: Mapping[str, Tensor], lengths: Mapping[str, Tensor]
) -> tuple[DoraConfig, dict[str, Tensor]]:
    """Lengths of rows as shares of those that the backbone's rows have; where peft has no DoRA, they stay."""
    gains = {}
    for name, a in tensors.items():
        module, matrix = name.rsplit(".lora_", 1)
        if matrix == "A.weight":
            gains[f"{module}.gain"] = torch.ones(len(tensors[f"{module}.lora_B.weight"]))
            if module in lengths:
                product = product_of(model.network.get_submodule(module))
                gains[f"{module}.gain"] = lengths[module] / row_lengths(product, a.to(model.backbone.device)).cpu()
    return DoraConfig(**vars(lora)), {**tensors, **gains}


def _claimed_shape(entry: object) -> tuple[int, ...]:
    """The shape of a tensor that is not kept, as far as it is one; the check of the file sees to the rest."""
    shape = entry.get("shape") if isinstance(entry, dict) else None
    return tuple(shape) if isinstance(shape, list) and all(type(size) is int for size in shape) else ()


def _rank(entry: object, name: str, file: Path) -> int:
    shape = entry.get("shape") if isinstance(entry, dict) else None
    match shape:
        case [int(rank), int()] if 1 <= rank <= MAX_RANK:
            return rank
    raise TensorShapeMismatch(file, f"tensor {name} has shape {shape}, expected (rank, width), rank up to {MAX_RANK}.")


def _alphas(config: Mapping[str, object], file: Path) -> list[tuple[re.Pattern[str], object]]:
    """The alphas of some modules, by what matches their names."""
    pattern = config.get("alpha_pattern") or {}
    if not isinstance(pattern, dict):
        raise MalformedConfig(file, "has an alpha_pattern that is no JSON object.")
    if len(pattern) > _MOST_ALPHAS:
        raise LimitExceeded(
            file, f"has an alpha_pattern of {len(pattern):,} names; the reader's bound is {_MOST_ALPHAS:,}."
        )
    for key in pattern:
        if not _PLAIN_NAME.fullmatch(key):
            # A pattern is a regular expression; one from a stranger may take for ever.
            raise NotConvertible(f"{file} has the alpha_pattern {key!r:.80}; only names of modules are read.")
    # As peft matches them; without repetitions that is safe.
    return [(re.compile(rf"(.*\.)?({key})$"), value) for key, value in pattern.items()]


def _scale(
    config: Mapping[str, object], alphas: list[tuple[re.Pattern[str], object]], tensor: str, rank: int, file: Path
) -> float:
    # What wraps the network may have come before peft gave a module its alpha, or after.
    paths = paths_of_module(tensor)
    alpha = next((value for named, value in alphas if any(map(named.match, paths))), config.get("lora_alpha"))
    if not isinstance(alpha, int | float) or isinstance(alpha, bool) or not 0 < alpha <= MAX_ALPHA:
        raise MalformedConfig(file, f"has the alpha {alpha!r:.40} at {paths[0][:120]}, expected a number above 0.")
    return float(alpha) / (math.sqrt(rank) if config.get("use_rslora") else rank)
