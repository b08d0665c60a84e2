"""Which token stands at a masked place: from a hidden state to a probability for each token."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from adaptkit.attaching import AdapterLayers
from adaptkit.backbones import Backbone, embedding_rows, widening_of
from adaptkit.backbones.mlm_head import StoredMlmHead

_ROWS_AT_ONCE = 8192


@dataclass(frozen=True, eq=False)
class TokenScores:
    """A softmax over the tokens `ids`: `vectors` of states are compared with the `rows` of tokens, some at a time.

    Shape: ids (n_tokens), ascending; bias (n_tokens); vectors from (n, hidden_width) to (n, width), rows from ids (m)
    to (m, width).
    """

    ids: Tensor
    bias: Tensor
    vectors: Callable[[Tensor], Tensor]
    rows: Callable[[Tensor], Tensor]

    def probabilities(self, states: Tensor) -> Tensor:
        """Shape: states (n, hidden_width), result (n, n_tokens), float32."""
        vectors = self.vectors(states).float()
        parts = [F.linear(vectors, self.rows(ids).float()) for ids in torch.split(self.ids, _ROWS_AT_ONCE)]
        return torch.softmax(torch.cat(parts, dim=-1) + self.bias, dim=-1)


def scores_of_adapter(layers: AdapterLayers, backbone: Backbone) -> TokenScores:
    """By the projection that an adapter has kept, over the tokens that it tells apart and the table has."""
    projection, config = layers.projection, layers.config.projection
    assert projection is not None and config is not None  # noqa: S101, PT018 - no other is asked for
    n_ids = backbone.shape.vocabulary_size
    every = torch.arange(n_ids + layers.config.n_pieces) if config.tokens is None else torch.tensor(config.tokens)
    has_row = _has_row(every, backbone)
    undo, widening = None if layers.invertible is None else layers.invertible.inverse, widening_of(backbone.network)

    def vectors(states: Tensor) -> Tensor:
        found: Tensor = projection(states.float())
        found = found if undo is None else undo(found)
        return found if widening is None else found @ widening.float()

    def rows(ids: Tensor) -> Tensor:
        own = layers.piece_rows
        table = embedding_rows(backbone.network, ids[ids < n_ids])
        return table if own is None else torch.cat([table, own.rows[ids[ids >= n_ids] - n_ids].to(table.dtype)])

    bias = projection.bias.detach()[has_row.to(projection.bias.device)]
    return TokenScores(every[has_row].to(backbone.device), bias, vectors, rows)


def _has_row(ids: Tensor, backbone: Backbone) -> Tensor:
    """Which tokens the table has rows for, or an adapter brings them. Shape: ids (n), result (n), bool."""
    if backbone.vocabulary is None:
        return torch.ones_like(ids, dtype=torch.bool)
    return torch.isin(ids, torch.from_numpy(backbone.vocabulary.ids)) | (ids >= backbone.shape.vocabulary_size)


def scores_of_backbone(head: StoredMlmHead, backbone: Backbone) -> TokenScores:
    """By the head that the backbone's checkpoint has, over all tokens of which the table has rows."""
    ids = torch.arange(backbone.shape.vocabulary_size)
    if backbone.vocabulary is not None:
        kept = torch.from_numpy(backbone.vocabulary.ids)
        ids = kept[kept < backbone.shape.vocabulary_size].long()

    def rows(wanted: Tensor) -> Tensor:
        own = head.rows(wanted)
        return embedding_rows(backbone.network, wanted) if own is None else own

    return TokenScores(ids.to(backbone.device), head.bias[ids].to(backbone.device), head.vectors, rows)
