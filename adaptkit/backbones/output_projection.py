"""A decoder's own output projection: from hidden states to a number for each token of its vocabulary."""

import torch
import torch.nn.functional as F
from torch import Tensor

from adaptkit.backbones.backbone import Backbone


class OutputProjection:
    """Logits through the tied word embeddings, or through a projection of its own.

    A table that is not held whole, and a projection that is on disk, are held whole from the first logits on. Tokens
    that have no row here (a trimmed vocabulary), and rows that are no token, are never the next one.
    """

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        kept = None if backbone.vocabulary is None else torch.from_numpy(backbone.vocabulary.ids)
        self._ids = kept if kept is None else kept[kept < backbone.n_ids]
        self._held: Tensor | None = None
        self._offsets = backbone.output_offsets(self._ids)
        self._scale = backbone.output_scale
        # transformers has it as a plain number of a config, where a family has it.
        self._softcap: float | None = getattr(backbone.network.config, "final_logit_softcapping", None)

    @property
    def held_bytes(self) -> int:
        """What is held besides the backbone."""
        return 0 if self._held is None else self._held.numel() * self._held.element_size()

    def __call__(self, states: Tensor) -> Tensor:
        """Shape: states (..., hidden_width), result (..., vocabulary_size), float32."""
        scaled = states * self._scale if self._scale != 1.0 else states
        logits = F.linear(scaled, self._rows().to(states.dtype)).float()
        if self._offsets is not None:
            logits += self._offsets.to(logits.device, logits.dtype)
        if self._softcap is not None:
            logits = self._softcap * torch.tanh(logits / self._softcap)
        n_ids, size = self._backbone.n_ids, self._backbone.shape.vocabulary_size
        if self._ids is not None:
            whole = logits.new_full((*logits.shape[:-1], size), -torch.inf)
            whole[..., self._ids.to(logits.device)] = logits
            return whole
        logits[..., n_ids:] = -torch.inf
        return logits

    def _rows(self) -> Tensor:
        """Shape: (tokens that have a row, hidden_width)."""
        backbone = self._backbone
        if self._ids is None and backbone.holds_output_rows:
            return backbone.output_rows()
        held = self._held
        if held is None or (held.device, held.dtype) != (backbone.device, backbone.network.dtype):
            held = self._held = backbone.output_rows(self._ids).to(backbone.device, backbone.network.dtype)
        return held
