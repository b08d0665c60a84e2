"""Feature distillation: how far the states that a head reads are from those of the frozen stack below."""

from dataclasses import replace

import torch
from torch import Tensor

from adaptkit.errors import ConfigError
from adaptkit.heads.batch import Batch
from adaptkit.regularisers import FeatureDistillation
from adaptkit.terminal.asking import as_typed
from adaptkit.training.regularisers.regularising import Regularising, TaskMaterial


class FeatureDistillationTraining(Regularising[FeatureDistillation]):
    """How far tokens moved from their place in the frozen stack, squared, over their squared distance to the centre.

    With `h` the states of tokens, `f` those of the frozen stack and `c` the mean of `f` in the batch, the penalty is
    `sum |h - f|^2 / sum |f - c|^2`: it has no unit, and is 1 where tokens moved as far as they lie from the centre.

    Raises:
        ConfigError: Adapters below that do not act in the last block while the task trains.
    """

    def __init__(self, options: FeatureDistillation, material: TaskMaterial) -> None:
        super().__init__(options, material)
        if material.hides_top_block:
            raise ConfigError(
                "feature_distillation keeps states near those of the frozen stack, in whose last block adapters below "
                f"act, and {as_typed(drop_top_layer=True)} takes them out there. Leave one of the two out."
            )

    def prepare(self, batch: Batch) -> Batch:
        """Anchors of 1, so that the frozen states are asked for."""
        return replace(batch, anchors=torch.ones(len(batch.ids)))

    def penalty(self, hidden: Tensor, outputs: Tensor, batch: Batch) -> Tensor:  # noqa: ARG002 - the contract of penalties
        """Shape: hidden (rows, seq, hidden_width), result ()."""
        if batch.frozen is None:
            raise ConfigError("feature distillation needs the frozen stack's states in the batch.")
        # Padding weighs nothing and is not picked out: to know how much of it there is would wait for a GPU.
        real, now, then = batch.mask.float()[..., None], hidden.float(), batch.frozen.float()
        centre = (then * real).sum(dim=(0, 1)) / real.sum()
        spread = ((then - centre).pow(2) * real).sum()
        return ((now - then).pow(2) * real).sum() / spread.clamp(min=torch.finfo(torch.float32).eps)
