"""What differs between model families, as table rows: model type -> where blocks and sites lie."""

from collections.abc import Mapping
from dataclasses import dataclass

from adaptkit.config import SiteName
from adaptkit.errors import UnsupportedArchitecture


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Module paths of one model type. `blocks` is the list of blocks; `sites` are paths inside one block ("": itself).

    In a `causal` one, a decoder, a token sees those before it only. In a `row_wise` one, the modules at its sites
    read the rows of the batch and nothing else, so that each row may have a stack of its own. In a `post_norm` one, the
    residual sites are layer norms that read a sublayer's output added to its input.
    """

    blocks: str
    embeddings: str = "embeddings"
    word_embeddings: str = "embeddings.word_embeddings"
    ffn_width_field: str = "intermediate_size"
    causal: bool = False
    row_wise: bool = True
    post_norm: bool = True
    sites: Mapping[SiteName, str]


BERT = Architecture(
    blocks="encoder.layer",
    sites={
        "attention.query": "attention.self.query",
        "attention.key": "attention.self.key",
        "attention.value": "attention.self.value",
        "attention.output": "attention.output.dense",
        "attention.residual": "attention.output.LayerNorm",
        "ffn.input": "intermediate.dense",
        "ffn.output": "output.dense",
        "block.output": "output.LayerNorm",
    },
)
DEBERTA_V2 = Architecture(
    blocks="encoder.layer",
    # Its query and key projections are applied to the relative positions too.
    row_wise=False,
    sites={
        **BERT.sites,
        "attention.query": "attention.self.query_proj",
        "attention.key": "attention.self.key_proj",
        "attention.value": "attention.self.value_proj",
    },
)
DISTILBERT = Architecture(
    blocks="transformer.layer",
    ffn_width_field="hidden_dim",
    sites={
        "attention.query": "attention.q_lin",
        "attention.key": "attention.k_lin",
        "attention.value": "attention.v_lin",
        "attention.output": "attention.out_lin",
        "attention.residual": "sa_layer_norm",
        "ffn.input": "ffn.lin1",
        "ffn.output": "ffn.lin2",
        "block.output": "output_layer_norm",
    },
)

LLAMA = Architecture(
    blocks="layers",
    embeddings="embed_tokens",
    word_embeddings="embed_tokens",
    causal=True,
    post_norm=False,
    sites={
        "attention.query": "self_attn.q_proj",
        "attention.key": "self_attn.k_proj",
        "attention.value": "self_attn.v_proj",
        "attention.output": "self_attn.o_proj",
        "ffn.gate": "mlp.gate_proj",
        "ffn.input": "mlp.up_proj",
        "ffn.output": "mlp.down_proj",
        "block.output": "",
    },
)

ARCHITECTURES: dict[str, Architecture] = {
    "bert": BERT,
    "roberta": BERT,
    "xlm-roberta": BERT,
    "distilbert": DISTILBERT,
    "deberta-v2": DEBERTA_V2,
    "llama": LLAMA,
    "qwen2": LLAMA,
    "qwen3": LLAMA,
}


def architecture_of(model_type: str) -> Architecture:
    """The row for a transformers model type.

    Raises:
        UnsupportedArchitecture: The model type has no row.
    """
    row = ARCHITECTURES.get(model_type)
    if row is None:
        raise UnsupportedArchitecture(model_type, tuple(ARCHITECTURES))
    return row


def bare_options(model_type: str) -> dict[str, bool]:
    """What transformers must be told so that it makes no pooler."""
    return {"add_pooling_layer": False} if model_type in {"bert", "roberta", "xlm-roberta"} else {}
