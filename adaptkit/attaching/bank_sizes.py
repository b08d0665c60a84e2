"""How large banks are: what the adapters that they may hold have at each module."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from torch import nn

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.layers import BottleneckLayer, LowRankLayer


@dataclass(frozen=True)
class LowRankSize:
    """Low-rank terms of ranks up to `rank` at a module."""

    in_width: int
    out_width: int
    rank: int

    def joined(self, other: "LowRankSize") -> "LowRankSize":
        """What has room for both."""
        return replace(self, rank=max(self.rank, other.rank))


@dataclass(frozen=True)
class BottleneckSize:
    """Bottlenecks of widths up to `bottleneck_width` behind a module, of one activation."""

    hidden_width: int
    bottleneck_width: int
    activation: type[nn.Module]

    def joined(self, other: "BottleneckSize") -> "BottleneckSize":
        """What has room for both."""
        return replace(self, bottleneck_width=max(self.bottleneck_width, other.bottleneck_width))


Size: TypeAlias = LowRankSize | BottleneckSize
Place: TypeAlias = tuple[str, type[nn.Module] | None]
"""A module, with the activation of what acts there (None: low-rank terms)."""


@dataclass(frozen=True)
class BankSizes:
    """Slots (the first holds nothing), columns of the index, and what has room at each place."""

    slots: int
    levels: int
    places: Mapping[Place, Size]

    def with_room_for(self, adapters: Iterable[AdapterLayers], *, in_one_row: int, at_once: int) -> "BankSizes":
        """The same where there is room for these, else larger ones.

        `in_one_row` columns are the most that a row has, and `at_once` slots the most that a batch needs; slots grow by
        doubling.
        """
        slots, places = self.slots, dict(self.places)
        while slots - 1 < at_once:
            slots *= 2
        for layers in adapters:
            # All of an adapter: another stack may hide less of it.
            for module, layer in layers.items():
                place, size = place_of(module, layer), size_of(layer)
                there = places.get(place)
                places[place] = size if there is None else there.joined(size)  # type: ignore[arg-type]
        grown = BankSizes(slots, max(self.levels, in_one_row), places)
        return self if grown == self else grown


def place_of(module: str, layer: nn.Module) -> Place:
    """Where banks hold a layer."""
    return module, type(layer.activation) if isinstance(layer, BottleneckLayer) else None


def size_of(layer: nn.Module) -> Size:
    """What has room for one layer that banks hold."""
    if isinstance(layer, BottleneckLayer):
        return BottleneckSize(layer.down.in_features, layer.down.out_features, type(layer.activation))
    assert isinstance(layer, LowRankLayer)  # noqa: S101 - a column holds no others
    return LowRankSize(layer.down.shape[1], layer.up.shape[0], layer.rank)
