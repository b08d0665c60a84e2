"""A network whose passes are recorded once for each of a few shapes, and replayed.

A pass of a small encoder on a GPU is hundreds of short kernels, and Python needs longer to ask for each than the card
to run it. A recording (a CUDA graph) is asked for once. It reads and writes the same places every time: a batch is
copied to where the recording reads, padded to its shape, and what comes out is copied.
"""

import logging
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Protocol, TypeAlias

import torch
from torch import Tensor, nn

from adaptkit.attaching.places import Places
from adaptkit.backbones.looked_up import LookedUp
from adaptkit.data.batch_shapes import BatchShape, ShapeBuckets

_log = logging.getLogger(__name__)

Replay: TypeAlias = Callable[[Callable[[], None]], object]
"""Runs a recording again, behind a function that fills what it reads: an earlier run may have to end before that."""
Record: TypeAlias = Callable[[Callable[[], Tensor]], tuple[Replay, Tensor]]
"""Records a function that reads and writes tensors: what runs it again, and where its result then lies."""


class Network(Protocol):
    """Maps ids and mask, (batch, seq) both, and perhaps more of each row, to (batch, seq, width)."""

    def __call__(self, ids: Tensor, mask: Tensor, *of_rows: Tensor) -> Tensor: ...  # noqa: D102


@dataclass(frozen=True)
class _Recording:
    """Where a recorded pass reads and writes."""

    places: Places
    replay: Replay
    states: Tensor


class ReplayedNetwork:
    """A bound network, or one around it, that gives for a batch what it gives unrecorded: the same kernels run.

    A shape is recorded the `after`-th time that a batch is padded to it; before, and for batches that fit no bucket,
    the network runs as it is, and so it does where gradients are asked for or a layer drops. A shape whose recording
    made room for another is recorded again after twice as many batches as before. Recordings are made anew where
    weights lie elsewhere than when they were made; weights that only change where they lie are read as they are.
    """

    def __init__(
        self,
        network: nn.Module,
        longest: int,
        record: Record,
        *,
        after: int = 1,
        buckets: ShapeBuckets | None = None,
    ) -> None:
        self._network, self._longest, self._record, self._after = network, longest, record, after
        self._buckets = buckets or ShapeBuckets()
        self._recordings: OrderedDict[BatchShape, _Recording] = OrderedDict()
        self._asked: Counter[BatchShape] = Counter()
        self._after_room_made: dict[BatchShape, int] = {}
        self._places: list[int] = []
        self._lock = Lock()
        parts = list(network.modules())
        self._may_drop = [part for part in parts if share_dropped(part)]
        self._tables = [module for module in parts if isinstance(module, LookedUp)]
        self._weights = [held for part in parts for held in (part._parameters, part._buffers) if held]
        self.n_recorded = 0
        """Recordings made so far."""

    @property
    def shapes(self) -> tuple[BatchShape, ...]:
        """What is recorded, the shape that was needed last at the end."""
        return tuple(self._recordings)

    def __call__(self, ids: Tensor, mask: Tensor, *of_rows: Tensor) -> Tensor:
        """Shape: ids and mask (batch, seq), of_rows (batch, ...), result (batch, seq, width)."""
        with self._lock:
            shape = self._shape_for(BatchShape(*ids.shape)) if self._can_be_recorded() else None
            if shape is None:
                return self._as_it_is(ids, mask, *of_rows)
            if shape not in self._recordings:
                self._make(shape, (ids, mask, *of_rows))
            self._recordings.move_to_end(shape)
            return self._replayed(self._recordings[shape], (ids, mask, *of_rows))

    def forget(self) -> None:
        """Drop all recordings."""
        with self._lock:
            self._recordings.clear()

    def _can_be_recorded(self) -> bool:
        # Dropout draws anew in every pass, and what it draws is the caller's matter.
        return not torch.is_grad_enabled() and not any(part.training for part in self._may_drop)

    def _as_it_is(self, *inputs: Tensor) -> Tensor:
        states: Tensor = self._network(*inputs)
        return states

    def _shape_for(self, asked: BatchShape) -> BatchShape | None:
        """A recorded shape that fits, or one that is to be recorded now; None: neither."""
        self._drop_if_moved()
        found = self._buckets.fitting(asked, self._recordings)
        if found is not None:
            return found
        bucket = self._buckets.of(asked, self._longest)
        if bucket is None:
            return None
        self._asked[bucket] += 1
        return bucket if self._asked[bucket] >= self._needed(bucket) else None

    def _needed(self, bucket: BatchShape) -> int:
        return self._after_room_made.get(bucket, self._after)

    def _drop_if_moved(self) -> None:
        places = [tensor.data_ptr() for held in self._weights for tensor in held.values() if tensor is not None]
        if places != self._places:
            self._recordings.clear()
            self._places = places

    def _make(self, shape: BatchShape, inputs: tuple[Tensor, ...]) -> None:
        _log.info("recording a pass of %s, which takes about as long as four passes", shape)
        with torch.inference_mode():
            places = Places.recorded(shape, inputs, self._tables)
            replay, states = self._record(lambda: places.through(self._network))
        self._recordings[shape] = _Recording(places, replay, states)
        self.n_recorded += 1
        while len(self._recordings) > self._buckets.most:
            dropped, _ = self._recordings.popitem(last=False)
            # Where more shapes come than are kept, recording them in turn would take longer than it spares.
            self._asked[dropped], self._after_room_made[dropped] = 0, 2 * self._needed(dropped)

    def _replayed(self, recording: _Recording, inputs: tuple[Tensor, ...]) -> Tensor:
        rows, length = inputs[0].shape
        with torch.inference_mode():
            recording.replay(lambda: recording.places.fill(inputs))
        # A copy outside of inference mode may stand in a graph of autograd, where the caller wants one.
        return recording.states[:rows, :length].clone()


def share_dropped(module: nn.Module) -> float:
    """What a module drops in training; layers of adapters have a number for it."""
    share = module.p if isinstance(module, nn.Dropout) else getattr(module, "dropout", 0.0)
    return float(share) if isinstance(share, float | int) else 0.0
