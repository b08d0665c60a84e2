"""Two adapters side by side: what differs in config, provenance and scores, and how far their layers are apart."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from adaptkit.attaching import AdapterLayers
from adaptkit.format.card import Evaluation
from adaptkit.format.typed_json import encode
from adaptkit.layers import LowRankLayer
from adaptkit.methods import GlossaryConfig
from adaptkit.storage import Adapter

_HEAD = "head"


@dataclass(frozen=True, kw_only=True)
class FactChange:
    """A fact by its path, and what it is on either side; None where a side has no such fact."""

    name: str
    before: object
    after: object


@dataclass(frozen=True, kw_only=True)
class LayerChange:
    """The layer at one module: the norms of what it adds, and the cosine between the two.

    Of a LoRA that is `scale * B @ A`, so that two factorisations of one matrix are equal; of others the weights
    themselves. None where a side has no such layer, or the two have other shapes.
    """

    module: str
    norm_before: float | None
    norm_after: float | None
    cosine: float | None


@dataclass(frozen=True, kw_only=True)
class ScoreChange:
    """A score by its task and metric, with the adapter, on either side."""

    task: str
    metric: str
    before: float | None
    after: float | None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What `compare` found. `same_weights` where the weight files are the same bytes."""

    same_weights: bool
    facts: tuple[FactChange, ...]
    layers: tuple[LayerChange, ...]
    scores: tuple[ScoreChange, ...]


def compare(before: Adapter, after: Adapter) -> Comparison:
    """Compare two adapters, of any methods and backbones."""
    return Comparison(
        same_weights=before.weights_sha256 == after.weights_sha256,
        facts=tuple(_changes(_facts(before), _facts(after))),
        layers=tuple(_layers(before, after)),
        scores=tuple(_scores(before, after)),
    )


def _facts(adapter: Adapter) -> dict[str, object]:
    """Config and provenance, flat: path to value."""
    origin, pieces, projection = adapter.origin, adapter.config.pieces, adapter.config.projection
    glossary = adapter.config.reading.glossary
    # Thousands of words, pieces and tokens are told by their number.
    shown = replace(adapter.config, pieces=None, projection=None)
    config = {
        **encode(shown if glossary is None else replace(shown, method=GlossaryConfig())),
        **({} if glossary is None else {"glossary": repr(glossary)}),
        "pieces": None if pieces is None else repr(pieces),
        "projection": None if projection is None else repr(projection),
    }
    whole = {
        "id": adapter.id,
        "language": adapter.language,
        "below": list(adapter.below),
        "backbone": {"name": origin.name, "release": origin.release, "fingerprint": origin.fingerprint.id},
        "config": {"method": adapter.config.method_name, **config},
        "card": {name: value for name, value in encode(adapter.card).items() if name != "evaluations"},
    }
    return dict(_flat(whole))


def _flat(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _flat(part, f"{path}.{name}" if path else str(name))
    else:
        yield path, value


def _changes(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[FactChange]:
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            yield FactChange(name=name, before=before.get(name), after=after.get(name))


def _layers(before: Adapter, after: Adapter) -> Iterator[LayerChange]:
    ours, theirs = _contributions(before), _contributions(after)
    for module in dict.fromkeys((*ours, *theirs)):
        a, b = ours.get(module), theirs.get(module)
        yield LayerChange(
            module=module,
            norm_before=None if a is None else float(a.norm()),
            norm_after=None if b is None else float(b.norm()),
            cosine=None if a is None or b is None or a.shape != b.shape else _cosine(a, b),
        )


def _cosine(a: Tensor, b: Tensor) -> float | None:
    scale = float(a.norm() * b.norm())
    return float((a * b).sum()) / scale if scale else None


def _contributions(adapter: Adapter) -> dict[str, Tensor]:
    """What the layer at each module adds, and the head's weights, each as one tensor."""
    sites = adapter.origin.shape.sites()
    layers = AdapterLayers.holding(adapter.config, sites, adapter.tensors, torch.device("cpu"))
    found = {module: _contribution(layer) for module, layer in layers.items()}
    # The head of a similarity has no weights.
    return found if layers.head is None or not layers.head.state_dict() else found | {_HEAD: _weights(layers.head)}


def _contribution(layer: nn.Module) -> Tensor:
    if isinstance(layer, LowRankLayer) and not layer.scales_product:
        return layer.delta().double()
    return _weights(layer)


def _weights(module: nn.Module) -> Tensor:
    """All weights in a row."""
    return torch.cat([weight.flatten() for weight in module.parameters()]).double()


def _scores(before: Adapter, after: Adapter) -> Iterator[ScoreChange]:
    ours, theirs = _by_test(before), _by_test(after)
    for task, metric in dict.fromkeys((*ours, *theirs)):
        a, b = ours.get((task, metric)), theirs.get((task, metric))
        yield ScoreChange(
            task=task,
            metric=metric,
            before=None if a is None else a.score_with,
            after=None if b is None else b.score_with,
        )


def _by_test(adapter: Adapter) -> dict[tuple[str, str], Evaluation]:
    return {(evaluation.task, evaluation.metric): evaluation for evaluation in adapter.card.evaluations}
