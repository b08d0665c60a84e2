"""One step of training: a batch through the backbone under a stack, to the measures of an objective."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeAlias

import torch
from torch import Tensor, nn

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.heads.batch import Batch, Loss
from adaptkit.model import StackLike
from adaptkit.training.backbone_passes import BackbonePasses
from adaptkit.training.processes import Processes
from adaptkit.training.randomness import RandomStreams

BatchStack: TypeAlias = StackLike | Callable[[Batch], StackLike]
"""The active stack, or how it follows from a batch: each language may have its own adapter below."""


class TrainingStep(nn.Module):
    """Backbone under a stack, and the objective on top: a prepared batch to its measures.

    `trained` holds the adapter's layers and the objective; the backbone is no part of it. Frozen states are those under
    `below`: None is the backbone alone. The processes share the backbone's work; the objective is computed on the whole
    batch in each.
    """

    def __init__(
        self,
        passes: BackbonePasses,
        layers: AdapterLayers,
        objective: nn.Module,
        stack: BatchStack,
        processes: Processes,
        streams: RandomStreams,
        below: BatchStack = None,
    ) -> None:
        super().__init__()
        self._processes = processes
        self._streams = streams
        self.trained = nn.ModuleDict({"adapter": layers, "objective": objective})
        self._passes = passes
        self._stack = stack
        self._below = below

    def forward(self, batch: Batch, *, bare: bool = False) -> dict[str, Tensor]:
        """The objective's measures; `bare` runs the backbone without the adapter and without gradients."""
        objective: Loss = self.trained["objective"]  # type: ignore[assignment]  # an nn.Module that is one
        if batch.states is not None:
            hidden = batch.states
        elif bare:
            hidden = self._frozen(batch, objective)
        else:
            stack = _for(batch, self._stack)
            hidden = self._states(batch, objective, stack)
            if batch.unlabelled is not None:
                batch = replace(batch, unlabelled_states=self._states(batch.unlabelled, objective, stack))
        if batch.frozen is None and (held := batch.anchored) is not None:
            batch = replace(batch, frozen=hidden[held] if bare else self._frozen(batch.read_by_frozen, objective))
        return dict(objective.measures(hidden, batch))

    def states(self, batch: Batch) -> Tensor:
        """Hidden states under the stack that a batch has. Shape: (batch, seq, hidden_width)."""
        if batch.states is not None:
            return batch.states
        return self._states(batch, self.trained["objective"], _for(batch, self._stack))  # type: ignore[arg-type]

    def frozen_states(self, batch: Batch) -> Tensor:
        """What the objective reads of a prepared batch without the adapter. Shape: as the objective reads it."""
        return self._frozen(batch, self.trained["objective"])  # type: ignore[arg-type]  # an nn.Module that is one

    def _frozen(self, batch: Batch, objective: Loss) -> Tensor:
        with torch.no_grad():
            return self._states(batch, objective, _for(batch, self._below))

    def _states(self, batch: Batch, objective: Loss, stack: StackLike) -> Tensor:
        def states(ids: Tensor, mask: Tensor, decoder_ids: Tensor | None = None) -> Tensor:
            with self._streams.in_share(len(batch.ids)):
                return self._passes.states(stack, ids, mask, objective.blocks, decoder_ids)

        decoded = () if batch.decoder_ids is None else (batch.decoder_ids,)
        return self._processes.in_shares(states, batch.ids, batch.mask, *decoded)


def _for(batch: Batch, stack: BatchStack) -> StackLike:
    return stack(batch) if callable(stack) else stack


@contextmanager
def without_dropout(module: nn.Module) -> Iterator[None]:
    """Let a module compute as in use while the context is open."""
    module.eval()
    try:
        yield
    finally:
        module.train()
