"""A stack as columns of a batch's index: one for each adapter in it, from the lowest to the uppermost."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from torch import nn

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.attaching.plan import AveragedChains, Chain, Plan
from adaptkit.layers import BottleneckLayer, LowRankLayer

Shared: TypeAlias = tuple[LowRankLayer, float]


def low_rank(chain: Chain, share: float = 1.0) -> list[Shared] | None:
    """The low-rank layers of a chain with the share of each; None where it holds anything else."""
    found: list[Shared] = []
    for layer in chain:
        if isinstance(layer, LowRankLayer):
            found.append((layer, share))
        elif isinstance(layer, AveragedChains):
            for inner, weight in zip(layer.chains, layer.weights, strict=True):
                averaged = low_rank(inner, share * weight)
                if averaged is None:
                    return None
                found += averaged
        else:
            return None
    return found


@dataclass(frozen=True)
class Column:
    """One adapter as it acts in a stack: its layers at these modules, at this share."""

    layers: AdapterLayers
    modules: frozenset[str]
    share: float

    def items(self) -> list[tuple[str, nn.Module]]:
        """The layers that act, by the module that they follow."""
        return [(module, layer) for module, layer in self.layers.items() if module in self.modules]


def columns_of(plan: Plan, adapters: Iterable[AdapterLayers]) -> tuple[Column, ...] | None:
    """What a bank has to hold for a plan, whose adapters are named from the lowest to the uppermost.

    None where the plan holds anything but low-rank terms and bottlenecks of these adapters, and averages of low-rank
    terms: that has no place in a bank.
    """
    order: dict[nn.Module, tuple[int, AdapterLayers]]
    order = {layer: (number, owner) for number, owner in enumerate(adapters) for _, layer in owner.items()}
    modules: dict[tuple[int, AdapterLayers, float], list[str]] = {}
    for module, chain in plan.items():
        acting = _bankable(chain)
        if acting is None or any(layer not in order for layer, _ in acting):
            return None
        places = [order[layer][0] for layer, _ in acting]
        # Terms are added up, whatever their order; a bottleneck reads what acts below it.
        if places != sorted(places) and any(isinstance(layer, BottleneckLayer) for layer, _ in acting):
            return None
        for layer, share in acting:
            modules.setdefault((*order[layer], share), []).append(module)
    in_order = sorted(modules.items(), key=lambda entry: entry[0][0])
    return tuple(Column(owner, frozenset(paths), share) for (_, owner, share), paths in in_order)


def _bankable(chain: Chain) -> list[tuple[nn.Module, float]] | None:
    """The layers of a chain with their shares; None where one has no place in a bank."""
    found: list[tuple[nn.Module, float]] = []
    for layer in chain:
        if type(layer) is BottleneckLayer:
            found.append((layer, 1.0))
            continue
        terms = low_rank((layer,))
        if terms is None or any(term.scales_product for term, _ in terms):
            return None
        found += terms
    return found
