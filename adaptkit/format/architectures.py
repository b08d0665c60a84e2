"""What differs between model families, as rows of a table: where blocks and sites lie, and how a family counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from adaptkit.config import SiteName
from adaptkit.errors import UnsupportedArchitecture
from adaptkit.format import former_names, mlm_heads
from adaptkit.format.mlm_heads import MlmHead
from adaptkit.table import Table


@dataclass(frozen=True, kw_only=True)
class DecoderSide:
    """The second list of blocks, in an encoder-decoder: one that reads the encoder's states and gives tokens.

    `blocks`, `sites`, `embeddings` and `ffn_width_field` are what they are in an `Architecture`. `n_blocks_field` is
    the config's field of how many blocks it has.
    """

    blocks: str
    sites: Mapping[SiteName, str]
    embeddings: str
    n_blocks_field: str
    ffn_width_field: str


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What is to be known of a model family. `name` is its `model_type` in transformers.

    `blocks` is the path of the list of blocks, `sites` are paths inside one block ("": itself). `embeddings` is the
    module whose output enters the first block, and `word_embeddings` the table in it. `blocks_field` is the config's
    number of blocks, of weights that is: several layers may share one. With `word_width_field`, the table may be
    narrower than the blocks, and `widened_embeddings` is then the module whose output enters the first block.

    With `decoder`, it is an encoder-decoder: what is said of blocks, sites and embeddings is said of its encoder, and
    both sides read the one table `word_embeddings`. The decoder's blocks are numbered behind the encoder's.
    `positions` are modules whose outputs are added to those of the embeddings. `n_positions` is what a family with
    relative positions was trained on, whose configs name no bound. `ungated_input` is the name of the module that
    stands in place of `ffn.input` in those networks of the family that have no gates.

    In a `causal` one, a decoder, a token sees those before it only; `output` is its own projection to tokens, where it
    has one, in the checkpoint. With `scaled_embeddings`, rows of the table are multiplied by the square root of their
    width before they enter the first block. With `shared_keys`, several queries may share a key, and a head has any
    width. In a `row_wise` one, the modules at its sites read the rows of the batch and nothing else, so that each row
    may have a stack of its own. In one that `recomputes`, transformers knows how to recompute the blocks' activations
    in backward; else adaptkit does it. In a `post_norm` one, the residual sites are layer norms that read a sublayer's
    output added to its input.

    `last_norm` is the norm behind the last block, whose output is the network's; a `post_norm` family has none.

    With `pooler`, transformers makes a pooler unless told not to. With `counts_from_padding`, positions are counted
    from the padding token's id on, so that the rows of the position table up to it are not used. `adapterhub` says
    where in a block AdapterHub's bottlenecks stand; without it, its adapters are not read. `former_names` are parts of
    tensors' names in checkpoints of another layout, as `adaptkit.format.former_names` says. `mlm_heads` are what
    checkpoints of masked language models have on top, of which one has at most one.
    """

    name: str
    blocks: str
    sites: Mapping[SiteName, str]
    embeddings: str = "embeddings"
    word_embeddings: str = "embeddings.word_embeddings"
    widened_embeddings: str = ""
    output: str = "lm_head"
    blocks_field: str = "num_hidden_layers"
    word_width_field: str = ""
    ffn_width_field: str = "intermediate_size"
    scaled_embeddings: bool = False
    causal: bool = False
    shared_keys: bool = False
    row_wise: bool = True
    recomputes: bool = True
    post_norm: bool = True
    last_norm: str = ""
    pooler: bool = False
    counts_from_padding: bool = False
    decoder: DecoderSide | None = None
    positions: tuple[str, ...] = ()
    n_positions: int | None = None
    ungated_input: str = ""
    adapterhub: Mapping[SiteName, str] = field(default_factory=dict)
    former_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mlm_heads: tuple[MlmHead, ...] = ()

    @property
    def table(self) -> str:
        """The tensor of the word embeddings."""
        return f"{self.word_embeddings}.weight"

    @property
    def bare_options(self) -> dict[str, bool]:
        """What transformers must be told so that it makes no pooler."""
        return {"add_pooling_layer": False} if self.pooler else {}

    @property
    def sides(self) -> tuple[tuple[str, Mapping[SiteName, str]], ...]:
        """The path of each list of blocks, with the sites inside one of its blocks."""
        own = (self.blocks, self.sites)
        return (own,) if self.decoder is None else (own, (self.decoder.blocks, self.decoder.sites))

    @property
    def generates(self) -> bool:
        """Whether it gives text, token by token: a decoder, or an encoder-decoder."""
        return self.causal or self.decoder is not None

    @property
    def entrances(self) -> tuple[str, ...]:
        """The modules whose outputs, added up, enter the first block of each side."""
        return (self.embeddings, *([] if self.decoder is None else [self.decoder.embeddings]), *self.positions)

    @property
    def copies_of_table(self) -> tuple[str, ...]:
        """The modules by which the sides of an encoder-decoder read the table of the word embeddings."""
        return () if self.decoder is None else (self.embeddings, self.decoder.embeddings)

    def path_of(self, site: SiteName, path: str, *, gated: bool) -> str | None:
        """The path of a site in a block of a network with or without gates; None where it has no such site."""
        if gated or not self.ungated_input:
            return path
        if site == "ffn.input":
            return f"{path.rpartition('.')[0]}.{self.ungated_input}"
        return None if site == "ffn.gate" else path

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
    mlm_heads=(mlm_heads.BERT,),
)
ROBERTA = replace(BERT, name="roberta", counts_from_padding=True, mlm_heads=(mlm_heads.ROBERTA,))
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
    mlm_heads=(mlm_heads.DISTILBERT,),
)
DEBERTA_V2 = replace(
    BERT,
    name="deberta-v2",
    mlm_heads=(mlm_heads.BERT, mlm_heads.DEBERTA_V2),
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
ELECTRA = replace(
    BERT,
    name="electra",
    mlm_heads=(mlm_heads.ELECTRA,),
    pooler=False,
    adapterhub={},
    widened_embeddings="embeddings_project",
    word_width_field="embedding_size",
)
ALBERT = Architecture(
    name="albert",
    # Each has one layer, which num_hidden_layers / num_hidden_groups layers in a row share.
    blocks="encoder.albert_layer_groups",
    blocks_field="num_hidden_groups",
    embeddings="encoder.embedding_hidden_mapping_in",
    word_width_field="embedding_size",
    sites={
        "attention.query": "albert_layers.0.attention.query",
        "attention.key": "albert_layers.0.attention.key",
        "attention.value": "albert_layers.0.attention.value",
        "attention.output": "albert_layers.0.attention.dense",
        "attention.residual": "albert_layers.0.attention.LayerNorm",
        "ffn.input": "albert_layers.0.ffn",
        "ffn.activation": "albert_layers.0.activation",
        "ffn.output": "albert_layers.0.ffn_output",
        "block.output": "albert_layers.0.full_layer_layer_norm",
    },
    recomputes=False,
    pooler=True,
    mlm_heads=(mlm_heads.ALBERT,),
)
NOMIC_BERT = Architecture(
    name="nomic_bert",
    blocks="layers",
    sites={
        "attention.query": "self_attn.q_proj",
        "attention.key": "self_attn.k_proj",
        "attention.value": "self_attn.v_proj",
        "attention.output": "self_attn.o_proj",
        "attention.residual": "post_attention_layernorm",
        "ffn.gate": "mlp.gate_proj",
        "ffn.input": "mlp.up_proj",
        "ffn.activation": "mlp.act_fn",
        "ffn.output": "mlp.down_proj",
        "block.output": "post_mlp_layernorm",
    },
    former_names=former_names.NOMIC_BERT,
    mlm_heads=(mlm_heads.NOMIC_BERT,),
)
XLM_ROBERTA_XL = replace(
    ROBERTA,
    name="xlm-roberta-xl",
    post_norm=False,
    last_norm="encoder.LayerNorm",
    adapterhub={},
    # Its norms stand before each sublayer; what follows a sublayer is the sum with what the sublayer read.
    sites={**BERT.sites, "attention.residual": "attention.output", "block.output": "output"},
)
MODERN_BERT = Architecture(
    name="modernbert",
    blocks="layers",
    word_embeddings="embeddings.tok_embeddings",
    post_norm=False,
    last_norm="final_norm",
    mlm_heads=(mlm_heads.MODERN_BERT,),
    sites={
        "attention.qkv": "attn.Wqkv",
        "attention.output": "attn.Wo",
        "ffn.gate_input": "mlp.Wi",
        "ffn.activation": "mlp.act",
        "ffn.output": "mlp.Wo",
        "block.output": "",
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
PHI = replace(
    LLAMA,
    name="phi",
    sites={
        "attention.query": "self_attn.q_proj",
        "attention.key": "self_attn.k_proj",
        "attention.value": "self_attn.v_proj",
        "attention.output": "self_attn.dense",
        "ffn.input": "mlp.fc1",
        "ffn.activation": "mlp.activation_fn",
        "ffn.output": "mlp.fc2",
        "block.output": "",
    },
)
PHI3 = replace(
    LLAMA,
    name="phi3",
    sites={
        "attention.qkv": "self_attn.qkv_proj",
        "attention.output": "self_attn.o_proj",
        "ffn.gate_input": "mlp.gate_up_proj",
        "ffn.activation": "mlp.activation_fn",
        "ffn.output": "mlp.down_proj",
        "block.output": "",
    },
)


def _of_t5(ffn: str) -> dict[SiteName, str]:
    return {
        "attention.query": "layer.0.SelfAttention.q",
        "attention.key": "layer.0.SelfAttention.k",
        "attention.value": "layer.0.SelfAttention.v",
        "attention.output": "layer.0.SelfAttention.o",
        "ffn.gate": f"{ffn}.DenseReluDense.wi_0",
        "ffn.input": f"{ffn}.DenseReluDense.wi_1",
        "ffn.activation": f"{ffn}.DenseReluDense.act",
        "ffn.output": f"{ffn}.DenseReluDense.wo",
        # A block gives position biases beside its states; its last layer gives the same states alone.
        "block.output": ffn,
    }


T5 = Architecture(
    name="t5",
    blocks="encoder.block",
    sites=_of_t5("layer.1"),
    embeddings="encoder.embed_tokens",
    word_embeddings="shared",
    ffn_width_field="d_ff",
    post_norm=False,
    n_positions=512,
    ungated_input="wi",
    decoder=DecoderSide(
        blocks="decoder.block",
        sites={
            **_of_t5("layer.2"),
            "cross_attention.query": "layer.1.EncDecAttention.q",
            "cross_attention.key": "layer.1.EncDecAttention.k",
            "cross_attention.value": "layer.1.EncDecAttention.v",
            "cross_attention.output": "layer.1.EncDecAttention.o",
        },
        embeddings="decoder.embed_tokens",
        n_blocks_field="num_decoder_layers",
        ffn_width_field="d_ff",
    ),
)
_M2M_100_SITES: dict[SiteName, str] = {
    "attention.query": "self_attn.q_proj",
    "attention.key": "self_attn.k_proj",
    "attention.value": "self_attn.v_proj",
    "attention.output": "self_attn.out_proj",
    "ffn.input": "fc1",
    "ffn.activation": "activation_fn",
    "ffn.output": "fc2",
    "block.output": "",
}
M2M_100 = Architecture(
    name="m2m_100",
    blocks="encoder.layers",
    sites=_M2M_100_SITES,
    embeddings="encoder.embed_tokens",
    word_embeddings="shared",
    ffn_width_field="encoder_ffn_dim",
    post_norm=False,
    positions=("encoder.embed_positions", "decoder.embed_positions"),
    decoder=DecoderSide(
        blocks="decoder.layers",
        sites={
            **_M2M_100_SITES,
            "cross_attention.query": "encoder_attn.q_proj",
            "cross_attention.key": "encoder_attn.k_proj",
            "cross_attention.value": "encoder_attn.v_proj",
            "cross_attention.output": "encoder_attn.out_proj",
        },
        embeddings="decoder.embed_tokens",
        n_blocks_field="decoder_layers",
        ffn_width_field="decoder_ffn_dim",
    ),
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
    replace(LLAMA, name="smollm3"),
    replace(LLAMA, name="gemma3_text", scaled_embeddings=True),
    PHI,
    PHI3,
    replace(ROBERTA, name="camembert", adapterhub={}),
    XLM_ROBERTA_XL,
    MODERN_BERT,
    ELECTRA,
    ALBERT,
    NOMIC_BERT,
    T5,
    replace(T5, name="mt5"),
    replace(T5, name="umt5"),
    M2M_100,
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
