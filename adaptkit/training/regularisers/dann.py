"""Domain-adversarial training: a discriminator learns to tell two domains apart, and features learn to deceive it."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adaptkit.heads.batch import Batch
from adaptkit.regularisers import Dann
from adaptkit.training.regularisers.regularising import TaskMaterial
from adaptkit.training.regularisers.two_domains import TwoDomains

_WIDTH = 128


class DannTraining(TwoDomains[Dann]):
    """The cross-entropy of a discriminator of one hidden layer, whose gradient is reversed where it meets the features.

    The discriminator learns by the whole of it, the adapter by `-weight` of it (Ganin et al. 2016, arXiv:1505.07818).
    It reads features from their mean in the batch and by their spread, as those of backbones differ in scale.
    """

    def __init__(self, options: Dann, material: TaskMaterial) -> None:
        super().__init__(options, material)
        self.discriminator = nn.Sequential(
            nn.Linear(material.backbone.shape.hidden_width, _WIDTH), nn.ReLU(), nn.Linear(_WIDTH, 1)
        )

    def forward(self, hidden: Tensor, outputs: Tensor, batch: Batch) -> Tensor:
        """The loss of the discriminator; the weight acts on what comes back to the features. Shape: as of `penalty`."""
        return self.penalty(hidden, outputs, batch)

    def distance(self, source: Tensor, target: Tensor) -> Tensor:
        """Shape: both (rows, hidden_width), result ()."""
        both = torch.cat([source, target])
        centred = both - both.mean(dim=0).detach()
        scale = centred.pow(2).mean().sqrt().detach().clamp(min=torch.finfo(torch.float32).tiny)
        reversed_: Tensor = _Reversed.apply(centred / scale, self.options.weight)  # type: ignore[no-untyped-call]  # torch's own
        domains = torch.cat([source.new_zeros(len(source)), target.new_ones(len(target))])
        return F.binary_cross_entropy_with_logits(self.discriminator(reversed_)[:, 0], domains)


class _Reversed(torch.autograd.Function):
    """The same numbers; the gradient comes back times `-weight`."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: float) -> Tensor:  # noqa: ANN401 - torch's own
        ctx.weight = weight
        return features.view_as(features)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401 - torch's own
        return -ctx.weight * gradient, None
