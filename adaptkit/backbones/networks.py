"""Where a loaded network has what the table of architectures names: its sizes, embeddings and blocks."""

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel

from adaptkit.backbones.word_embeddings import WordEmbeddings
from adaptkit.format.architectures import architecture_of
from adaptkit.format.shapes import BackboneShape, DecoderShape, EncoderDecoderShape, FactorisedShape

_ROWS_AT_ONCE = 8192


def shape_of(config: PreTrainedConfig) -> BackboneShape:
    """Read the sizes from a transformers config.

    Raises:
        UnsupportedArchitecture: The model type has no row.
    """
    row = architecture_of(config.model_type)
    positions = row.n_positions if row.n_positions is not None else config.max_position_embeddings
    sizes: dict[str, Any] = {
        "model_type": config.model_type,
        "n_blocks": getattr(config, row.blocks_field),
        "n_heads": config.num_attention_heads,
        "hidden_width": config.hidden_size,
        "ffn_width": getattr(config, row.ffn_width_field),
        "vocabulary_size": config.vocab_size,
        "n_positions": positions,
    }
    head_width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    if row.decoder is not None:
        return EncoderDecoderShape(
            **sizes,
            n_decoder_blocks=getattr(config, row.decoder.n_blocks_field),
            decoder_ffn_width=getattr(config, row.decoder.ffn_width_field),
            head_width=head_width,
            gated=bool(getattr(config, "is_gated_act", False)),
        )
    if row.shared_keys:
        return DecoderShape(**sizes, n_key_heads=config.num_key_value_heads, head_width=head_width)
    if row.word_width_field:
        word_width = getattr(config, row.word_width_field)
        return FactorisedShape(**sizes, embedding_width=word_width, n_layers=config.num_hidden_layers)
    return BackboneShape(**sizes)


def embedding_rows(network: PreTrainedModel, ids: Tensor | None = None) -> Tensor:
    """Rows of the input embedding table, in whatever form it is held; None is all, without a copy where that can be.

    Shape: ids (n), distinct and ascending, result (n, width of the table).
    """
    table = network.get_submodule(architecture_of(network.config.model_type).word_embeddings)
    if ids is None and isinstance(table, nn.Embedding):
        return table.weight.detach()
    wanted = torch.arange(network.config.vocab_size, device=network.device) if ids is None else ids
    # Not by calling the table: some families scale what they read of it.
    look_up = table.rows if isinstance(table, WordEmbeddings) else partial(_rows_of, table)
    with torch.no_grad():
        return torch.cat([look_up(piece) for piece in torch.split(wanted, _ROWS_AT_ONCE)])


def _rows_of(table: nn.Module, ids: Tensor) -> Tensor:
    return F.embedding(ids, table.get_parameter("weight"))


def entrances_of(network: PreTrainedModel) -> list[nn.Module]:
    """The modules whose outputs, added up, enter the first block; in an encoder-decoder, of both sides."""
    row, first = architecture_of(network.config.model_type), shape_of(network.config).embeddings
    return [network.get_submodule(path) for path in (first, *row.entrances[1:])]


def parts_of_embeddings(network: PreTrainedModel) -> list[nn.Module]:
    """All modules before the first block: entrances, the table, and what stands around it, with those inside them."""
    table = architecture_of(network.config.model_type).word_embeddings
    around, _, _ = table.rpartition(".")
    parts = [*entrances_of(network), network.get_submodule(around or table)]
    return list(dict.fromkeys(module for part in parts for module in part.modules()))


def widening_of(network: PreTrainedModel) -> Tensor | None:
    """What brings narrow word embeddings to the blocks' width; None where they have it.

    Shape: (hidden_width, width of the table).
    """
    shape = shape_of(network.config)
    if shape.word_width == shape.hidden_width:
        return None
    return network.get_parameter(f"{shape.embeddings}.weight").detach()


def blocks_of(network: PreTrainedModel) -> list[nn.Module]:
    """The transformer blocks of a loaded backbone, in order; of an encoder-decoder those of the encoder."""
    return _blocks_at(network, architecture_of(network.config.model_type).blocks)


def all_blocks_of(network: PreTrainedModel) -> list[nn.Module]:
    """The transformer blocks of a loaded backbone, in the order in which they are numbered."""
    sides = architecture_of(network.config.model_type).sides
    return [block for path, _ in sides for block in _blocks_at(network, path)]


def _blocks_at(network: PreTrainedModel, path: str) -> list[nn.Module]:
    return list(network.get_submodule(path).children())
