"""Distillation from parallel text: a sentence is drawn to the frozen backbone's vector of its translation."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adaptkit.errors import ConfigError
from adaptkit.objectives.objective import Batch
from adaptkit.objectives.pooling import mean_pool


class DistillObjective(nn.Module):
    """Cosine distance to the target plus contrast with the other targets of the batch.

    No teacher beyond the backbone itself is needed (after Reimers and Gurevych 2020, arXiv:2004.09813). Sentence
    vectors of a multilingual encoder share a large common component that says nothing; `centre`, the mean target, is
    taken off both sides first. With `contrast_weight` the loss gains an InfoNCE term (van den Oord et al. 2018,
    arXiv:1807.03748) at `temperature`.

    Shape: centre (hidden_width).
    """

    def __init__(self, *, centre: Tensor, contrast_weight: float = 1.0, temperature: float = 0.05) -> None:
        super().__init__()
        if temperature <= 0 or contrast_weight < 0:
            raise ConfigError(
                "temperature must be positive and contrast_weight not negative, "
                f"found {temperature} and {contrast_weight}."
            )
        self.contrast_weight = contrast_weight
        self.temperature = temperature
        self.register_buffer("centre", centre, persistent=False)

    def prepare(self, batch: Batch) -> Batch:
        """Nothing is masked: the backbone reads the sentence as it is."""
        return batch

    def forward(self, hidden: Tensor, batch: Batch) -> Tensor:
        """The mean loss over sentences.

        Shape: hidden (batch, seq, hidden_width), result ().
        """
        if batch.targets is None:
            raise ConfigError("distillation needs target vectors in the batch.")
        centre = self.get_buffer("centre")
        vectors = F.normalize(mean_pool(hidden, batch.mask) - centre, dim=-1)
        targets = F.normalize(batch.targets - centre, dim=-1)
        loss = (1 - (vectors * targets).sum(dim=-1)).mean()
        if self.contrast_weight:
            own = torch.arange(len(vectors), device=vectors.device)
            loss = loss + self.contrast_weight * F.cross_entropy(vectors @ targets.T / self.temperature, own)
        return loss

    def measures(self, hidden: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The loss."""
        return {"loss": self(hidden, batch)}
