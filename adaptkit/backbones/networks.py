"""Where a loaded network has what the table of architectures names: its sizes, embeddings and blocks."""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel

from adaptkit.backbones.word_embeddings import WordEmbeddings
from adaptkit.format.architectures import architecture_of
from adaptkit.format.shapes import BackboneShape, DecoderShape

_ROWS_AT_ONCE = 8192


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
    if not row.shared_keys:
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
