"""A GGUF file as what a backbone is loaded from."""

from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedConfig, PreTrainedModel

from adaptkit.backbones.gguf_family import GgufFamily, family_of
from adaptkit.backbones.gguf_file import ENDING, GgufEntry, GgufFile
from adaptkit.backbones.gguf_tensor import GgufTensor
from adaptkit.backbones.stored_tensors import StoredTensor
from adaptkit.errors import CorruptBackbone
from adaptkit.format.architectures import architecture_of
from adaptkit.terminal.plain_text import one_line

_NORM = "norm.weight"


def facts_of(file: GgufFile) -> dict[str, str]:
    """Name and release: the file's own name, and the type that most of its matrices are in."""
    kinds = Counter(entry.kind_name for entry in file.entries.values() if len(entry.shape) > 1)
    (most, _), *_ = kinds.most_common(1) or [("nothing", 0)]
    return {"name": one_line(file.path.name.removesuffix(ENDING)), "release": f"{most} (GGUF)", "text_prefix": ""}


def gguf_tensors(file: GgufFile, network: PreTrainedModel) -> Mapping[str, StoredTensor]:
    """Where the tensors of a network lie, under the names that the bare model gives them.

    Raises:
        CorruptBackbone: The file has tensors that nothing would read, or of a type that cannot be read.
    """
    config, family, architecture = network.config, family_of(file), str(file.fields["general.architecture"])
    output, inner = f"{architecture_of(config.model_type).output}.weight", network.base_model_prefix
    # llama.cpp knows tensors by their names under a head.
    full = {**{name: f"{inner}.{name}" for name, _ in network.named_parameters()}, output: output}
    names = {_name_there(name, architecture, config.num_hidden_layers): ours for ours, name in full.items()}
    unread = sorted(file.entries.keys() - names.keys())
    if unread:
        raise CorruptBackbone(
            f"{file.path.name} has {len(unread)} tensors that a {config.model_type} network does not read (first: "
            f"{unread[0]!r:.80}): without them it would be another model. Positions that are rescaled, experts and "
            "images are not read; use the model's transformers folder."
        )
    return {
        ours: _stored(ours, file.path, file.entries[there], config, family)
        for there, ours in names.items()
        if there in file.entries
    }


def _name_there(name: str, architecture: str, n_blocks: int) -> str:
    stem, _, last = name.rpartition(".")
    found = _names(architecture, n_blocks).get_name(stem)  # type: ignore[attr-defined]
    return f"{found}.{last}"


@cache
def _names(architecture: str, n_blocks: int) -> object:
    import gguf

    (kind,) = (kind for kind, name in gguf.MODEL_ARCH_NAMES.items() if name == architecture)
    return gguf.get_tensor_name_map(kind, n_blocks)


def _stored(name: str, path: Path, entry: GgufEntry, config: PreTrainedConfig, family: GgufFamily) -> GgufTensor:
    values, n_bytes = entry.block
    if not _can_be_read(entry.kind) or (len(entry.shape) == 1 and values > 1):
        raise CorruptBackbone(
            f"{path.name} holds {entry.name!r:.80} as {entry.kind_name}, which the package gguf cannot read. Take a "
            "file of another type, Q8_0 or Q4_K_M for example."
        )
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    part = name.split(".")[-2]
    return GgufTensor(
        name,
        path,
        entry.offset,
        entry.shape,
        torch.float32,
        kind=entry.kind,
        block_values=values,
        block_bytes=n_bytes,
        interleaved=heads.get(part, 0) if family.interleaved else 0,
        above=family.norms_above if name.endswith(_NORM) else 0.0,
    )


@cache
def _can_be_read(kind: int) -> bool:
    import gguf

    _, n_bytes = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType(kind)]
    try:
        gguf.dequantize(np.zeros((1, n_bytes), np.uint8), gguf.GGMLQuantizationType(kind))
    except NotImplementedError:
        return False
    return True
