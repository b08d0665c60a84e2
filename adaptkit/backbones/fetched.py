"""Rows of a table of word embeddings that are fetched before a pass asks for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary


@dataclass(frozen=True)
class Fetched:
    """Vectors of a batch's distinct tokens, and which of them each token has: on the device, or on their way there.

    `version` is that of the ids; they have another one when they were changed in place.

    Shape: vectors (n, width), places as the ids.
    """

    vectors: Tensor
    places: Tensor
    version: int
    on_their_way: torch.cuda.Event | None = None

    def spread(self) -> Tensor:
        """A vector for each token. The GPU waits for them, and this thread does not. Shape: (..., width)."""
        if self.on_their_way is not None:
            stream = torch.cuda.current_stream(self.vectors.device)
            stream.wait_event(self.on_their_way)
            for tensor in (self.vectors, self.places):
                tensor.record_stream(stream)
        return self.vectors[self.places]


class FetchedBatches:
    """What was fetched for batches, by the tensors of their ids themselves: for as long as those live."""

    def __init__(self) -> None:
        self._of = WeakIdKeyDictionary()
        self._stream: torch.cuda.Stream | None = None

    def __reduce__(self) -> tuple[type["FetchedBatches"], tuple[()]]:
        """A copy of a table, or one that is sent to another process, begins with nothing fetched."""
        return FetchedBatches, ()

    def keep(self, ids: Tensor, vectors: Tensor, places: Tensor) -> None:
        """Keep them for a pass that reads these very ids, on their device. Called in `beside`."""
        event = torch.cuda.current_stream(ids.device).record_event() if ids.is_cuda else None
        self._of[ids] = Fetched(vectors, places, _version(ids), event)

    def of(self, ids: Tensor) -> Fetched | None:
        """What was fetched for these ids; None where nothing was, or they were changed since."""
        found: Fetched | None = self._of.get(ids)  # type: ignore[no-untyped-call]  # torch's own
        return found if found is not None and found.version == _version(ids) else None

    @contextmanager
    def beside(self, device: torch.device) -> Iterator[None]:
        """Let what a GPU is given here be done beside what it is doing; on other devices, as ever."""
        if device.type != "cuda":
            yield
            return
        if self._stream is None:
            self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # torch's own
        with torch.cuda.stream(self._stream):
            yield


def _version(ids: Tensor) -> int:
    """Tensors of inference mode have none: those are not changed in place either."""
    return -1 if ids.is_inference() else ids._version


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor of the CPU on a device, on the way to which this thread is not kept waiting."""
    if device.type != "cuda" or tensor.device.type != "cpu":
        return tensor.to(device)
    # Only from memory that stays where it is does a copy go on beside what this thread does next.
    return tensor.pin_memory().to(device, non_blocking=True)
