"""Glossing: distillation in which a dictionary is the translator, with masked tokens beside it where that is asked."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from adaptkit.attaching import AdapterLayers
from adaptkit.errors import ConfigError
from adaptkit.heads.batch import Batch
from adaptkit.model import AdaptedModel
from adaptkit.objectives import Gloss
from adaptkit.objectives.mlm import MLM
from adaptkit.task_types import IGNORED
from adaptkit.training.data import TrainingData
from adaptkit.training.objectives.distill import DistillObjective, DistillTraining
from adaptkit.training.objectives.glossed_text import glossed_text
from adaptkit.training.objectives.masking import MaskingRule
from adaptkit.training.objectives.mlm import MaskedObjective, masked_objective
from adaptkit.training.objectives.softmax import softmax_vocabulary
from adaptkit.training.tokenized_text import TokenizedText

_MASKED = 1
"""The label of rows that are sentences of the text itself, in which tokens are masked."""


class MaskedBeside(nn.Module):
    """Distillation, plus `weight` times the cross-entropy of masked tokens of the text's own sentences.

    Both read the same states, of sentences with masks in them: what a sentence means is to be told without them too.
    """

    def __init__(self, distill: DistillObjective, masked: MaskedObjective, weight: float) -> None:
        super().__init__()
        self.blocks = distill.blocks
        self.distill = distill
        self.masked = masked
        self.weight = weight

    def prepare(self, batch: Batch) -> Batch:
        """Mask tokens of the rows that are sentences of the text; the rest is as of distillation."""
        if batch.row_labels is None:
            raise ConfigError("masking some rows needs labels of rows in the batch.")
        own = (batch.row_labels == _MASKED).to(batch.mask.dtype)[:, None]
        masked = self.masked.prepare(replace(self.distill.prepare(batch), mask=batch.mask * own))
        return replace(masked, mask=batch.mask)

    def forward(self, hidden: Tensor, batch: Batch) -> Tensor:
        """The loss. Shape: hidden (batch, seq, n_depths * hidden_width), result ()."""
        return self.measures(hidden, batch)["loss"]

    def measures(self, hidden: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The loss, and what of it is that of masked tokens (`token_loss`, unweighted)."""
        width = self.masked.transform.in_features
        token_loss = self.masked.token_loss(hidden[..., -width:], batch)
        return {"loss": self.distill(hidden, batch) + self.weight * token_loss, "token_loss": token_loss}


class GlossTraining(DistillTraining[Gloss]):
    """Glossed sentences, trained on as distillation trains on sentences with translations."""

    def __init__(self, options: Gloss, model: AdaptedModel, note: Callable[[str], None]) -> None:
        super().__init__(options, model, note)
        if options.mlm_weight:
            MLM.require_backbone("decoder" if model.backbone.architecture.causal else "encoder")
            self.head_warmup = None

    def data(self, text: TokenizedText) -> TrainingData:
        """The rows and their targets.

        Raises:
            ConfigError: The text came without a dictionary.
        """
        if text.lexicon is None:
            raise ConfigError("glossing needs a dictionary with the text.")
        self.skip_warmup_of_unread(text)
        data = super().data(glossed_text(text, text.lexicon, self.options, self.model.backbone))
        if not self.options.mlm_weight:
            return data
        labels = torch.full((len(data.sentences),), IGNORED)
        labels[: data.n_measured] = _MASKED
        return replace(data, row_labels=labels)

    def loss(self, layers: AdapterLayers, data: TrainingData, dtype: torch.dtype) -> DistillObjective | MaskedBeside:
        """That of distillation, alone or with that of masked tokens."""
        distill = self.distilled(data)
        if not self.options.mlm_weight:
            return distill
        backbone = self.model.backbone
        masked = masked_objective(
            backbone,
            layers,
            rule=MaskingRule(),
            vocabulary=softmax_vocabulary(data, full=False),
            anchor_weight=0.0,
            dtype=dtype,
        )
        return MaskedBeside(distill, masked, self.options.mlm_weight).to(backbone.device)
