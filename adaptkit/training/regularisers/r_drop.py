"""R-Drop: two passes of the same batch under dropout, and how far their answers lie apart."""

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from adaptkit.heads.batch import Batch
from adaptkit.regularisers import RDrop
from adaptkit.task_types import IGNORED
from adaptkit.training.regularisers.regularising import Regularising


class RDropTraining(Regularising[RDrop]):
    """The batch twice in a row, so that each half has dropout of its own; the loss of the task is the mean of both.

    The penalty is the mean over targets of `(KL(p, q) + KL(q, p)) / 2` for the two distributions over labels (Liang et
    al. 2021, arXiv:2106.14448, in the form of the authors' code, whose loss of the task is the mean and not the sum).
    """

    def prepare(self, batch: Batch) -> Batch:
        """Each row again, behind all rows."""
        return replace(
            batch,
            ids=_twice(batch.ids),
            mask=_twice(batch.mask),
            labels=_twice(batch.require_labels()),
            anchors=None if batch.anchors is None else _twice(batch.anchors),
            groups=batch.groups * 2,
        )

    def penalty(self, hidden: Tensor, outputs: Tensor, batch: Batch) -> Tensor:  # noqa: ARG002 - the contract of penalties
        """Shape: outputs (2 * items, ..., n_labels), result ()."""
        there = batch.require_labels().chunk(2)[0] != IGNORED
        first, second = (torch.log_softmax(half, dim=-1) for half in outputs.chunk(2))
        apart = (_divergence(first, second) + _divergence(second, first)) / 2
        return (apart * there).sum() / there.sum().clamp(min=1)


def _twice(rows: Tensor) -> Tensor:
    return torch.cat([rows, rows])


def _divergence(log_p: Tensor, log_q: Tensor) -> Tensor:
    """KL(p, q) of each target. Shape: both (..., n_labels), result (...)."""
    return F.kl_div(log_q, log_p, reduction="none", log_target=True).sum(dim=-1)
