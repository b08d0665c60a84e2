"""How a batch goes through the backbone in training: under hooks, or recorded once for each shape and replayed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor, nn

from adaptkit.attaching import (
    BoundBlocks,
    BoundNetwork,
    CudaGraphs,
    CudaSteps,
    Plan,
    Record,
    RecordedSteps,
    RecordStep,
    ReplayedNetwork,
)
from adaptkit.data.batch_shapes import FixedBuckets
from adaptkit.errors import ConfigError
from adaptkit.model import AdaptedModel, StackLike
from adaptkit.terminal.asking import as_typed

_RECORDED_AFTER = 2
"""At which batch of a shape a pass without gradients is recorded: those of held-out text come again."""


class BackbonePasses(Protocol):
    """Gives the states of a batch under a stack, with gradients where they are asked for."""

    def states(
        self, stack: StackLike, ids: Tensor, mask: Tensor, blocks: Sequence[int], decoder_ids: Tensor | None = None
    ) -> Tensor:
        """Shape: as of `AdaptedModel.forward`."""
        ...

    def forget(self) -> None:
        """Drop what was made of the backbone in the types that it has now."""


class HookedPasses:
    """Passes of the model as it is."""

    def __init__(self, model: AdaptedModel) -> None:
        self._model = model

    def states(
        self, stack: StackLike, ids: Tensor, mask: Tensor, blocks: Sequence[int], decoder_ids: Tensor | None = None
    ) -> Tensor:
        """Shape: as of `AdaptedModel.forward`."""
        with self._model.active(stack):
            states: Tensor = self._model(ids, mask, blocks=blocks, decoder_ids=decoder_ids)
        return states

    def forget(self) -> None:
        """Nothing is made."""


class RecordedPasses:
    """Passes of bound networks, recorded at the first batch of a shape, of whole batches of `rows`.

    There are at most eight recordings with gradients; passes without, of held-out batches, of the frozen stack and of a
    head's warm-up, have eight for each stack.

    Raises:
        ConfigError: An encoder-decoder.
    """

    def __init__(self, model: AdaptedModel, *, rows: int, record_step: RecordStep, record_pass: Record) -> None:
        backbone = model.backbone
        if backbone.architecture.decoder is not None:
            raise ConfigError(
                f"{as_typed(graphs=True)} records backbones of one list of blocks, and {backbone.name} has an encoder "
                "and a decoder; leave it out."
            )
        self._model, self._rows = model, rows
        self._record_step, self._record_pass = record_step, record_pass
        self.forget()

    def forget(self) -> None:
        """Drop all networks and recordings."""
        self._bound: dict[tuple[int, Sequence[int]], _Bound] = {}
        self.steps = RecordedSteps(self._record_step, FixedBuckets(self._rows), self._model.backbone.max_length)

    def states(
        self, stack: StackLike, ids: Tensor, mask: Tensor, blocks: Sequence[int], decoder_ids: Tensor | None = None
    ) -> Tensor:
        """Shape: as of `AdaptedModel.forward`, without `decoder_ids`."""
        assert decoder_ids is None, "there is no decoder"  # noqa: S101 - refused above
        bound = self._of(self._model.plan(stack), tuple(blocks))
        if bound.trains and torch.is_grad_enabled():
            return self.steps.states(bound.network, ids, mask)
        with torch.no_grad():
            return bound.replayed(ids, mask)

    def _of(self, plan: Plan, blocks: Sequence[int]) -> "_Bound":
        key = (id(plan), blocks)
        if key not in self._bound:
            self._bound[key] = _Bound(self._model, plan, blocks, self._record_pass)
        return self._bound[key]


class _Bound:
    """A bound network of one plan, which is kept as long as its number in a dictionary."""

    def __init__(self, model: AdaptedModel, plan: Plan, blocks: Sequence[int], record: Record) -> None:
        self._plan = plan
        bound = BoundNetwork(model.backbone, plan)
        self.network: nn.Module = BoundBlocks(bound, blocks) if blocks else bound
        self.trains = any(weight.requires_grad for weight in self.network.parameters())
        self.replayed = ReplayedNetwork(self.network, model.backbone.max_length, record, after=_RECORDED_AFTER)


def recorders_for(device: torch.device) -> tuple[RecordStep, Record]:
    """What records steps, and passes without gradients, on a device.

    Raises:
        ConfigError: It is not CUDA.
    """
    if device.type != "cuda":
        raise ConfigError(
            f"{as_typed(graphs=True)} records steps as CUDA graphs, and the backbone is on {device}. Leave it out, or "
            f"train on a GPU: {as_typed(device='cuda')}."
        )
    return CudaSteps(device), CudaGraphs(device)


@contextmanager
def recording_errors_told() -> Iterator[None]:
    """What torch says where a step cannot be recorded, in an error of ours that says what to do.

    Raises:
        ConfigError: Such an error; memory that is short stays torch's own.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        if "captur" not in str(error):
            raise
        raise ConfigError(
            f"a step of this training cannot be recorded as a CUDA graph: {error}. Leave {as_typed(graphs=True)} out."
        ) from error
