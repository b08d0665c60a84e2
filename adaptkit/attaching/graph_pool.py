"""Memory that recordings share, for as long as one of them lives."""

from collections.abc import Callable
from typing import Any
from weakref import WeakSet

import torch


class GraphPool:
    """A pool of memory for CUDA graphs, whose handle is another one as soon as all graphs that were given it are gone.

    torch takes no new graph into a pool whose graphs are gone while a tensor of theirs is still held: it ends with an
    assertion of its own.
    """

    def __init__(self, handle: Callable[[], Any] = torch.cuda.graph_pool_handle) -> None:
        self._new_handle = handle
        self._graphs: WeakSet[Any] = WeakSet()
        self._handle: Any = None

    def handle_for(self, *graphs: object) -> Any:  # noqa: ANN401 - torch's own
        """What these graphs, not yet recorded, are recorded with."""
        if not self._graphs:
            self._handle = self._new_handle()
        self._graphs.update(graphs)
        return self._handle
