"""Causal language modelling: each token is predicted from those before it."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from adaptkit.attaching import AdapterLayers
from adaptkit.backbones import Backbone
from adaptkit.errors import ConfigError
from adaptkit.heads.batch import Batch, in_few_shapes
from adaptkit.layers import InvertibleLayer
from adaptkit.model import AdaptedModel
from adaptkit.objectives import Clm
from adaptkit.terminal.asking import as_typed
from adaptkit.training.data import TrainingData
from adaptkit.training.objectives.objective_training import ObjectiveTraining
from adaptkit.training.objectives.softmax import VocabularySoftmax, softmax_vocabulary


class CausalObjective(nn.Module):
    """Cross-entropy of each token given those before it, through the decoder's own frozen output projection.

    `vocabulary` lists the token ids that the softmax runs over (the corpus vocabulary), ascending; None is the full
    one. The first `n_opening` tokens of a sentence, the text prefix, are the same in all and are not predicted. The
    projection is computed in `dtype`, the loss in float32.

    Shape: output_rows (len(vocabulary), hidden_width), the rows of `vocabulary` in the output projection;
    output_offsets (len(vocabulary)), what it adds to their logits.
    """

    def __init__(
        self,
        *,
        output_rows: Tensor,
        n_ids: int,
        vocabulary: Tensor | None = None,
        output_offsets: Tensor | None = None,
        n_opening: int = 0,
        dtype: torch.dtype = torch.float32,
        invertible: InvertibleLayer | None = None,
    ) -> None:
        super().__init__()
        self.blocks: tuple[int, ...] = ()
        self.n_opening = n_opening
        self.offsets: Tensor | None
        self.register_buffer("offsets", output_offsets, persistent=False)
        self.softmax = VocabularySoftmax(output_rows, vocabulary, n_ids=n_ids, dtype=dtype, invertible=invertible)

    def prepare(self, batch: Batch) -> Batch:
        """Nothing is hidden: the backbone itself lets no token see a later one."""
        labels = self.softmax.places(batch.ids[:, 1:])
        predicted = batch.mask[:, 1:].bool() & (labels >= 0)
        predicted[:, : max(0, self.n_opening - 1)] = False
        positions = nn.functional.pad(predicted, (0, 1)).reshape(-1).nonzero().squeeze(1)
        positions, labels = in_few_shapes(positions, labels[predicted])
        return replace(batch, positions=positions, labels=labels)

    def forward(self, hidden: Tensor, batch: Batch) -> Tensor:
        """The mean loss over predicted tokens. Shape: hidden (batch, seq, hidden_width), result ()."""
        if batch.positions is None:
            raise ConfigError("the batch was not prepared: call objective.prepare(batch) first.")
        picked = hidden.reshape(-1, hidden.shape[-1])[batch.positions]
        loss: Tensor = self.softmax(picked, batch.require_labels(), self.offsets)
        return loss

    def measures(self, hidden: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The loss, which is the cross-entropy whose exponential is the perplexity."""
        loss = self(hidden, batch)
        return {"loss": loss, "token_loss": loss}


class CausalTraining(ObjectiveTraining[Clm]):
    """Sentences through a decoder's own output projection, undoing the adapter's invertible layer if it has one.

    Where it is left open which tokens the softmax runs over, the size of the vocabulary decides; the plan says it.
    """

    def __init__(self, options: Clm, model: AdaptedModel, note: Callable[[str], None]) -> None:
        super().__init__(options, model, note)
        whole, size = model.backbone.vocabulary is None, model.backbone.shape.vocabulary_size
        full = options.decided(size) and (whole or options.full_vocabulary is True)
        self.options = replace(options, full_vocabulary=full)
        self._open = options.full_vocabulary is None and whole

    def in_words(self) -> str:
        """Which tokens the loss compares, and what else there is where that was left open."""
        size = self.model.backbone.shape.vocabulary_size
        if self.options.full_vocabulary:
            return f"the loss compares all {size:,} tokens of the backbone"
        more = (
            f"; the backbone has {size:,}, and with {as_typed(full_vocabulary=True)} the loss compares all of them, "
            "which is better for writing and slower"
        )
        return f"the loss compares the tokens that occur in the text{more if self._open else ''}"

    def loss(self, layers: AdapterLayers, data: TrainingData, dtype: torch.dtype) -> CausalObjective:
        """The causal objective.

        Raises:
            ConfigError: The full vocabulary of a backbone that holds a part of it, or one whose tokens see later ones.
            CorruptBackbone: The decoder's output projection is not in its checkpoint.
        """
        backbone = self.model.backbone
        vocabulary = softmax_vocabulary(data, full=bool(self.options.full_vocabulary))
        backbone.require_whole_vocabulary(vocabulary)
        _require_causal(backbone)
        return CausalObjective(
            output_rows=backbone.output_rows(vocabulary),
            output_offsets=backbone.output_offsets(vocabulary),
            n_ids=backbone.shape.vocabulary_size,
            vocabulary=vocabulary,
            n_opening=backbone.prefix_length,
            dtype=dtype,
            invertible=layers.invertible,
        ).to(backbone.device)


def _require_causal(backbone: Backbone) -> None:
    """Refuse networks of a decoder's family that are not decoders, and logits that are not computed here.

    Raises:
        ConfigError: Such a network.
    """
    config = backbone.network.config
    if getattr(config, "use_bidirectional_attention", False):
        raise ConfigError(
            f"in {backbone.name} every token sees the later ones (use_bidirectional_attention), so predicting the next "
            "one would teach nothing. Train it by distillation, with parallel text."
        )
    if getattr(config, "final_logit_softcapping", None) is not None:
        raise ConfigError(
            f"{backbone.name} bounds its logits (final_logit_softcapping), which this objective does not compute. "
            "Train it by distillation, with parallel text."
        )
