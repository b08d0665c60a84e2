"""Which batches are replayed from a recording of a pass like theirs, and which run as they are."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from weakref import ReferenceType, ref

import torch
from torch import Tensor, nn

from adaptkit.attaching import BankedNetwork, BoundNetwork, CudaGraphs, Network, Record, ReplayedNetwork, RowPlan
from adaptkit.backbones import Backbone
from adaptkit.backbones.out_of_memory import memory_error_in
from adaptkit.backbones.precision import is_in_bfloat16_blocks
from adaptkit.errors import ConfigError
from adaptkit.holding import AUTO, GRAPHS, Graphs
from adaptkit.terminal.asking import as_typed

_log = logging.getLogger(__name__)

_BOUND_AFTER, _RECORDED_AFTER = 2, 3
"""Batches of one stack before it is bound, and of one shape behind that before it is recorded, on `auto`."""
_PLANS_KEPT = 4
"""Each holds the memory of its recordings."""


@dataclass
class _Asked:
    """How often a plan was asked for, and its network as soon as there is one."""

    plan: "ReferenceType[RowPlan]"
    n_asked: int = 0
    network: ReplayedNetwork | None = None


class Replays:
    """Bound networks of the plans that were needed last, whose passes are recorded. `record` does that.

    On the CPU nothing is recorded, as there is nothing to gain.
    """

    def __init__(self, backbone: Backbone, record: Record | None = None) -> None:
        self._backbone, self._record = backbone, record
        self._graphs: Graphs = AUTO
        self._plans: dict[int, _Asked] = {}
        self._lock = Lock()

    def use(self, graphs: Graphs) -> None:
        """Record so from now on; what was recorded is dropped.

        Raises:
            ConfigError: Another word, or `always` where the backbone is not on CUDA.
        """
        if graphs not in GRAPHS:
            raise ConfigError(f"graphs is {', '.join(GRAPHS[:-1])} or {GRAPHS[-1]}, found {graphs!r}.")
        if graphs == "always" and not self._can_record:
            raise ConfigError(
                f"{as_typed(graphs='always')} needs a model on CUDA, and this one is on {self._backbone.device}. Load "
                f"it with {as_typed(device='cuda')}, or leave graphs on {AUTO}."
            )
        with self._lock:
            self._graphs = graphs
            self._plans.clear()

    def states(self, ids: Tensor, mask: Tensor, plans: Sequence[RowPlan]) -> Tensor | None:
        """Hidden states of the last block; None where the batch goes its usual way.

        Shape: ids and mask (batch, seq), result (batch, seq, hidden_width).

        Raises:
            ConfigError: A pass cannot be recorded, and `always` was asked for; torch's own error where memory is short.
        """
        if self._graphs == "never" or not self._can_record or torch.is_grad_enabled():
            return None
        plan = plans[0]
        if any(other is not plan for other in plans) or plan.n_pieces or not self._can_be_bound:
            return None
        network = self._network_of(plan)
        return None if network is None else self._run(network, ids, mask)

    def through(self, network: BankedNetwork) -> Network:
        """A network of banks, or what replays its passes."""
        if self._graphs == "never" or not self._can_record or self._backbone.architecture.decoder is not None:
            return network
        replayed = self._replayed(network)

        def run(ids: Tensor, mask: Tensor, *of_rows: Tensor) -> Tensor:
            states = self._run(replayed, ids, mask, *of_rows) if self._graphs != "never" else None
            return network(ids, mask, *of_rows) if states is None else states

        return run

    @property
    def _can_record(self) -> bool:
        return self._record is not None or self._backbone.device.type == "cuda"

    @property
    def _can_be_bound(self) -> bool:
        return self._backbone.architecture.decoder is None and not is_in_bfloat16_blocks(self._backbone.network)

    def _network_of(self, plan: RowPlan) -> ReplayedNetwork | None:
        key = id(plan)
        with self._lock:
            asked = self._plans.pop(key, None)
            if asked is None or asked.plan() is not plan:
                asked = _Asked(ref(plan, lambda _: self._plans.pop(key, None)))
            self._plans[key] = asked  # behind all that were needed before
            asked.n_asked += 1
            if asked.network is None and (self._graphs == "always" or asked.n_asked > _BOUND_AFTER):
                asked.network = self._bound(plan)
                self._keep_few()
            return asked.network

    def _bound(self, plan: RowPlan) -> ReplayedNetwork:
        return self._replayed(BoundNetwork(self._backbone, plan))

    def _replayed(self, network: nn.Module) -> ReplayedNetwork:
        record = self._record or CudaGraphs(self._backbone.device)
        after = 1 if self._graphs == "always" else _RECORDED_AFTER
        return ReplayedNetwork(network, self._backbone.max_length, record, after=after)

    def _keep_few(self) -> None:
        # Listed at once: a plan that another thread lets go leaves without the lock.
        bound = [asked for asked in list(self._plans.values()) if asked.network is not None]
        for asked in bound[:-_PLANS_KEPT]:
            asked.network, asked.n_asked = None, 0

    def _run(self, network: ReplayedNetwork, *inputs: Tensor) -> Tensor | None:
        try:
            return network(*inputs)
        except RuntimeError as error:
            network.forget()
            is_short = memory_error_in(error) is not None
            if self._graphs == "always" and is_short:
                raise
            if self._graphs == "always":
                raise ConfigError(
                    f"a pass of {self._backbone.name} cannot be recorded as a CUDA graph: {error}. Leave graphs on "
                    f"{AUTO}."
                ) from error
            self.use("never")
            why_not = "did not fit the memory as a CUDA graph" if is_short else "could not be recorded"
            _log.warning("passes run as they are from now on, as one %s: %s", why_not, error)
            return None
