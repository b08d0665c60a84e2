"""What differs between model families, as rows of a table: where blocks and sites lie, and how a family counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from adaptkit.config import SiteName
from adaptkit.errors import UnsupportedArchitecture
from adaptkit.table import Table


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What is to be known of a model family. `name` is its `model_type` in transformers.

    `blocks` is the path of the list of blocks, `sites` are paths inside one block ("": itself). `embeddings` is the
    module whose output enters the first block, and `word_embeddings` the table in it.

    In a `causal` one, a decoder, a token sees those before it only; `output` is its own projection to tokens, where it
    has one, in the checkpoint. With `shared_keys`, several queries may share a key, and a head has any width. In a
    `row_wise` one, the modules at its sites read the rows of the batch and nothing else, so that each row may have a
    stack of its own. In a `post_norm` one, the residual sites are layer norms that read a sublayer's output added to
    its input.

    With `pooler`, transformers makes a pooler unless told not to. With `counts_from_padding`, positions are counted
    from the padding token's id on, so that the rows of the position table up to it are not used. `adapterhub` says
    where in a block AdapterHub's bottlenecks stand; without it, its adapters are not read.
    """

    name: str
    blocks: str
    sites: Mapping[SiteName, str]
    embeddings: str = "embeddings"
    word_embeddings: str = "embeddings.word_embeddings"
    output: str = "lm_head"
    ffn_width_field: str = "intermediate_size"
    causal: bool = False
    shared_keys: bool = False
    row_wise: bool = True
    post_norm: bool = True
    pooler: bool = False
    counts_from_padding: bool = False
    adapterhub: Mapping[SiteName, str] = field(default_factory=dict)

    @property
    def table(self) -> str:
        """The tensor of the word embeddings."""
        return f"{self.word_embeddings}.weight"

    @property
    def bare_options(self) -> dict[str, bool]:
        """What transformers must be told so that it makes no pooler."""
        return {"add_pooling_layer": False} if self.pooler else {}

    @property
    def attention_parts(self) -> frozenset[str]:
        """Names of the parts of a block that are its attention."""
        return frozenset(path.partition(".")[0] for site, path in self.sites.items() if site.startswith("attention."))

    def first_position(self, pad_token_id: int) -> int:
        """The row of the position table that a text's first token has."""
        return pad_token_id + 1 if self.counts_from_padding else 0


BERT = Architecture(
    name="bert",
    blocks="encoder.layer",
    sites={
        "attention.query": "attention.self.query",
        "attention.key": "attention.self.key",
        "attention.value": "attention.self.value",
        "attention.output": "attention.output.dense",
        "attention.residual": "attention.output.LayerNorm",
        "ffn.input": "intermediate.dense",
        "ffn.activation": "intermediate.intermediate_act_fn",
        "ffn.output": "output.dense",
        "block.output": "output.LayerNorm",
    },
    pooler=True,
    adapterhub={"attention.residual": "attention.output", "block.output": "output"},
)
ROBERTA = replace(BERT, name="roberta", counts_from_padding=True)
DISTILBERT = Architecture(
    name="distilbert",
    blocks="transformer.layer",
    ffn_width_field="hidden_dim",
    sites={
        "attention.query": "attention.q_lin",
        "attention.key": "attention.k_lin",
        "attention.value": "attention.v_lin",
        "attention.output": "attention.out_lin",
        "attention.residual": "sa_layer_norm",
        "ffn.input": "ffn.lin1",
        "ffn.activation": "ffn.activation",
        "ffn.output": "ffn.lin2",
        "block.output": "output_layer_norm",
    },
    adapterhub={"attention.residual": "attention_adapters", "block.output": "output_adapters"},
)
DEBERTA_V2 = replace(
    BERT,
    name="deberta-v2",
    # Its query and key projections are applied to the relative positions too.
    row_wise=False,
    pooler=False,
    sites={
        **BERT.sites,
        "attention.query": "attention.self.query_proj",
        "attention.key": "attention.self.key_proj",
        "attention.value": "attention.self.value_proj",
    },
)
LLAMA = Architecture(
    name="llama",
    blocks="layers",
    embeddings="embed_tokens",
    word_embeddings="embed_tokens",
    causal=True,
    shared_keys=True,
    post_norm=False,
    sites={
        "attention.query": "self_attn.q_proj",
        "attention.key": "self_attn.k_proj",
        "attention.value": "self_attn.v_proj",
        "attention.output": "self_attn.o_proj",
        "ffn.gate": "mlp.gate_proj",
        "ffn.input": "mlp.up_proj",
        "ffn.activation": "mlp.act_fn",
        "ffn.output": "mlp.down_proj",
        "block.output": "",
    },
)

ARCHITECTURES: Table[Architecture] = Table("architecture")
for _row in (
    BERT,
    ROBERTA,
    replace(ROBERTA, name="xlm-roberta"),
    DISTILBERT,
    DEBERTA_V2,
    LLAMA,
    replace(LLAMA, name="qwen2"),
    replace(LLAMA, name="qwen3"),
    replace(LLAMA, name="mistral"),
    replace(ROBERTA, name="camembert", adapterhub={}),
):
    ARCHITECTURES.register(_row)


def architecture_of(model_type: str) -> Architecture:
    """The row for a transformers model type.

    Raises:
        UnsupportedArchitecture: The model type has no row.
    """
    row = ARCHITECTURES.get(model_type)
    if row is None:
        raise UnsupportedArchitecture(model_type, tuple(ARCHITECTURES))
    return row


def is_table(tensor: str) -> bool:
    """Whether a tensor of this name is the word embeddings of some family."""
    return any(tensor == row.table for row in ARCHITECTURES.values())
