"""LoRA adapters added up, averaged and subtracted into one."""

import hashlib
import logging
import math
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor

from adaptkit.composition import AdapterId
from adaptkit.config import KINDS
from adaptkit.errors import ConfigError, NotConvertible
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import Card
from adaptkit.format.shapes import SiteAddress
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel, load_model
from adaptkit.model.making import made
from adaptkit.storage import Adapter
from adaptkit.storage.identity import check_identity
from adaptkit.weights.low_rank import LowRank, lora_of

How: TypeAlias = Literal["sum", "ties", "dare"]
_Changes: TypeAlias = Mapping[SiteAddress, LowRank]
_Part: TypeAlias = tuple[float, _Changes, Adapter]
_DIGITS = 16
_log = logging.getLogger(__name__)


def combine(
    adapters: Sequence[Adapter],
    name: str,
    *,
    weights: Sequence[float] | None = None,
    how: How = "sum",
    density: float = 1.0,
    rank: int | None = None,
    seed: int = 0,
    backbone: str | AdaptedModel | None = None,
) -> Adapter:
    """One LoRA from several: an average by default, task arithmetic with weights of any sign.

    `sum` adds `weight * change` of all adapters, exactly, at their ranks together. `ties` (Yadav et al. 2023,
    arXiv:2306.01708) keeps the largest `density` of an adapter's numbers at each module, elects a sign for each number,
    and takes the mean of those that have it. `dare` (Yu et al. 2023, arXiv:2311.03099) drops all but a random `density`
    of the numbers, and scales up what is left. Both give changes of full rank: the nearest of `rank` is kept, by
    default of the ranks together. Order makes no difference.

    The result is of the highest kind among them, with the head of the one that has one. A projection for masked tokens
    that one has kept is left out, and a warning says so.

    Args:
        adapters: LoRAs for one backbone; at most one with a head.
        name: what to call the result, such as `sw-and-news`.
        weights: one for each (default: equal ones that add up to 1; with ties, which takes a mean itself, 1 for each).
        how: sum, ties or dare.
        density: share of numbers that ties and dare keep.
        rank: largest rank of the result; a smaller one than the ranks together loses what has the least weight.
        seed: of what dare drops.
        backbone: the backbone they are for, on which the result's outputs are recorded.

    Raises:
        ConfigError: Options that cannot be right.
        NotConvertible: An adapter that is not a LoRA alone.
        CompatibilityError: An adapter for another backbone.
    """
    if isinstance(adapters, Adapter | str):
        raise ConfigError("combine takes a list of adapters, found one; write combine([one, other], name).")
    # TIES takes a mean itself.
    equal = 1.0 if how == "ties" else 1 / max(1, len(adapters))
    shares = [equal] * len(adapters) if weights is None else list(weights)
    _check(adapters, shares, how, density, rank)
    model = backbone if isinstance(backbone, AdaptedModel) else load_model(backbone)
    for adapter in adapters:
        check_identity(adapter, model.backbone)
    _tell_of_projections(adapters)
    parts = [(weight, _changes(adapter, model), adapter) for weight, adapter in zip(shares, adapters, strict=True)]
    parts.sort(key=lambda part: (part[2].id, part[2].weights_sha256, part[0]))
    changes = _together(parts, how, density, rank, seed)
    config, tensors = lora_of(changes, model.backbone.shape.sites(), _scaling(adapters))
    top = max((adapter for _, _, adapter in parts), key=lambda adapter: KINDS.index(adapter.kind))
    headed = next((adapter for adapter in adapters if adapter.config.head is not None), None)
    if headed is not None:
        tensors |= {weight: tensor for weight, tensor in headed.tensors.items() if weight.startswith("head.")}
    languages = {adapter.language for adapter in adapters}
    return made(
        model,
        kind=top.kind,
        name=AdapterId(top.kind, name).name,
        language=languages.pop() if len(languages) == 1 else top.language,
        config=AdapterConfig(method=config, head=None if headed is None else headed.config.head),
        tensors=tensors,
        card=Card(source=_told(parts, how, density, seed), licence=_licence([adapter for _, _, adapter in parts])),
    )


def _together(
    parts: Sequence[_Part], how: How, density: float, rank: int | None, seed: int
) -> dict[SiteAddress, LowRank]:
    """The change at each site that any of the parts changes."""
    changes: dict[SiteAddress, LowRank] = {}
    for at in sorted({at for _, found, _ in parts for at in found}):
        here = [(weight, found[at]) for weight, found, _ in parts if at in found]
        if how == "sum":
            together = _added(here)
            changes[at] = together if rank is None else together.compressed(rank)
        else:
            names = [f"{seed} {adapter.weights_sha256} {at}" for _, found, adapter in parts if at in found]
            delta = _voted(here, names, how, density)
            ranks = sum(change.rank for _, change in here)
            changes[at] = LowRank.of(delta, min(rank or ranks, *delta.shape))
    return changes


def _check(adapters: Sequence[Adapter], weights: Sequence[float], how: str, density: float, rank: int | None) -> None:
    if not adapters or len(weights) != len(adapters):
        raise ConfigError(f"{len(weights)} weights were given for {len(adapters)} adapters; give one for each.")
    if not all(math.isfinite(weight) for weight in weights) or not any(weights):
        raise ConfigError(f"weights are finite numbers, and not all 0; found {', '.join(map(str, weights))}.")
    if how not in get_args(How):
        raise ConfigError(f"how is {', '.join(get_args(How))}, found {how!r}.")
    if not 0 < density <= 1:
        raise ConfigError(f"density must be above 0 and at most 1, found {density}.")
    if how == "sum" and density != 1:
        raise ConfigError("density is for ties and dare; a sum keeps all numbers. Leave it out.")
    if rank is not None and rank < 1:
        raise ConfigError(f"rank must be at least 1, found {rank}.")
    _check_adapters(adapters)


def _check_adapters(adapters: Sequence[Adapter]) -> None:
    for adapter in adapters:
        if not isinstance(adapter, Adapter):
            raise ConfigError(f"combine takes adapters, found {adapter!r}; load the folder first: load_adapter(...).")
        if not isinstance(adapter.config.method, LoraConfig) or adapter.config.invertible is not None:
            raise NotConvertible(f"{adapter.id} is no LoRA alone ({adapter.config.method_name}); only LoRAs add up.")
        if adapter.config.pieces is not None:
            raise NotConvertible(
                f"{adapter.id} brings pieces of text with it, whose rows are no LoRA: two such adapters read other "
                "tokens, and no sum of them reads either."
            )
        if adapter.config.hides_top_block:
            raise NotConvertible(f"{adapter.id} stops what lies below in the last block, which no sum can do.")
    if sum(adapter.config.head is not None for adapter in adapters) > 1:
        raise ConfigError("several of the adapters have a head, and the result can have one. Give at most one of them.")


def _tell_of_projections(adapters: Sequence[Adapter]) -> None:
    """Warn of what the result lacks: projections do not add up, and one fits the adapter that it was kept by."""
    kept = [adapter.id for adapter in adapters if adapter.config.projection is not None]
    if kept:
        _log.warning(
            "the projection that %s has kept (keep_projection) is left out of the result, so fill_mask cannot read "
            "tokens by it; name that adapter: fill_mask(..., by=%r).",
            " and ".join(kept),
            kept[0],
        )


def _changes(adapter: Adapter, model: AdaptedModel) -> _Changes:
    method = adapter.config.method
    assert isinstance(method, LoraConfig)  # noqa: S101 - checked before
    found: dict[SiteAddress, LowRank] = {}
    for at, place in model.backbone.shape.sites().items():
        a, b = (adapter.tensors.get(f"{place.module}.lora_{part}.weight") for part in "AB")
        if a is not None and b is not None:
            found[at] = LowRank(a.float(), b.float(), method.scale)
    return found


def _scaling(adapters: Sequence[Adapter]) -> Literal["standard", "rank_stabilized"]:
    methods = [adapter.config.method for adapter in adapters]
    stabilized = all(isinstance(method, LoraConfig) and method.scaling == "rank_stabilized" for method in methods)
    return "rank_stabilized" if stabilized else "standard"


def _added(changes: Sequence[tuple[float, LowRank]]) -> LowRank:
    """Their weighted sum, exactly: ranks side by side."""
    scale = changes[0][1].scale
    if any(change.scale != scale for _, change in changes):
        scale = 1.0
    b = [(weight * change.scale / scale) * change.b for weight, change in changes]
    return LowRank(torch.cat([change.a for _, change in changes]), torch.cat(b, dim=1), scale)


def _voted(changes: Sequence[tuple[float, LowRank]], names: Sequence[str], how: How, density: float) -> Tensor:
    """What ties or dare make of them, each with a name for what dare draws. Shape: (out_width, in_width)."""
    deltas = [
        weight * _thinned(change.delta(), how, density, name)
        for (weight, change), name in zip(changes, names, strict=True)
    ]
    return _elected(deltas) if how == "ties" else torch.stack(deltas).sum(dim=0)


def _thinned(delta: Tensor, how: How, density: float, what: str) -> Tensor:
    """The numbers that are kept of a change, the rest 0."""
    if density == 1:
        return delta
    if how == "ties":
        n_kept = max(1, round(density * delta.numel()))
        least = delta.abs().flatten().kthvalue(delta.numel() - n_kept + 1).values
        return delta * (delta.abs() >= least)
    # By what it is, not by its place in the list.
    digest = int.from_bytes(hashlib.sha256(what.encode()).digest()[:6], "big")
    kept = torch.rand(delta.shape, generator=torch.Generator().manual_seed(digest)) < density
    return delta * kept / density


def _elected(deltas: Sequence[Tensor]) -> Tensor:
    """For each number the mean of those that have the sign of their sum."""
    every = torch.stack(list(deltas))
    agrees = (every.sign() == every.sum(dim=0).sign()) & (every != 0)
    return (every * agrees).sum(dim=0) / agrees.sum(dim=0).clamp(min=1)


def _told(parts: Sequence[_Part], how: How, density: float, seed: int) -> str:
    """Where the result comes from, parents by the hash of their weights."""
    settings = "" if how == "sum" else f", density {density:g}" + (f", seed {seed}" if how == "dare" else "")
    named = [f"{weight:g} * {adapter.id} ({adapter.weights_sha256[:_DIGITS]})" for weight, _, adapter in parts]
    return f"combined ({how}{settings}): {', '.join(named)}"


def _licence(adapters: Sequence[Adapter]) -> str:
    return "; ".join(dict.fromkeys(adapter.card.licence for adapter in adapters))
