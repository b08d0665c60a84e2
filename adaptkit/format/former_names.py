"""How tensors of published checkpoints were called before transformers had their family."""

from collections.abc import Mapping

NOMIC_BERT: Mapping[str, tuple[str, ...]] = {
    "encoder.layers": ("layers",),
    "emb_ln": ("embeddings.LayerNorm",),
    "attn.Wqkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "attn.out_proj": ("self_attn.o_proj",),
    "mlp.fc11": ("mlp.up_proj",),
    "mlp.fc12": ("mlp.gate_proj",),
    "mlp.fc2": ("mlp.down_proj",),
    "norm1": ("post_attention_layernorm",),
    "norm2": ("post_mlp_layernorm",),
}
"""Parts of names, each with what it is now; one that is several now holds those one after the other."""


def names_now(name: str, former: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The names of what a tensor of a former name holds, in order."""
    found = [name]
    for old, new in former.items():
        found = [each.replace(old, part) for each in found for part in (new if _has(each, old) else (old,))]
    return found


def _has(name: str, part: str) -> bool:
    return f".{part}." in f".{name}."
