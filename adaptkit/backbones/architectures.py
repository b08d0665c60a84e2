"""What differs between model families, as table rows: model type -> where blocks and sites lie."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel

from adaptkit.backbones.word_embeddings import WordEmbeddings
from adaptkit.config import RESIDUAL_SITES, SITES_OF_ONE_INPUT, SiteName
from adaptkit.errors import UnsupportedArchitecture
from adaptkit.layers import SiteAddress, SiteShape

_ROWS_AT_ONCE = 8192


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


@dataclass(frozen=True, kw_only=True)
class BackboneShape:
    """The sizes of a backbone that decide which adapters fit it."""

    model_type: str
    n_blocks: int
    n_heads: int
    hidden_width: int
    ffn_width: int
    vocabulary_size: int
    n_positions: int

    @property
    def attention_widths(self) -> tuple[int, int]:
        """Width of all queries together, and of all keys or values together."""
        return self.hidden_width, self.hidden_width

    def sites(self) -> dict[SiteAddress, SiteShape]:
        """Every site, with the module it follows and that module's widths."""
        row = architecture_of(self.model_type)
        width, ffn = self.hidden_width, self.ffn_width
        queries, keys = self.attention_widths
        in_widths: dict[SiteName, int] = {"attention.output": queries, "ffn.output": ffn}
        out_widths: dict[SiteName, int] = {
            "attention.query": queries,
            "attention.key": keys,
            "attention.value": keys,
            "ffn.gate": ffn,
            "ffn.input": ffn,
        }
        shapes = {SiteAddress(-1, "embeddings"): SiteShape(row.embeddings, width, width)}
        for block in range(self.n_blocks):
            for site, path in row.sites.items():
                module = f"{row.blocks}.{block}.{path}".removesuffix(".")
                shapes[SiteAddress(block, site)] = SiteShape(
                    module,
                    in_widths.get(site, width),
                    out_widths.get(site, width),
                    after_sum=row.post_norm and site in RESIDUAL_SITES,
                )
        return shapes

    def same_inputs(self) -> dict[str, tuple[int, int]]:
        """For modules that read what others of their block read too: a value that is the same for those."""
        groups = {site: number for number, sites in enumerate(SITES_OF_ONE_INPUT) for site in sites}
        return {
            place.module: (address.block, groups[address.site])
            for address, place in self.sites().items()
            if address.site in groups
        }


@dataclass(frozen=True, kw_only=True)
class DecoderShape(BackboneShape):
    """The sizes of a decoder, where several queries may share a key, and a head has any width."""

    n_key_heads: int
    head_width: int

    @property
    def attention_widths(self) -> tuple[int, int]:
        """Width of all queries together, and of all keys or values together."""
        return self.n_heads * self.head_width, self.n_key_heads * self.head_width


def shape_of(config: PreTrainedConfig) -> BackboneShape:
    """Read the sizes from a transformers config.

    Raises:
        UnsupportedArchitecture: The model type has no row.
    """
    row = architecture_of(config.model_type)
    sizes: dict[str, Any] = {
        "model_type": config.model_type,
        "n_blocks": config.num_hidden_layers,
        "n_heads": config.num_attention_heads,
        "hidden_width": config.hidden_size,
        "ffn_width": getattr(config, row.ffn_width_field),
        "vocabulary_size": config.vocab_size,
        "n_positions": config.max_position_embeddings,
    }
    if not row.causal:
        return BackboneShape(**sizes)
    return DecoderShape(
        **sizes,
        n_key_heads=config.num_key_value_heads,
        head_width=getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads,
    )


def embedding_rows(network: PreTrainedModel, ids: Tensor | None = None) -> Tensor:
    """Rows of the input embedding table, in whatever form it is held; None is all, without a copy where that can be.

    Shape: ids (n), distinct and ascending, result (n, hidden_width).
    """
    table = network.get_submodule(architecture_of(network.config.model_type).word_embeddings)
    if ids is None and isinstance(table, nn.Embedding):
        return table.weight.detach()
    wanted = torch.arange(network.config.vocab_size, device=network.device) if ids is None else ids
    look_up = table.rows if isinstance(table, WordEmbeddings) else table
    with torch.no_grad():
        return torch.cat([look_up(piece) for piece in torch.split(wanted, _ROWS_AT_ONCE)])


def embeddings_of(network: PreTrainedModel) -> nn.Module:
    """The module whose output enters the first block."""
    return network.get_submodule(architecture_of(network.config.model_type).embeddings)


def blocks_of(network: PreTrainedModel) -> list[nn.Module]:
    """The transformer blocks of a loaded backbone, in order."""
    return list(network.get_submodule(architecture_of(network.config.model_type).blocks).children())
