"""Ridge regression on text with translations: how far a text's vector is from that of its translation."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from adaptkit.attaching import AdapterLayers
from adaptkit.errors import ConfigError
from adaptkit.heads.batch import Batch
from adaptkit.layers.pooling import Pool, mean_pool
from adaptkit.model import AdaptedModel
from adaptkit.objectives import Distill, Ridge
from adaptkit.training.data import TrainingData
from adaptkit.training.objectives.distilled_rows import distilled_rows
from adaptkit.training.objectives.objective_training import ObjectiveTraining
from adaptkit.training.tokenized_text import TokenizedText

SENTENCES_ALONE = Distill(source_share=0.0, pair_share=0.0, token_anchor=0.0, inner_weight=0.0)


class RidgeObjective(nn.Module):
    """The mean distance of vectors from those of their translations, which is what is measured; nothing descends it."""

    blocks: tuple[int, ...] = ()

    def __init__(self, options: Ridge, pool: Pool = mean_pool) -> None:
        super().__init__()
        self.options = options
        self._pool = pool

    def prepare(self, batch: Batch) -> Batch:
        """The backbone reads the sentence as it is."""
        return batch

    def lacking(self, hidden: Tensor, batch: Batch) -> Tensor:
        """The targets less the vectors. Shape: hidden (batch, seq, hidden_width), result (batch, hidden_width)."""
        if batch.targets is None:
            raise ConfigError("ridge regression needs target vectors in the batch.")
        return batch.targets - self._pool(hidden, batch.mask)

    def forward(self, hidden: Tensor, batch: Batch) -> Tensor:
        """The mean distance. Shape: hidden (batch, seq, hidden_width), result ()."""
        distance: Tensor = self.lacking(hidden, batch).norm(dim=-1)
        return distance.mean()

    def measures(self, hidden: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The distance."""
        return {"loss": self(hidden, batch)}


class RidgeTraining(ObjectiveTraining[Ridge]):
    """Sentences, each with its translation's vector."""

    def __init__(self, options: Ridge, model: AdaptedModel, note: Callable[[str], None]) -> None:
        super().__init__(options, model, note)
        self.most_rows = options.most_pairs

    def data(self, text: TokenizedText) -> TrainingData:
        """The sentences and their targets."""
        return distilled_rows(text, SENTENCES_ALONE, self.model.backbone)

    def loss(self, layers: AdapterLayers, data: TrainingData, dtype: torch.dtype) -> nn.Module:
        """The distance that is measured."""
        return RidgeObjective(self.options, self.model.sentences.pooled)

    def in_words(self) -> str:
        """That nothing is trained."""
        return f"weights are found in closed form from {self.options.most_pairs:,} pairs at most"
