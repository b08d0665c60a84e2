"""Families of decoders as GGUF files have them: what their sizes are in transformers, and what their values mean."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from transformers import AutoConfig, PreTrainedConfig

from adaptkit.backbones.config_file import checked_config
from adaptkit.backbones.gguf_file import GgufFile
from adaptkit.errors import CorruptBackbone, UnsupportedArchitecture

_TABLE, _OUTPUT = "token_embd.weight", "output.weight"
_GEMMA_27B_BLOCKS = 62


@dataclass(frozen=True, kw_only=True)
class GgufFamily:
    """One `general.architecture`. `model_type` is what transformers calls it, `more` what its config has besides.

    With `interleaved`, the rows of queries and keys lie in the pairs that llama.cpp rotates. With `norms_above`, norms
    are written with 1 added, as llama.cpp multiplies by them.
    """

    model_type: str
    more: Callable[["Sizes"], dict[str, Any]]
    interleaved: bool = False
    norms_above: float = 0.0


@dataclass(frozen=True)
class Sizes:
    """The fields of a file, by their name without the architecture's."""

    file: GgufFile
    architecture: str

    def get(self, name: str, default: object = None) -> Any:  # noqa: ANN401 - of many types
        """A field, or a default."""
        return self.file.fields.get(f"{self.architecture}.{name}", default)

    def need(self, name: str) -> Any:  # noqa: ANN401
        """A field that there has to be."""
        found = self.get(name)
        if found is None:
            raise CorruptBackbone(
                f"{self.file.path.name} does not say {self.architecture}.{name}, which its network needs. Fetch the "
                "file again, or convert the model anew."
            )
        return found

    def has(self, tensor: str) -> bool:
        """Whether the file has a tensor."""
        return tensor in self.file.entries

    @property
    def head_width(self) -> int:
        """Values of one head."""
        queries: int = self.get("attention.key_length") or self.need("embedding_length") // self.need(
            "attention.head_count"
        )
        return queries


def _llama(sizes: Sizes) -> dict[str, Any]:
    return {
        "head_dim": sizes.get("attention.key_length") or sizes.get("rope.dimension_count") or sizes.head_width,
        "attention_bias": sizes.has("blk.0.attn_q.bias"),
        "mlp_bias": sizes.has("blk.0.ffn_up.bias"),
    }


def _qwen2(sizes: Sizes) -> dict[str, Any]:  # noqa: ARG001 - it says no more than the others
    return {}


def _qwen3(sizes: Sizes) -> dict[str, Any]:
    return {"head_dim": sizes.head_width, "attention_bias": sizes.has("blk.0.attn_q.bias")}


def _gemma3(sizes: Sizes) -> dict[str, Any]:
    # Of llama.cpp's own table: the 27B model alone scales by the width of queries over the number of heads.
    by_width = sizes.need("block_count") == _GEMMA_27B_BLOCKS
    shared = sizes.need("embedding_length") // sizes.need("attention.head_count")
    return {
        "head_dim": sizes.head_width,
        "sliding_window": sizes.need("attention.sliding_window"),
        "query_pre_attn_scalar": shared if by_width else sizes.head_width,
        "rope_parameters": {
            "full_attention": {"rope_type": "default", "rope_theta": sizes.get("rope.freq_base", 1_000_000.0)},
            "sliding_attention": {"rope_type": "default", "rope_theta": sizes.get("rope.freq_base_swa", 10_000.0)},
        },
    }


def _phi3(sizes: Sizes) -> dict[str, Any]:
    rotated = sizes.get("rope.dimension_count", sizes.head_width)
    theta = sizes.get("rope.freq_base", 10_000.0)
    part = {"partial_rotary_factor": rotated / sizes.head_width}
    return {
        "sliding_window": sizes.get("attention.sliding_window"),
        "rope_parameters": {"rope_type": "default", "rope_theta": theta, **part},
        **part,
    }


FAMILIES: Mapping[str, GgufFamily] = {
    "llama": GgufFamily(model_type="llama", more=_llama, interleaved=True),
    "qwen2": GgufFamily(model_type="qwen2", more=_qwen2),
    "qwen3": GgufFamily(model_type="qwen3", more=_qwen3),
    "gemma3": GgufFamily(model_type="gemma3_text", more=_gemma3, norms_above=1.0),
    "phi3": GgufFamily(model_type="phi3", more=_phi3),
}
"""By `general.architecture`. Mistral's files say `llama`."""


def family_of(file: GgufFile) -> GgufFamily:
    """What is known of a file's family.

    Raises:
        UnsupportedArchitecture: Nothing is.
    """
    name = str(file.fields.get("general.architecture", "nothing"))
    if name not in FAMILIES:
        raise UnsupportedArchitecture(f"{name} (of a GGUF file)", tuple(FAMILIES))
    return FAMILIES[name]


def config_of(file: GgufFile) -> PreTrainedConfig:
    """The transformers config of a file's network.

    Raises:
        UnsupportedArchitecture: A family, or a rescaling of positions, that is not read.
        CorruptBackbone: A size is missing or cannot be right.
    """
    family, architecture = family_of(file), str(file.fields["general.architecture"])
    sizes = Sizes(file, architecture)
    rescaled = sizes.get("rope.scaling.type", "none")
    if rescaled != "none":
        raise UnsupportedArchitecture(f"{architecture} with {rescaled} positions (of a GGUF file)", tuple(FAMILIES))
    table = file.entries.get(_TABLE)
    if table is None or len(table.shape) != 2:
        raise CorruptBackbone(f"{file.path.name} has no word embeddings ({_TABLE}). Fetch the file again.")
    tokens = {
        f"{role}_token_id": file.fields.get(f"tokenizer.ggml.{name}_token_id")
        for role, name in (("bos", "bos"), ("eos", "eos"), ("pad", "padding"))
    }
    content = {
        "hidden_size": sizes.need("embedding_length"),
        "num_hidden_layers": sizes.need("block_count"),
        "intermediate_size": sizes.need("feed_forward_length"),
        "num_attention_heads": sizes.need("attention.head_count"),
        "num_key_value_heads": sizes.get("attention.head_count_kv") or sizes.need("attention.head_count"),
        "max_position_embeddings": sizes.need("context_length"),
        "rms_norm_eps": sizes.need("attention.layer_norm_rms_epsilon"),
        "rope_parameters": {"rope_type": "default", "rope_theta": sizes.get("rope.freq_base", 10_000.0)},
        "vocab_size": table.shape[0],
        "tie_word_embeddings": _OUTPUT not in file.entries,
        **tokens,
        **family.more(sizes),
    }
    return checked_config(str(file.path), content, lambda: AutoConfig.for_model(family.model_type, **content))
