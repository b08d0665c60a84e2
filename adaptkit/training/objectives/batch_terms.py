"""What texts of a batch shall be to each other: terms of distillation beside each text's own target."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from adaptkit.objectives.distill import Relation

_THE_SAME = 1 - 1e-4
"""The cosine from which on two targets are one: a sentence and its translation have the same, and so have copies."""


@dataclass(frozen=True, kw_only=True)
class BatchTerms:
    """The terms that are asked for, with their weights; 0 leaves one out. `temperature` divides all cosines."""

    relation_weight: float = 0.0
    relation: Relation = "similarities"
    contrast_weight: float = 0.0
    temperature: float = 0.05

    def lost(self, vectors: Tensor, targets: Tensor) -> Tensor:
        """Their weighted sum. Shape: vectors and targets (n_texts, width), float32, from the centre; result ()."""
        lost = vectors.new_zeros(())
        if self.relation_weight:
            lost = lost + self.relation_weight * RELATIONS[self.relation](vectors, targets, self.temperature)
        if self.contrast_weight:
            lost = lost + self.contrast_weight * contrast(vectors, targets, self.temperature)
        return lost


def similarities_apart(vectors: Tensor, targets: Tensor, temperature: float) -> Tensor:
    """How far texts are from being as similar to each other as their targets are.

    Of each text the Kullback-Leibler divergence from the distribution over the other texts that its target's cosines
    give (softmax at a temperature) to that of its own vector's; the mean over texts. 0 for fewer than three texts.

    Shape: vectors and targets (n_texts, width), result ().
    """
    if len(vectors) < 3:
        return vectors.sum() * 0
    ours, theirs = (F.log_softmax(_others(_cosines(it, it) / temperature), dim=-1) for it in (vectors, targets))
    return F.kl_div(ours, theirs, reduction="batchmean", log_target=True)


def distances_apart(vectors: Tensor, targets: Tensor, _temperature: float) -> Tensor:
    """How far texts are from lying at their targets' distances from each other.

    The distance-wise loss of relational distillation (Park et al. 2019, arXiv:1904.05068): distances are over their
    mean, on both sides; the mean Huber loss over pairs of texts. 0 for a single text.

    Shape: vectors and targets (n_texts, width), result ().
    """
    if len(vectors) < 2:
        return vectors.sum() * 0
    ours, theirs = (F.pdist(it) for it in (vectors, targets))
    return F.huber_loss(ours / _scale(ours), theirs / _scale(theirs))


def contrast(vectors: Tensor, targets: Tensor, temperature: float) -> Tensor:
    """The cross-entropy of telling a text's own target from the others of the batch (InfoNCE: arXiv:1807.03748).

    Logits are cosines over the temperature. Targets that are the same as a text's own are none of the others.

    Shape: vectors and targets (n_texts, width), result ().
    """
    own = torch.arange(len(vectors), device=vectors.device)
    same = _cosines(targets, targets) > _THE_SAME
    same[own, own] = False
    logits = (_cosines(vectors, targets) / temperature).masked_fill(same, float("-inf"))
    return F.cross_entropy(logits, own)


RELATIONS: Mapping[Relation, Callable[[Tensor, Tensor, float], Tensor]] = {
    "similarities": similarities_apart,
    "distances": distances_apart,
}


def _cosines(one: Tensor, other: Tensor) -> Tensor:
    return F.normalize(one, dim=-1) @ F.normalize(other, dim=-1).t()


def _others(square: Tensor) -> Tensor:
    """Each row without its place on the diagonal. Shape: square (n, n), result (n, n - 1)."""
    n = len(square)
    return square.flatten()[1:].view(n - 1, n + 1)[:, :-1].reshape(n, n - 1)


def _scale(distances: Tensor) -> Tensor:
    return distances.mean().clamp(min=torch.finfo(distances.dtype).tiny)
