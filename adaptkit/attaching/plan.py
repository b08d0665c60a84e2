"""A composition resolved against attached adapters: what acts after which module, in order."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import torch
from torch import Tensor, nn

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.composition import Average, Part, Stack, ids_of
from adaptkit.layers import HandsOn, MixingLayer, Normed, ReadsText


class SiteLayer(Protocol):
    """What a hook calls: the map `(site_input, site_output) -> site_output`."""

    def __call__(self, site_input: Any, site_output: Tensor, /) -> Tensor: ...  # noqa: ANN401, D102


Chain: TypeAlias = tuple[SiteLayer, ...]
Plan: TypeAlias = Mapping[str, Chain]
"""Layers in the order in which they act, by the path of the module that they follow."""

BARE: Plan = {}


def run(chain: Chain, site_input: object, site_output: Tensor) -> Tensor:
    """Let the layers of a chain act one after the other."""
    return handed_on(chain, site_input, site_output)[1]


def handed_on(chain: Chain, site_input: Any, site_output: Tensor) -> tuple[Any, Tensor]:  # noqa: ANN401 - as SiteLayer
    """As `run`, with the site input for what acts above: layers before a norm change it."""
    for layer in chain:
        if isinstance(layer, HandsOn):
            site_input, site_output = layer.handed_on(site_input, site_output)
        else:
            site_output = layer(site_input, site_output)
    return site_input, site_output


def site_input_of(
    module: nn.Module, inputs: Sequence[object], output: Tensor, norm: Callable[[Tensor], Tensor]
) -> object:
    """What layers after a module are told that it read: its first input, and at a layer norm what it gave too.

    `norm` is the module's forward without what follows it.
    """
    read = inputs[0] if inputs else None
    return Normed(read, output, norm) if isinstance(module, nn.LayerNorm) and isinstance(read, Tensor) else read


@dataclass(frozen=True)
class AveragedChains(HandsOn):
    """`y + sum(weight * (chain(y) - y))`: contributions averaged, each as if it acted alone."""

    chains: tuple[Chain, ...]
    weights: tuple[float, ...]

    def __call__(self, site_input: Any, site_output: Tensor, /) -> Tensor:  # noqa: ANN401 - as SiteLayer
        """Shape: as the site's output."""
        return self.handed_on(site_input, site_output)[1]

    def handed_on(self, site_input: Any, site_output: Tensor) -> tuple[Any, Tensor]:  # noqa: ANN401 - as SiteLayer
        """As the call, with the site input for what acts above: what was added before a norm is averaged too."""
        total, added = site_output, []
        for chain, weight in zip(self.chains, self.weights, strict=True):
            moved, output = handed_on(chain, site_input, site_output)
            total = total + weight * (output - site_output)
            if moved is not site_input:
                added.append(weight * (moved.before - site_input.before))
        return site_input.plus(torch.stack(added).sum(dim=0)) if added else site_input, total


@dataclass(frozen=True)
class ReadIds:
    """Layers at the word embeddings that read token ids as the text has them, whatever the table was asked for.

    Shape: ids (rows, seq).
    """

    chain: Chain
    ids: Tensor

    def __call__(self, _site_input: Any, site_output: Tensor, /) -> Tensor:  # noqa: ANN401 - as SiteLayer
        """Shape: as the site's output."""
        return run(self.chain, self.ids, site_output)


@dataclass(frozen=True)
class Given:
    """Gives these vectors, whatever the module gives. Shape: (rows, seq, width)."""

    vectors: Tensor

    def __call__(self, _site_input: Any, _site_output: Tensor, /) -> Tensor:  # noqa: ANN401 - as SiteLayer
        """Shape: as the site's output."""
        return self.vectors


@dataclass(frozen=True)
class FusedChains:
    """The contributions of the chains, each as if it acted alone, mixed by a layer."""

    chains: tuple[Chain, ...]
    mixing: MixingLayer

    def __call__(self, site_input: Any, site_output: Tensor, /) -> Tensor:  # noqa: ANN401 - as SiteLayer
        """Shape: as the site's output."""
        contributions = [run(chain, site_input, site_output) - site_output for chain in self.chains]
        mixed: Tensor = self.mixing(site_output, torch.stack(contributions))
        return mixed


def modules_in(chain: Chain) -> Iterator[nn.Module]:
    """The modules that hold the weights of a chain."""
    for layer in chain:
        if isinstance(layer, nn.Module):
            yield layer
        if isinstance(layer, AveragedChains | FusedChains):
            for inner in layer.chains:
                yield from modules_in(inner)
        if isinstance(layer, FusedChains):
            yield layer.mixing


_NOBODY: frozenset[str] = frozenset()


def plan_of(part: Part, attached: Callable[[str], AdapterLayers], without: Collection[str] = _NOBODY) -> Plan:
    """Resolve a composition whose names are whole ids; a fusion is named by the id of its trained adapter.

    Adapters `without` which it is to be are taken out: what others add stays, at the weights that it has, and a fusion
    chooses among those that are left.
    """
    if isinstance(part, str):
        return plan_of_layers(attached(part), attached, without) if part not in without else BARE
    if isinstance(part, Stack):
        return _plan_of_stack(part, attached, without)
    if isinstance(part, Average):
        return _plan_of_average([plan_of(inner, attached, without) for inner in part.parts], part.weights)
    raise TypeError(f"{part} was not resolved")


def plan_of_layers(
    layers: AdapterLayers, attached: Callable[[str], AdapterLayers], without: Collection[str] = _NOBODY
) -> Plan:
    """The plan of one adapter; a fusion lets what it fuses act too."""
    parts = layers.config.method.fuses
    if not parts:
        return {module: (layer,) for module, layer in layers.items() if not isinstance(layer, MixingLayer)}
    plans = [plan_of(name, attached, without) for name in parts if name not in without]
    fused: dict[str, Chain] = {}
    for module, layer in layers.items():
        if isinstance(layer, MixingLayer) and any(module in plan for plan in plans):
            fused[module] = (FusedChains(tuple(plan.get(module, ()) for plan in plans), layer),)
    return fused


def _plan_of_stack(stack: Stack, attached: Callable[[str], AdapterLayers], without: Collection[str]) -> Plan:
    plan: dict[str, Chain] = {}
    for part in stack.parts:
        acting = [name for name in ids_of(part) if name not in without]
        hidden = {module for name in acting for module in attached(name).hidden_modules}
        plan = {module: _unhidden(chain) if module in hidden else chain for module, chain in plan.items()}
        plan = {module: chain for module, chain in plan.items() if chain}
        for module, chain in plan_of(part, attached, without).items():
            plan[module] = (*plan.get(module, ()), *chain)
    return plan


def _unhidden(chain: Chain) -> Chain:
    """What acts on the network's output and not in its last block, though both may follow one module."""
    return tuple(layer for layer in chain if isinstance(layer, ReadsText))


def _plan_of_average(plans: list[Plan], weights: tuple[float, ...]) -> Plan:
    if weights == (1.0,):
        return plans[0]
    averaged: dict[str, Chain] = {}
    for module in dict.fromkeys(module for plan in plans for module in plan):
        present = [(plan[module], weight) for plan, weight in zip(plans, weights, strict=True) if module in plan]
        averaged[module] = (AveragedChains(tuple(c for c, _ in present), tuple(w for _, w in present)),)
    return averaged
