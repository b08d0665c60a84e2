"""Which slot of the banks holds which adapter, for requests in which every row has a stack of its own."""

from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Any, TypeAlias
from weakref import ReferenceType, WeakKeyDictionary, ref

import torch
from torch import Tensor

from adaptkit.attaching import AdapterLayers, BankedNetwork, BankNeeds, BankSizes, Column, Network, RowPlan
from adaptkit.backbones import Backbone
from adaptkit.backbones.precision import is_in_bfloat16_blocks
from adaptkit.errors import ConfigError
from adaptkit.model.stacks import ResolvedStack

Through: TypeAlias = Callable[[BankedNetwork], Network]
"""What makes of a network what runs: itself, a compiled or a recorded one."""
_As: TypeAlias = tuple[frozenset[str], float]


class Banks:
    """Banks of a model, which hold the adapters that were named last.

    An adapter is copied into a slot when a batch first needs it, in place of the one that was not needed for the
    longest time, and again where its weights were changed in place, but for what is written through `weight.data`.
    Where a batch needs more slots than there are, a stack is deeper than the index or an adapter larger than its place,
    larger banks take the place of these, and what is compiled is compiled once more; smaller ones do where the last
    thousand batches would have done with them.
    Batches run one at a time.
    """

    def __init__(self, backbone: Backbone, *, slots: int, through: Through) -> None:
        if not backbone.architecture.row_wise:
            raise ConfigError(
                f"the backbone is a {backbone.shape.model_type}, whose projections read positions besides the rows of "
                "a batch, so rows cannot have slots in banks. Leave banks out (no use_banks, and no --slots in a "
                "server): a batch then takes one pass for each distinct stack."
            )
        if slots < 2:
            raise ConfigError(f"slots must be at least 2, as the first holds no adapter, found {slots}.")
        self._backbone, self._through = backbone, through
        self._lock = Lock()
        self._sizes = BankSizes(slots, 1, {})
        self._needs = BankNeeds(self._sizes)
        self._network: BankedNetwork | None = None
        self._running: Network | None = None
        self._slots = _Slots(slots)
        self._stopped = False

    @property
    def network(self) -> BankedNetwork:
        """The network as it is now. Growing puts another one in its place."""
        with self._lock:
            return self._made()

    @property
    def nbytes(self) -> int:
        """What the banks take in memory, besides the adapters that they hold copies of."""
        with self._lock:
            return 0 if self._network is None else self._network.bank_bytes

    def take(self, plans: Sequence[RowPlan]) -> bool:
        """Whether banks run a batch: its stacks are LoRAs, averages of them, and bottlenecks, none trains or drops."""
        if self._stopped or torch.is_grad_enabled() or is_in_bfloat16_blocks(self._backbone.network):
            return False
        return all(plan.columns is not None and not plan.drops for plan in plans)

    def slots(self, stacks: Sequence[ResolvedStack]) -> Tensor:
        """The index of rows under these stacks, which are put into the banks where they are not there yet.

        It is right until another stack takes a slot. Shape: (len(stacks), levels), integers on the backbone's device.

        Raises:
            ConfigError: A stack has no place in banks.
        """
        plans = [stack.plan for stack in stacks]
        unfit = [str(stack.stack) for stack in stacks if stack.plan.columns is None]
        if unfit:
            raise ConfigError(
                f"{unfit[0]} has no place in banks, which hold trained LoRAs, averages of those, and bottlenecks. "
                "Run it by model.encode or model.predict, which choose by themselves."
            )
        with self._lock:
            return self._index(plans)

    def keep_room(self, stacks: Sequence[ResolvedStack]) -> None:
        """Put these into the banks, and have room for as much from now on, whether batches name them or not.

        Raises:
            ConfigError: As `slots`.
        """
        self.slots(stacks)
        with self._lock:
            self._needs.keep(self._sizes)

    def states(self, ids: Tensor, mask: Tensor, plans: Sequence[RowPlan]) -> Tensor:
        """Hidden states of the last block, each row under a plan of its own.

        Shape: ids and mask (batch, seq), result (batch, seq, hidden_width).
        """
        with self._lock:
            slots = self._index(plans)
            self._made()
            assert self._running is not None  # noqa: S101 - made beside the network
            return self._running(ids, mask, slots)

    def compile(self, **options: Any) -> None:  # noqa: ANN401 - those of torch.compile
        """Compile what runs, whole, by `torch.compile` with these options; the next batch does it."""
        self.run_through(lambda network: torch.compile(network, fullgraph=True, **options))

    def run_through(self, through: Through) -> None:
        """Let what this makes of the network run from now on, and what it makes of larger ones after it."""
        with self._lock:
            self._through = through
            self._running = None if self._network is None else through(self._network)

    def forget(self) -> None:
        """Hold nothing: needed where the backbone or the adapters have moved."""
        with self._lock:
            self._hold_nothing(self._sizes)

    def stop(self) -> None:
        """Take no requests any more, and hold nothing: they go the way of hooks again."""
        self._stopped = True
        self.forget()

    def _index(self, plans: Sequence[RowPlan]) -> Tensor:
        of_rows = [plan.columns or () for plan in plans]
        needed = list(dict.fromkeys(column for columns in of_rows for column in columns))
        self._release(needed, in_one_row=max(map(len, of_rows), default=0))
        new = [column for column in needed if self._slots.of(column) is None]
        self._make_room(new, in_one_row=max(map(len, of_rows), default=0), at_once=len(needed))
        slot_of = {column: self._slot(column, needed) for column in needed}
        rows = [[slot_of[column] for column in columns] for columns in of_rows]
        levels = self._sizes.levels
        filled = [row + [0] * (levels - len(row)) for row in rows]
        device = self._backbone.device
        # Never a view, which would be compiled for anew.
        return (
            torch.tensor(filled, device=device) if filled else torch.zeros(0, levels, dtype=torch.long, device=device)
        )

    def _slot(self, column: Column, needed: Sequence[Column]) -> int:
        slot = self._slots.of(column)
        if slot is None:
            slot = self._slots.free(but=needed)
            # Looked at before: what changes while it is copied is copied again.
            version = self._slots.version(column)
            self._made().put(slot, column)
            self._slots.note(slot, column, version)
        self._slots.used(slot)
        return slot

    def _make_room(self, new: Sequence[Column], *, in_one_row: int, at_once: int) -> None:
        sizes = self._sizes.with_room_for([column.layers for column in new], in_one_row=in_one_row, at_once=at_once)
        if sizes is not self._sizes:
            self._resize(sizes)

    def _release(self, needed: Sequence[Column], *, in_one_row: int) -> None:
        """Hold nothing that has changed since it was copied, and no more room than batches need of late."""
        self._slots.leave_changed(needed)
        self._needs.note(needed, in_one_row)
        if (smaller := self._needs.smaller(self._sizes)) is not None:
            self._resize(smaller)

    def _resize(self, sizes: BankSizes) -> None:
        """Let banks of other sizes take the place of these; where they cannot be made, banks of before are."""
        before = self._sizes
        self._hold_nothing(sizes)
        try:
            self._made()
        finally:
            if self._running is None:
                self._hold_nothing(before)

    def _hold_nothing(self, sizes: BankSizes) -> None:
        self._sizes, self._network, self._running = sizes, None, None
        self._slots = _Slots(sizes.slots)

    def _made(self) -> BankedNetwork:
        if self._network is None:
            # What is made in inference mode could not be changed outside of it.
            with torch.inference_mode(mode=False):
                self._network = BankedNetwork(self._backbone, self._sizes)
                self._running = self._through(self._network)
        return self._network


class _Slots:
    """Which slot holds what, in the order in which they were last needed. Slot 0 holds nothing."""

    def __init__(self, n_slots: int) -> None:
        # Weakly, so that what is detached is not kept by its slot.
        self._held: WeakKeyDictionary[AdapterLayers, dict[_As, int]] = WeakKeyDictionary()
        self._holders: dict[int, tuple[ReferenceType[AdapterLayers], _As] | None] = dict.fromkeys(range(1, n_slots))
        self._weights: WeakKeyDictionary[AdapterLayers, tuple[Tensor, ...]] = WeakKeyDictionary()
        self._versions: dict[int, int] = {}

    def of(self, column: Column) -> int | None:
        """The slot of a column, if one holds it."""
        return self._held.get(column.layers, {}).get(_as(column))

    def used(self, slot: int) -> None:
        """Note that a slot is needed now."""
        self._holders[slot] = self._holders.pop(slot)

    def free(self, but: Iterable[Column]) -> int:
        """The slot that was not needed for the longest time and that none of `but` has, empty from now on."""
        kept = {self.of(other) for other in but}
        slot = next(slot for slot in self._holders if slot not in kept)
        self._leave(slot)
        return slot

    def note(self, slot: int, column: Column, version: int) -> None:
        """Note that an empty slot holds a column as its weights were at a version."""
        self._held.setdefault(column.layers, {})[_as(column)] = slot
        self._holders[slot] = ref(column.layers), _as(column)
        self._versions[slot] = version

    def version(self, column: Column) -> int:
        """A number that grows with each change in place of the weights that a column's adapter acts by."""
        weights = self._weights.get(column.layers)
        if weights is None:
            # Looked for once: there are some hundred, and each batch asks.
            found = (weight for _, layer in column.layers.items() for weight in layer.parameters())
            weights = self._weights[column.layers] = tuple(weight for weight in found if not weight.is_inference())
        return sum([weight._version for weight in weights])

    def leave_changed(self, needed: Iterable[Column]) -> None:
        """Hold none of these whose weights have changed since."""
        for column in needed:
            slot = self.of(column)
            if slot is not None and self.version(column) != self._versions[slot]:
                self._leave(slot)

    def _leave(self, slot: int) -> None:
        holder = self._holders[slot]
        layers = holder[0]() if holder is not None else None
        if holder is not None and layers is not None:
            del self._held[layers][holder[1]]
        self._holders[slot] = None


def _as(column: Column) -> _As:
    return column.modules, column.share
