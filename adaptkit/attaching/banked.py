"""A backbone whose rows have adapters by number: one network, and one compiled graph, for every mixture of stacks."""

from collections.abc import Hashable, Iterable, Mapping
from functools import partial

import torch
from torch import Tensor, nn

from adaptkit.attaching.bank_sizes import BankSizes, BottleneckSize, LowRankSize, Place, place_of
from adaptkit.attaching.banks import BottleneckBank, LowRankBank, SiteBanks, SlotsOfRows
from adaptkit.attaching.bound import BoundNetwork
from adaptkit.attaching.columns import Column
from adaptkit.backbones import Backbone


class BankedNetwork(nn.Module):
    """The backbone with banks behind its modules, on the same weights, and copies of the adapters that slots hold.

    One batch runs at a time. The banks stay where they are in memory, whatever is put into them.
    """

    def __init__(self, backbone: Backbone, sizes: BankSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self._rows = SlotsOfRows(sizes.slots)
        self._held: dict[int, list[Place]] = {}
        self._new = {
            place: partial(torch.zeros, dtype=dtype, device=backbone.device)
            for place, dtype in _types_at(backbone, sizes.places).items()
        }
        self._terms, self._bottlenecks = self._low_rank_banks(backbone.shape.same_inputs()), self._bottleneck_banks()
        self.banks = nn.ModuleList([*dict.fromkeys(self._terms.values()), *self._bottlenecks.values()])
        self._group_sizes = sorted({1, *(bank.n_modules for bank in self._terms.values())})
        modules = dict.fromkeys(module for module, _ in sizes.places)
        self.bound = BoundNetwork(backbone, {module: (self._site(module),) for module in modules})

    def forward(self, input_ids: Tensor, attention_mask: Tensor, slots: Tensor) -> Tensor:
        """Hidden states of the last block, each row under the adapters that its slots hold, from the lowest.

        Shape: ids and mask (batch, seq), slots (batch, levels) integers, 0 where a row has none, result
        (batch, seq, hidden_width).
        """
        self._rows.take(slots, self._group_sizes)
        states: Tensor = self.bound(input_ids, attention_mask)
        self._rows.let_go()
        return states

    def put(self, slot: int, column: Column) -> None:
        """Let a slot hold an adapter as it acts in a column, in place of what it held."""
        with torch.no_grad():
            for module, activation in self._held.get(slot, ()):
                self._bank_at((module, activation)).empty(slot, module)
            # Noted before, so that a copy that breaks off is emptied too.
            self._held[slot] = [place_of(module, layer) for module, layer in column.items()]
            for module, layer in column.items():
                self._bank_at(place_of(module, layer)).put(slot, module, layer, column.share)

    @property
    def bank_bytes(self) -> int:
        """What the banks take."""
        return sum(buffer.numel() * buffer.element_size() for buffer in self.banks.buffers())

    def _bank_at(self, place: Place) -> LowRankBank | BottleneckBank:
        return self._terms[place[0]] if place[1] is None else self._bottlenecks[place]

    def _low_rank_banks(self, same_input: Mapping[str, Hashable]) -> dict[str, LowRankBank]:
        groups: dict[Hashable, dict[str, LowRankSize]] = {}
        for (module, _), size in self.sizes.places.items():
            if isinstance(size, LowRankSize):
                groups.setdefault(same_input.get(module, module), {})[module] = size
        found: dict[str, LowRankBank] = {}
        for sizes in groups.values():
            place: Place = next(iter(sizes)), None
            found |= dict.fromkeys(sizes, LowRankBank(sizes, self._rows, self._new[place]))
        return found

    def _bottleneck_banks(self) -> dict[Place, BottleneckBank]:
        places = self.sizes.places.items()
        return {
            place: BottleneckBank(size, self._rows, self._new[place])
            for place, size in places
            if isinstance(size, BottleneckSize)
        }

    def _site(self, module: str) -> SiteBanks:
        bottlenecks = [bank for (path, _), bank in self._bottlenecks.items() if path == module]
        return SiteBanks(module, self._rows, self._terms.get(module), bottlenecks)


@torch.inference_mode()
def _types_at(backbone: Backbone, places: Iterable[Place]) -> dict[Place, torch.dtype]:
    """The type in which layers compute at each place, found by one pass: that of what they read."""
    types = dict.fromkeys(places, backbone.network.dtype)

    def note(module: str, site_input: object, site_output: Tensor) -> Tensor:
        for place in types:
            if place[0] == module:
                read = site_input if place[1] is None else site_output
                types[place] = read.dtype if isinstance(read, Tensor) else types[place]
        return site_output

    modules = {module for module, _ in types}
    ids = torch.zeros(1, 2, dtype=torch.long, device=backbone.device)
    BoundNetwork(backbone, {module: (partial(note, module),) for module in modules})(ids, torch.ones_like(ids))
    return types
