"""Distillation from parallel text: a sentence is drawn to the frozen backbone's vector of its translation."""

import torch.nn.functional as F
from torch import Tensor, nn

from adaptkit.errors import ConfigError
from adaptkit.layers.pooling import mean_pool
from adaptkit.objectives.objective import Batch


class DistillObjective(nn.Module):
    """Seen from the centre of all targets, a sentence shall lie in the direction of its target and as far out.

    With `v` and `t` the sentence's vector and its target minus the centre, the loss is
    `1 - cosine(v, t) + distance_weight * (|v| - |t|)^2 / mean(|t|^2)`.

    No teacher beyond the backbone itself is needed (after Reimers and Gurevych 2020, arXiv:2004.09813, who minimise the
    squared error). A squared error draws every sentence that is not well understood towards the centre of the training
    text; a head trained on the frozen backbone then takes any text for the training text's favourite topic. Keeping
    the distance avoids that (docs/decisions/0004-distance-from-the-centre.md).

    Shape: centre (hidden_width). `variance` is the mean squared distance of the targets from it.

    Raises:
        ConfigError: A weight below 0, or a variance that is not positive.
    """

    def __init__(self, *, centre: Tensor, variance: float, distance_weight: float = 0.5) -> None:
        super().__init__()
        if not (distance_weight >= 0 and variance > 0):
            raise ConfigError(
                "the targets' variance must be positive and distance_weight not negative, "
                f"found {variance} and {distance_weight}."
            )
        self.variance = variance
        self.distance_weight = distance_weight
        self.register_buffer("centre", centre, persistent=False)

    @classmethod
    def for_targets(cls, targets: Tensor) -> "DistillObjective":
        """The objective for these targets. Shape: targets (n, hidden_width).

        Raises:
            ConfigError: All targets are the same vector.
        """
        centre = targets.mean(dim=0)
        return cls(centre=centre, variance=float((targets - centre).pow(2).sum(dim=-1).mean()))

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
        vectors, targets = mean_pool(hidden, batch.mask) - centre, batch.targets - centre
        direction = 1 - F.cosine_similarity(vectors, targets, dim=-1)
        distance = (vectors.norm(dim=-1) - targets.norm(dim=-1)).pow(2) / self.variance
        loss: Tensor = (direction + self.distance_weight * distance).mean()
        return loss

    def measures(self, hidden: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The loss."""
        return {"loss": self(hidden, batch)}
