"""How a batch goes through the backbone in training: under hooks, or recorded once for each shape and replayed."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeAlias

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
from adaptkit.backbones.out_of_memory import memory_error_in
from adaptkit.data.batch_shapes import FixedBuckets
from adaptkit.errors import ConfigError
from adaptkit.model import AdaptedModel, StackLike
from adaptkit.terminal.asking import as_typed
from adaptkit.training.settings import TrainingSettings

_log = logging.getLogger(__name__)
_RECORDED_AFTER = 2
"""At which batch of a shape a pass without gradients is recorded: those of held-out text come again."""


Recorders: TypeAlias = tuple[RecordStep, Record]
"""What records steps, and what records passes without gradients."""


class BackbonePasses(Protocol):
    """Gives the states of a batch under a stack, with gradients where they are asked for."""

    @property
    def records(self) -> bool:
        """Whether the first batch of a shape takes longer than those behind it."""
        ...

    def states(
        self, stack: StackLike, ids: Tensor, mask: Tensor, blocks: Sequence[int], decoder_ids: Tensor | None = None
    ) -> Tensor:
        """Shape: as of `AdaptedModel.forward`."""
        ...

    def forget(self) -> None:
        """Drop what was made of the backbone in the types that it has now."""


class HookedPasses:
    """Passes of the model as it is."""

    records = False

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
    head's warm-up, have eight for each stack. Where one cannot be recorded, or does not fit the memory, all run as they
    are from then on, and the log says which; if they `must` be recorded, that is an error.
    """

    def __init__(self, model: AdaptedModel, *, rows: int, recorders: Recorders, must: bool) -> None:
        self._model, self._rows, self._must = model, rows, must
        self._record_step, self._record_pass = recorders
        self._as_they_are: HookedPasses | None = None
        self.forget()

    @property
    def records(self) -> bool:
        """Until one could not be recorded."""
        return self._as_they_are is None

    def forget(self) -> None:
        """Drop all networks and recordings."""
        self._bound: dict[tuple[int, Sequence[int]], _Bound] = {}
        self.steps = RecordedSteps(self._record_step, FixedBuckets(self._rows), self._model.backbone.max_length)

    def states(
        self, stack: StackLike, ids: Tensor, mask: Tensor, blocks: Sequence[int], decoder_ids: Tensor | None = None
    ) -> Tensor:
        """Shape: as of `AdaptedModel.forward`; there is no decoder."""
        if self._as_they_are is None:
            try:
                return self._recorded(stack, ids, mask, blocks)
            except RuntimeError as error:
                if self._must:
                    raise
                # A recording keeps memory of its own; what runs as it is may have enough.
                why_not = "do not fit the memory" if memory_error_in(error) else "cannot be recorded"
                _log.warning("steps of this training %s as CUDA graphs, and run as they are: %s", why_not, error)
            self.forget()
            self._as_they_are = HookedPasses(self._model)
        return self._as_they_are.states(stack, ids, mask, blocks, decoder_ids)

    def _recorded(self, stack: StackLike, ids: Tensor, mask: Tensor, blocks: Sequence[int]) -> Tensor:
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


def passes_of(
    model: AdaptedModel, settings: TrainingSettings, *, n_processes: int, drops: bool, recorders: Recorders | None
) -> BackbonePasses:
    """Recorded where the settings want it and it can be.

    Raises:
        ConfigError: They always want it, and it cannot be.
    """
    why_not = _why_not(model, settings, n_processes=n_processes, drops=drops, recorders=recorders)
    must = settings.graphs == "always"
    if why_not is not None and must:
        raise ConfigError(f"{as_typed(graphs='always')} {why_not}, or leave graphs on auto.")
    if settings.graphs == "never" or recorders is None or why_not is not None:
        return HookedPasses(model)
    return RecordedPasses(model, rows=-(-settings.batch_size // n_processes), recorders=recorders, must=must)


def _why_not(
    model: AdaptedModel, settings: TrainingSettings, *, n_processes: int, drops: bool, recorders: Recorders | None
) -> str | None:
    """What keeps steps from being recorded, and what would be right; None: nothing."""
    backbone = model.backbone
    if recorders is None:
        return (
            f"records steps as CUDA graphs, and the backbone is on {backbone.device}. Train on a GPU "
            f"({as_typed(device='cuda')})"
        )
    if backbone.architecture.decoder is not None:
        return (
            f"records backbones of one list of blocks, and {backbone.name} has an encoder and a decoder. Take another "
            "backbone"
        )
    if settings.gradient_checkpointing:
        return (
            "keeps activations in memory of its own, which gradient_checkpointing is to spare. Train without "
            "gradient_checkpointing"
        )
    if drops and n_processes > 1:
        return (
            f"pads what each process reads, and layers that drop draw for the whole batch of all {n_processes} "
            "processes. Train without dropout, or in one process"
        )
    return None


def recorders_for(device: torch.device) -> Recorders | None:
    """What records steps, and passes without gradients, on a device; None where nothing can."""
    return (CudaSteps(device), CudaGraphs(device)) if device.type == "cuda" else None


@contextmanager
def recording_errors_told() -> Iterator[None]:
    """What torch says where a step cannot be recorded, in an error of ours that says what to do.

    Raises:
        ConfigError: Such an error; memory that is short stays torch's own.
    """
    try:
        with warnings.catch_warnings():
            # The weights are met first on the stream that records; what the engine adds for that is right.
            warnings.filterwarnings("ignore", message="The AccumulateGrad node's stream does not match")
            yield
    except RuntimeError as error:
        if "captur" not in str(error) or memory_error_in(error):
            raise
        raise ConfigError(
            f"a step of this training cannot be recorded as a CUDA graph: {error}. Leave graphs on auto."
        ) from error
