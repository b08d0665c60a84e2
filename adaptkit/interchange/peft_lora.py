"""LoRA and DoRA of peft as ours.

A LoRA of ours has one rank and one scale everywhere. peft's may differ from module to module; such a one is held at its
largest rank, filled up with zeros, with each module's own scale folded into its B. That is exact.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from adaptkit.config import LINEAR_SITES, MAX_ALPHA, MAX_BLOCKS, MAX_RANK
from adaptkit.errors import LimitExceeded, MalformedConfig, NotConvertible, TensorShapeMismatch
from adaptkit.interchange.peft_folder import PeftFolder
from adaptkit.interchange.peft_tensors import Part, paths_of_module
from adaptkit.layers.adapter_layer import product_of
from adaptkit.layers.dora import row_lengths
from adaptkit.methods import DoraConfig, LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.weights.low_rank import LowRank, lora_of

_LEAVE_THE_BACKBONE = (None, True, False, "gaussian", "eva", "orthogonal")
"""Ways to begin that change nothing in the weights below; after others, an adapter alone is not the model."""
UNDERSTOOD = {
    *("lora_alpha", "use_rslora", "alpha_pattern", "init_lora_weights", "use_dora"),
    # Dropout acts in training only; where layers act and of what rank, the tensors say.
    *("lora_dropout", "r", "layers_to_transform", "layers_pattern", "rank_pattern"),
    # How training began, or what acts only with another option that is refused.
    *("loftq_config", "eva_config", "corda_config", "lora_ga_config", "qalora_group_size", "ensure_weight_tying"),
    *("megatron_config", "megatron_core"),
}
_LENGTHS: Part = "lora_magnitude_vector"
_MOST_ALPHAS = MAX_BLOCKS * len(LINEAR_SITES)
_PLAIN_NAME = re.compile(r"\^?\w+(\\?\.\w+)*")


def check_lora(config: Mapping[str, object], path: Path) -> None:
    """See that the backbone is the one that it was before training began.

    Raises:
        NotConvertible: It is not.
    """
    begun = config.get("init_lora_weights")
    if begun not in _LEAVE_THE_BACKBONE:
        raise NotConvertible(
            f"{path} has init_lora_weights {begun!r}, which changes the weights below too, so that the adapter alone "
            "is not the model. Convert it with peft (path_initial_model_for_weight_conversion), or merge it there."
        )


def read_lora(folder: PeftFolder, model: AdaptedModel) -> tuple[LoraConfig | DoraConfig, dict[str, Tensor]]:
    """The adapter in a folder of peft type LORA, with its tensors by name.

    Raises:
        AdapterFileError: The folder is not a sound LoRA, or not one for this backbone.
        NotConvertible: A pattern that is no name.
    """
    loras, lengths = _layers(folder)
    lora = lora_of(
        {address: loras[place.module] for address, place in folder.sites.items() if place.module in loras},
        folder.sites,
        "rank_stabilized" if folder.config.get("use_rslora") else "standard",
    )
    return _dora(model, *lora, lengths) if folder.config.get("use_dora") else lora


def _layers(folder: PeftFolder) -> tuple[dict[str, LowRank], dict[str, Tensor]]:
    """The matrices at each module of ours, and lengths of rows of a DoRA."""
    lora: set[Part] = {"lora_A", "lora_B"}
    if folder.config.get("use_dora"):
        folder.require({*lora, _LENGTHS}, of="DoRA")
    else:
        folder.require(lora, of="LoRA")
    places = {place.module: place for place in folder.sites.values()}
    expected: dict[str, tuple[int, ...]] = {}
    for module, parts in folder.named.layers.items():
        rank, place = _rank(folder, parts["lora_A"]), places[module]
        expected |= {parts["lora_A"]: (rank, place.in_width), parts["lora_B"]: (place.out_width, rank)}
        expected |= {name: (place.out_width,) for part, name in parts.items() if part == _LENGTHS}
    tensors, alphas = folder.tensors(expected), _alphas(folder.config, folder.config_file)
    loras = {
        module: LowRank(
            tensors[parts["lora_A"]].float(),
            tensors[parts["lora_B"]].float(),
            _scale(folder.config, alphas, parts["lora_A"], expected[parts["lora_A"]][0], folder.config_file),
        )
        for module, parts in folder.named.layers.items()
    }
    found = folder.named.layers.items()
    return loras, {module: tensors[parts[_LENGTHS]].float() for module, parts in found if _LENGTHS in parts}


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


def _rank(folder: PeftFolder, name: str) -> int:
    match folder.claimed_shape(name):
        case (rank, _) if 1 <= rank <= MAX_RANK:
            return rank
        case shape:
            raise TensorShapeMismatch(
                folder.weights_file,
                f"tensor {name} has shape {list(shape)}, expected (rank, width), rank up to {MAX_RANK}.",
            )


def _alphas(config: Mapping[str, object], file: Path) -> list[tuple[re.Pattern[str], object]]:
    """The alphas of some modules, by what matches their names."""
    pattern = config.get("alpha_pattern") or {}
    if not isinstance(pattern, dict):
        raise MalformedConfig(file, "has an alpha_pattern that is not a JSON object.")
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
