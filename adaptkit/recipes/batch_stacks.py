"""What acts on a task's batches: the adapter in training on those below it, or now and then alone."""

import torch

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.composition import Stack
from adaptkit.heads.batch import Batch
from adaptkit.recipes.foundation import Foundation


class BatchStacks:
    """The stacks of batches. While `layers` train, a share of the batches, `dropout`, is without all that lies below.

    The task then learns to work with adapters below and without. Draws from torch's random state, once a batch.
    """

    def __init__(self, foundation: Foundation, layers: AdapterLayers, top: str, *, dropout: float = 0.0) -> None:
        self._foundation = foundation
        self._layers = layers
        self._top = top
        self._dropout = dropout
        self._alone = False

    def whole(self, batch: Batch) -> Stack:
        """The stack of a batch; asked before `below` of the same batch."""
        drawn = self._dropout > 0 and self._layers.training
        self._alone = drawn and float(torch.rand(())) < self._dropout
        return Stack(self._top) if self._alone else self._foundation.stack_under(self._top, batch.language)

    def below(self, batch: Batch) -> Stack:
        """What of that stack lies below the adapter in training; an empty one where nothing does."""
        return Stack() if self._alone else self._foundation.stack_below(batch.language)
