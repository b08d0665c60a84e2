"""A confidence penalty, as a regulariser outside the package (Pereyra et al. 2017, arXiv:1701.06548).

`adaptkit --import confidence_penalty.py train --task topics --data topics.tsv --confidence-penalty 0.1`
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from adaptkit.heads.batch import Batch
from adaptkit.options import option
from adaptkit.regularisers import REGULARISERS, Regulariser, Weighed
from adaptkit.task_types import IGNORED
from adaptkit.training.regularisers import Regularising


@dataclass(frozen=True, kw_only=True)
class ConfidencePenalty(Weighed):
    """How much answers that are sure of themselves cost."""

    weight: float = option(
        0.1,
        "weight of the confidence penalty: answers of low entropy cost (default: off)",
        asked_as="confidence_penalty",
        least=0,
    )


class ConfidencePenaltyTraining(Regularising[ConfidencePenalty]):
    """The negative entropy of the distributions over labels, the mean over targets."""

    def penalty(self, hidden: Tensor, outputs: Tensor, batch: Batch) -> Tensor:  # noqa: ARG002 - the contract of penalties
        """Shape: outputs (items, ..., n_labels), result ()."""
        log_shares = torch.log_softmax(outputs[batch.require_labels() != IGNORED], dim=-1)
        sure: Tensor = (log_shares.exp() * log_shares).sum(dim=-1).mean()
        return sure


REGULARISERS.register(
    Regulariser(
        name="confidence_penalty",
        title="confidence penalty",
        options=ConfidencePenalty,
        training=lambda: ConfidencePenaltyTraining,
        cost="nothing to speak of",
        paper="confidence penalty: Pereyra et al. 2017, arXiv:1701.06548",
        needs_classes=True,
    )
)
