"""Weights of many adapters side by side at one site, of which each row of a batch has its own by number.

slots (batch, levels) ──▶ A[slots] (batch, levels x rank, in_width), B[slots] (batch, levels x rank, out_width)

Slot 0 is zeros, and not an adapter. What a stack has of several adapters are columns: LoRAs are then one LoRA of all
their ranks, and bottlenecks act level by level. Nothing here depends on which numbers the index holds, so one compiled
graph serves every mixture, and an adapter that is put into a slot compiles nothing anew.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from adaptkit.attaching.bank_sizes import BottleneckSize, LowRankSize
from adaptkit.layers import BottleneckLayer, LowRankLayer
from adaptkit.layers.types import compute_type


class NewBank(Protocol):
    """Makes zeros of this shape, in the type that a bank has and where it is."""

    def __call__(self, *shape: int) -> Tensor: ...  # noqa: D102


class SlotsOfRows:
    """The index of the batch that is running. It is there while a network runs, for one batch at a time."""

    def __init__(self, n_slots: int) -> None:
        self.n_slots = n_slots
        self.n_rows = self.n_levels = 0
        self.let_go()

    def take(self, slots: Tensor, group_sizes: Sequence[int]) -> None:
        """Let rows have these slots. `group_sizes`: how many modules may read one input.

        Shape: slots (batch, levels).
        """
        # All is made anew: what is compiled is to see nothing of the batch before.
        self.n_rows, self.n_levels = slots.shape
        self.slots: Tensor | None = slots
        self._of_modules = {size: self._index(slots, size) for size in group_sizes}
        self.narrow: dict[str, tuple[object, dict[str, Tensor]]] = {}

    def _index(self, slots: Tensor, n_modules: int) -> Tensor:
        firsts = torch.arange(n_modules, device=slots.device, dtype=slots.dtype) * self.n_slots
        return (slots[:, None, :] + firsts[:, None]).reshape(-1)

    def let_go(self) -> None:
        """Keep nothing of the batch."""
        self.slots, self._of_modules, self.narrow = None, {}, {}

    def of(self, bank: Tensor, n_modules: int = 1) -> Tensor:
        """What each row has of a bank, its levels side by side.

        Shape: bank (n_modules x slots, rank, width), result (batch, n_modules x levels x rank, width).
        """
        found = bank.index_select(0, self._of_modules[n_modules])
        return found.view(self.n_rows, -1, bank.shape[-1])

    def at(self, level: int, bank: Tensor) -> Tensor:
        """What each row has of a bank at one level. Shape: bank (slots, ...), result (batch, ...)."""
        assert self.slots is not None  # noqa: S101 - a batch is running
        return bank.index_select(0, self.slots[:, level])


class LowRankBank(nn.Module):
    """A and B of many adapters at modules that read one input, as query, key and value do."""

    def __init__(self, sizes: Mapping[str, LowRankSize], rows: SlotsOfRows, new: NewBank) -> None:
        super().__init__()
        self._rows = rows
        self._modules_here = list(sizes)
        self._name = self._modules_here[0]
        self.rank = max(size.rank for size in sizes.values())
        in_width = sizes[self._name].in_width
        self.down: Tensor
        self.register_buffer("down", new(len(sizes) * rows.n_slots, self.rank, in_width))
        for number, size in enumerate(sizes.values()):
            # Turned, so that the rows of many are gathered by copying whole ones.
            self.register_buffer(f"up{number}", new(rows.n_slots, self.rank, size.out_width))

    @property
    def n_modules(self) -> int:
        """How many modules read the input."""
        return len(self._modules_here)

    def put(self, slot: int, module: str, layer: nn.Module, share: float) -> None:
        """Let a slot hold a layer at a module, its scale in B. The slot is empty before."""
        assert isinstance(layer, LowRankLayer)  # noqa: S101 - its place says so
        number = self._modules_here.index(module)
        self.down[number * self._rows.n_slots + slot, : layer.rank].copy_(layer.down)
        self._up(number)[slot, : layer.rank].copy_(layer.up.t().float() * (share * layer.scale))

    def empty(self, slot: int, module: str) -> None:
        """Let a slot hold nothing at a module."""
        number = self._modules_here.index(module)
        self.down[number * self._rows.n_slots + slot].zero_()
        self._up(number)[slot].zero_()

    def added(self, module: str, narrow: Tensor, site_output: Tensor) -> Tensor:
        """The terms of all levels added to a site's output.

        Shape: narrow as `narrow` gives it, site_output and result (batch, ..., out_width).
        """
        return _plus_product(site_output, narrow, self._rows.of(self._up_at(module)))

    def added_at(self, level: int, module: str, narrow: Tensor, site_output: Tensor) -> Tensor:
        """The terms of one level added. Shape: as `added`."""
        ranks = slice(level * self.rank, (level + 1) * self.rank)
        return _plus_product(site_output, narrow[..., ranks], self._rows.at(level, self._up_at(module)))

    def narrow(self, module: str, site_input: Tensor) -> Tensor:
        """The input projected down for a module that reads it, at once for all that do.

        Shape: site_input (batch, ..., in_width), result (batch, seq, levels x rank).
        """
        read, to_come = self._rows.narrow.pop(self._name, (None, {}))
        if read is not site_input or module not in to_come:
            to_come = self._narrow_of_all(site_input)
        found = to_come.pop(module)
        # Kept for those that read it next, and no longer: a pass has as many inputs as modules.
        if to_come:
            self._rows.narrow[self._name] = site_input, to_come
        return found

    def _narrow_of_all(self, site_input: Tensor) -> dict[str, Tensor]:
        here = compute_type(site_input)
        x = site_input.reshape(self._rows.n_rows, -1, site_input.shape[-1]).to(here)
        narrow = torch.bmm(x, self._rows.of(self.down, self.n_modules).to(here).transpose(1, 2))
        parts = torch.split(narrow, self._rows.n_levels * self.rank, dim=-1)
        return dict(zip(self._modules_here, parts, strict=True))

    def _up_at(self, module: str) -> Tensor:
        return self._up(self._modules_here.index(module))

    def _up(self, number: int) -> Tensor:
        up: Tensor = getattr(self, f"up{number}")
        return up


class BottleneckBank(nn.Module):
    """Bottlenecks of many adapters after one module, all of one activation."""

    def __init__(self, size: BottleneckSize, rows: SlotsOfRows, new: NewBank) -> None:
        super().__init__()
        self._rows = rows
        self.activation = size.activation()
        n_slots, narrow, wide = rows.n_slots, size.bottleneck_width, size.hidden_width
        self.down: Tensor
        self.down_bias: Tensor
        self.up: Tensor
        self.up_bias: Tensor
        self.register_buffer("down", new(n_slots, narrow, wide))
        self.register_buffer("down_bias", new(n_slots, 1, narrow))
        self.register_buffer("up", new(n_slots, narrow, wide))
        self.register_buffer("up_bias", new(n_slots, 1, wide))

    def put(self, slot: int, _module: str, layer: nn.Module, _share: float) -> None:
        """Let a slot hold a layer. The slot is empty before."""
        assert isinstance(layer, BottleneckLayer)  # noqa: S101 - its place says so
        width = layer.down.out_features
        self.down[slot, :width].copy_(layer.down.weight)
        self.down_bias[slot, 0, :width].copy_(layer.down.bias)
        self.up[slot, :width].copy_(layer.up.weight.t())
        self.up_bias[slot, 0].copy_(layer.up.bias)

    def empty(self, slot: int, _module: str) -> None:
        """Let a slot hold nothing."""
        for bank in self.buffers():
            bank[slot].zero_()

    def acted_at(self, level: int, site_output: Tensor) -> Tensor:
        """The site's output with the change of one level. Shape: (batch, ..., hidden_width)."""
        here = compute_type(site_output)
        x = site_output.reshape(self._rows.n_rows, -1, site_output.shape[-1]).to(here)
        down, down_bias, up, up_bias = (
            self._rows.at(level, bank).to(here) for bank in (self.down, self.down_bias, self.up, self.up_bias)
        )
        narrow = self.activation(torch.baddbmm(down_bias, x, down.transpose(1, 2)))
        change = torch.baddbmm(up_bias, narrow, up)
        return site_output + change.view_as(site_output).to(site_output.dtype)


class SiteBanks:
    """What follows one module: low-rank terms at once, or level by level where bottlenecks read what they give."""

    def __init__(
        self, module: str, rows: SlotsOfRows, terms: LowRankBank | None, bottlenecks: Sequence[BottleneckBank]
    ) -> None:
        self._module, self._rows, self._terms, self._bottlenecks = module, rows, terms, tuple(bottlenecks)

    def __call__(self, site_input: Any, site_output: Tensor, /) -> Tensor:  # noqa: ANN401 - as SiteLayer
        """Shape: as the site's output."""
        terms, result = self._terms, site_output
        narrow = None if terms is None else terms.narrow(self._module, site_input)
        if terms is not None and narrow is not None and not self._bottlenecks:
            return terms.added(self._module, narrow, site_output)
        for level in range(self._rows.n_levels):
            if terms is not None and narrow is not None:
                result = terms.added_at(level, self._module, narrow, result)
            for bank in self._bottlenecks:
                result = bank.acted_at(level, result)
        return result


def _plus_product(site_output: Tensor, narrow: Tensor, up: Tensor) -> Tensor:
    """`site_output + narrow @ up`, in the output's own place where that harms nobody.

    Shape: narrow (batch, seq, ranks), up (batch, ranks, out_width), site_output and result (batch, ..., out_width).
    """
    own_place = not torch.is_grad_enabled() and site_output.is_contiguous()
    result = site_output if own_place else site_output.clone(memory_format=torch.contiguous_format)
    rows = result.view(len(narrow), -1, result.shape[-1])
    if rows.dtype == narrow.dtype:
        rows.baddbmm_(narrow, up.to(narrow.dtype))
    else:
        rows += torch.bmm(narrow, up.to(narrow.dtype)).to(rows.dtype)
    return result
