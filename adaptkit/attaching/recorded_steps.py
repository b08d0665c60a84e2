"""Networks whose way there and back, through which gradients reach adapters, is recorded once for each of a few shapes.

As in `replayed`, for training: a recording gives the states of a batch, and a second one takes their gradient and gives
those of the weights. What is above the network, whose shapes follow from what an objective draws, stays outside.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias
from weakref import ReferenceType, ref

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from adaptkit.attaching.places import Places
from adaptkit.attaching.replayed import share_dropped
from adaptkit.backbones.looked_up import LookedUp
from adaptkit.data.batch_shapes import BatchShape, FixedBuckets

_log = logging.getLogger(__name__)

MOST_RECORDINGS = 8


class StepRecording(Protocol):
    """A recorded way there and back. Every replay writes over what those before it gave."""

    def forward(self, fill: Callable[[], None]) -> Tensor:
        """Run behind a function that fills what it reads. Shape: states (rows, length, width), where they lie."""
        ...

    def backward(self, fill: Callable[[Tensor], None]) -> Sequence[Tensor | None]:
        """Run what belongs to the last `forward`, behind a function that fills the gradient of its states.

        Gives that of each weight, in memory that no replay writes to; None: the weight has no part in the states.
        """
        ...


RecordStep: TypeAlias = Callable[[Callable[[], Tensor], Sequence[Tensor]], StepRecording]
"""Records a function that reads and writes tensors, and the way back from what it gives to weights."""


class RecordedSteps:
    """Runs networks for a loss: gives for a batch what they give unrecorded, padded to the same shape.

    A shape is recorded at its first batch, as long as fewer than `most` recordings are there; later ones run as they
    are, and so does a batch that comes while the way back of another is still to be gone: recordings share memory.
    """

    def __init__(self, record: RecordStep, buckets: FixedBuckets, longest: int, *, most: int = MOST_RECORDINGS) -> None:
        self._record, self._buckets, self._longest, self._most = record, buckets, longest, most
        self._networks: dict[nn.Module, _Parts] = {}
        self._recordings: dict[tuple[nn.Module, BatchShape, bool], _Recording] = {}
        self._on_its_way: ReferenceType[_Way] | None = None

    @property
    def n_recorded(self) -> int:
        """Recordings that there are."""
        return len(self._recordings)

    def states(self, network: nn.Module, ids: Tensor, mask: Tensor) -> Tensor:
        """Shape: ids and mask (batch, seq), result (batch, seq, width), through which gradients go back once.

        Raises:
            RuntimeError: torch's own, where a step cannot be recorded.
        """
        shape = self._buckets.of(BatchShape(*ids.shape), self._longest)
        if shape is None:
            found: Tensor = network(ids, mask)
            return found
        recording = None if self._is_on_its_way else self._recording(network, shape, (ids, mask))
        rows, length = ids.shape
        if recording is None:
            return Places.padded(shape, (ids, mask)).through(network)[:rows, :length]
        way = _Way(recording, (ids, mask))
        self._on_its_way = ref(way)
        # Before it is a part of a graph: while it becomes one, gradients are off.
        there = way.there()
        states: Tensor = _Replayed.apply(way, lambda: there, *recording.weights)  # type: ignore[no-untyped-call]
        return states

    @property
    def _is_on_its_way(self) -> bool:
        way = None if self._on_its_way is None else self._on_its_way()
        return way is not None and not way.is_over

    def _recording(self, network: nn.Module, shape: BatchShape, inputs: tuple[Tensor, ...]) -> "_Recording | None":
        parts = self._networks.setdefault(network, _Parts(network))
        key = (network, shape, parts.drops)
        found = self._recordings.get(key)
        if found is not None and not found.has_moved:
            return found
        if found is None and len(self._recordings) >= self._most:
            return None
        self._recordings[key] = made = self._made(network, parts, shape, inputs)
        return made

    def _made(self, network: nn.Module, parts: "_Parts", shape: BatchShape, inputs: tuple[Tensor, ...]) -> "_Recording":
        _log.info("recording a step of %s, which takes about as long as four steps", shape)
        places = Places.recorded(shape, inputs, parts.tables)
        device = inputs[0].device
        # What is dropped while it is recorded is drawn apart: a run draws as if the recording had been there.
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            step = self._record(lambda: places.through(network), parts.weights)
        return _Recording(places, step, parts.weights, tuple(weight.data_ptr() for weight in parts.weights))


class _Parts:
    """What of a network a recording needs to know."""

    def __init__(self, network: nn.Module) -> None:
        modules = list(network.modules())
        self.tables = [module for module in modules if isinstance(module, LookedUp)]
        self.weights = [weight for weight in network.parameters() if weight.requires_grad]
        self._may_drop = [module for module in modules if share_dropped(module)]

    @property
    def drops(self) -> bool:
        """Whether a layer drops now."""
        return any(module.training for module in self._may_drop)


@dataclass(frozen=True)
class _Recording:
    """Where a recorded step reads, and of which weights it gives gradients."""

    places: Places
    step: StepRecording
    weights: Sequence[Tensor]
    addresses: tuple[int, ...]

    @property
    def has_moved(self) -> bool:
        """Whether a weight lies elsewhere than when it was recorded."""
        return any(weight.data_ptr() != at for weight, at in zip(self.weights, self.addresses, strict=True))


class _Way:
    """One batch on its way there and back."""

    def __init__(self, recording: _Recording, inputs: tuple[Tensor, ...]) -> None:
        self._recording, self._inputs = recording, inputs
        self._rows, self._length = inputs[0].shape
        self.is_over = False

    def there(self) -> Tensor:
        """Shape: (batch, seq, width), a copy."""
        states = self._recording.step.forward(lambda: self._recording.places.fill(self._inputs))
        return states[: self._rows, : self._length].clone()

    def back(self, gradient: Tensor) -> Sequence[Tensor | None]:
        """Gradients of the weights. Shape: gradient as the states."""
        if self.is_over:
            raise RuntimeError("the way back through a recorded step is gone once, as what it needs is written over.")
        self.is_over = True

        def fill(place: Tensor) -> None:
            if place.shape != gradient.shape:
                place.zero_()
            place[: self._rows, : self._length] = gradient

        return self._recording.step.backward(fill)


class _Replayed(torch.autograd.Function):
    """A recorded step as a part of a graph of autograd."""

    @staticmethod
    def forward(ctx: Any, way: _Way, states: Callable[[], Tensor], *_weights: Tensor) -> Tensor:  # noqa: ANN401
        ctx.way = way
        return states()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401 - torch's own
        return None, None, *ctx.way.back(gradient)
