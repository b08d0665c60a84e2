"""Recording on CUDA: the few lines that need a GPU."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

import torch
from torch import Tensor

from adaptkit.attaching.gradients import SideBySide
from adaptkit.attaching.graph_pool import GraphPool
from adaptkit.attaching.recorded_steps import StepRecording
from adaptkit.attaching.replayed import Replay

_WARM_UP = 2
_recording = Lock()


class CudaGraphs:
    """Records passes of one network as CUDA graphs that share one pool of memory.

    So they may, as what one of them gives is copied before the next is replayed. Replays on another stream wait for
    those before them. Networks that run in several threads have a pool each.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool = GraphPool()
        self._last: torch.cuda.Stream | None = None

    def __call__(self, run: Callable[[], Tensor]) -> tuple[Replay, Tensor]:
        """Record a function. Kernels are chosen and workspaces taken before, which a recording must not do."""
        with torch.cuda.device(self._device):
            here, aside = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
            aside.wait_stream(here)
            with torch.cuda.stream(aside):
                for _ in range(_WARM_UP):
                    run()
            here.wait_stream(aside)
            graph = torch.cuda.CUDAGraph()
            # What other threads do on the device is their matter, but only one of them may record.
            pool = self._pool.handle_for(graph)
            with _recording, torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
                states = run()
        return lambda fill: self._replay(graph, fill), states

    def _replay(self, graph: torch.cuda.CUDAGraph, fill: Callable[[], None]) -> None:
        with torch.cuda.device(self._device):
            here = torch.cuda.current_stream()
            if self._last is not None and self._last != here:
                here.wait_stream(self._last)
            self._last = here
            # Behind the wait: another stream's replay may still read what is filled.
            fill()
            graph.replay()


class CudaSteps:
    """Records ways there and back, each as two CUDA graphs, as `torch.cuda.make_graphed_callables` does.

    All share one pool of memory: what one has computed for its way back is gone when another goes there. Dropout draws
    anew in every replay, from where the device's generator stands then.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool = GraphPool()

    def __call__(self, run: Callable[[], Tensor], weights: Sequence[Tensor]) -> StepRecording:
        """Record a function, and the way back from what it gives to the weights."""
        with torch.cuda.device(self._device):
            here, aside = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
            aside.wait_stream(here)
            with torch.cuda.stream(aside):
                for _ in range(_WARM_UP):
                    states = run()
                    torch.autograd.grad(states, weights, torch.zeros_like(states), allow_unused=True)
            here.wait_stream(aside)
            gradient = torch.zeros_like(states)
            there, back = torch.cuda.CUDAGraph(), torch.cuda.CUDAGraph()
            pool = self._pool.handle_for(there, back)
            with _recording:
                with torch.cuda.graph(there, pool=pool):
                    states = run()
                with torch.cuda.graph(back, pool=pool):
                    found = SideBySide.of(torch.autograd.grad(states, weights, gradient, allow_unused=True))
        return _CudaStep(self._device, there, back, states.detach(), gradient, found)


@dataclass(frozen=True)
class _CudaStep:
    """Two graphs, and where they read and write."""

    device: torch.device
    there: torch.cuda.CUDAGraph
    back: torch.cuda.CUDAGraph
    states: Tensor
    gradient: Tensor
    found: SideBySide

    def forward(self, fill: Callable[[], None]) -> Tensor:
        """Replay the way there."""
        with torch.cuda.device(self.device):
            fill()
            self.there.replay()
        return self.states

    def backward(self, fill: Callable[[Tensor], None]) -> Sequence[Tensor | None]:
        """Replay the way back."""
        with torch.cuda.device(self.device):
            fill(self.gradient)
            self.back.replay()
            return self.found.copied()
