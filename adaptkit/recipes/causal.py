"""The causal objective of a decoder and the adapter that trains on it."""

import torch
from torch import Tensor

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.backbones import Backbone
from adaptkit.training.objectives import CausalObjective


def causal_objective(
    backbone: Backbone, layers: AdapterLayers, *, vocabulary: Tensor | None, dtype: torch.dtype
) -> CausalObjective:
    """The causal objective through a decoder's own output projection, undoing the adapter's invertible layer.

    Tokens are projected in `dtype`.

    Raises:
        ConfigError: The full vocabulary of a backbone that holds a part of it.
        CorruptBackbone: The decoder's output projection is not in its checkpoint.
    """
    backbone.require_whole_vocabulary(vocabulary)
    return CausalObjective(
        output_rows=backbone.output_rows(vocabulary),
        n_ids=backbone.shape.vocabulary_size,
        vocabulary=vocabulary,
        n_opening=backbone.prefix_length,
        dtype=dtype,
        invertible=layers.invertible,
    ).to(backbone.device)
