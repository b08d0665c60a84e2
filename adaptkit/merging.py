"""Fold a stack of LoRA adapters into the backbone's weights, for export, and say what that costs."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from adaptkit.attaching.plan import AveragedChains, Chain
from adaptkit.backbones import Backbone
from adaptkit.backbones.architectures import architecture_of
from adaptkit.backbones.fingerprint import Fingerprint, sampled
from adaptkit.backbones.linears import QuantizedLinear
from adaptkit.errors import ConfigError, MergeLoss
from adaptkit.layers import LoraLayer
from adaptkit.model import AdaptedModel, StackLike

Score = Callable[[AdaptedModel, StackLike], float]


@dataclass(frozen=True)
class Merged:
    """A model that needs no adapter for what a stack did, and how far it is from that.

    `output_error` is the largest distance of a vector of the merged model from the stacked one's, as a share of that
    vector's distance from the bare one's: 0 is exact, and at 1 the adapter might as well have been left out. `score`
    is what `score=` gave before and after; None where it was not given.
    """

    model: AdaptedModel
    output_error: float
    score: tuple[float, float] | None

    def save(self, folder: str | Path) -> None:
        """Write the merged backbone as an ordinary transformers folder.

        Raises:
            ConfigError: The folder exists, or the backbone is of 8 or 4 bits or its embeddings are not resident.
        """
        backbone = self.model.backbone
        if backbone.bits not in (32, 16) or backbone.embeddings != "resident":
            raise ConfigError(
                f"a backbone of {backbone.bits} bits with {backbone.embeddings} embeddings is no ordinary transformers "
                "folder; load it with bits=32 or 16 for a merge that is to be saved."
            )
        if Path(folder).exists():
            raise ConfigError(f"{folder} exists already; nothing was written. Give another folder.")
        backbone.network.save_pretrained(folder)
        backbone.tokenizer.save_pretrained(folder)


def merge(
    model: AdaptedModel,
    stack: StackLike,
    *,
    texts: Sequence[str] = (),
    score: Score | None = None,
    max_error: float = 0.25,
    max_score_loss: float = 0.01,
) -> Merged:
    """Fold the LoRA layers of a stack into a copy of the backbone's linear layers; `model` stays as it is.

    At 32 bits the result equals the stack but for rounding. At 8 and 4 bits the weights are widened, changed and
    quantised again, and the loss is measured on `texts` (or on the fixed probe inputs) and by `score(model, stack)`,
    higher being better. The embedding table is shared with the model, not copied.

    Raises:
        ConfigError: A part of the stack that is no LoRA, so that it cannot be folded into weights.
        MergeLoss: The merged model is further off than `max_error`, or scores lower by more than `max_score_loss`.
        UnknownAdapter: The stack names an adapter that is not attached.
    """
    changes = {path: _change(chain, path) for path, chain in model.plan(stack).items()}
    if not changes:
        raise ConfigError("the stack is empty, so there is nothing to merge.")
    merged = AdaptedModel(_changed(model, changes, name=f"{model.backbone.name} with {model.resolve(stack)}"))
    ids = model.backbone.tokenize(list(texts)) if texts else model.backbone.probe_inputs()
    stacked, bare = model.encode_ids(ids, stack=stack), model.encode_ids(ids)
    moved = (stacked - bare).norm(dim=-1).clamp(min=1e-12)
    error = float(((merged.encode_ids(ids) - stacked).norm(dim=-1) / moved).max())
    scores = None if score is None else (score(model, stack), score(merged, None))
    if error > max_error:
        raise MergeLoss(
            f"merged at {model.backbone.bits} bits, vectors are off by {error:.0%} of what the adapters change (bound "
            f"{max_error:.0%}). Merge at more bits, serve the adapters unmerged, or give a larger max_error."
        )
    if scores is not None and scores[0] - scores[1] > max_score_loss:
        raise MergeLoss(
            f"merged at {model.backbone.bits} bits, the score falls from {scores[0]:.4g} to {scores[1]:.4g} (bound "
            f"{max_score_loss:g}). Merge at more bits, or serve the adapters unmerged."
        )
    return Merged(merged, error, scores)


def _change(chain: Chain, path: str) -> Tensor:
    """What the chain adds to a linear layer's weight. Shape: (out_width, in_width)."""
    total: Tensor | None = None
    for layer in chain:
        if isinstance(layer, LoraLayer):
            part = layer.delta()
        elif isinstance(layer, AveragedChains):
            weighted = [
                weight * _change(inner, path) for inner, weight in zip(layer.chains, layer.weights, strict=True)
            ]
            part = torch.stack(weighted).sum(dim=0)
        else:
            raise ConfigError(
                f"{type(layer).__name__} after {path} is no LoRA layer: what it does is no change of a weight. "
                "Only LoRA adapters and averages of them can be merged."
            )
        total = part if total is None else total + part
    assert total is not None  # noqa: S101 - a chain is never empty
    return total


def _changed(model: AdaptedModel, changes: dict[str, Tensor], name: str) -> Backbone:
    """A copy of the backbone with changed linear layers."""
    old = model.backbone
    table = old.network.get_submodule(architecture_of(old.shape.model_type).word_embeddings)
    with model.unhooked():
        network = copy.deepcopy(old.network, {id(table): table})
    samples = dict(old.fingerprint.samples)
    for path, change in changes.items():
        linear = network.get_submodule(path)
        weight = _weight(linear) + change.to(model.backbone.device)
        if isinstance(linear, QuantizedLinear):
            network.set_submodule(path, type(linear)(weight, linear.bias))
        else:
            linear.weight = nn.Parameter(weight.to(network.dtype), requires_grad=False)
        samples[f"{path}.weight"] = sampled(f"{path}.weight", _weight(network.get_submodule(path)))
    return replace(
        old,
        name=name,
        network=network,
        sampled=Fingerprint(precision=old.fingerprint.precision, samples=samples),
    )


def _weight(linear: nn.Module) -> Tensor:
    """A linear layer's weight in float32, widened where it is quantised."""
    if isinstance(linear, QuantizedLinear):
        return linear.dequantized()
    weight: Tensor = linear.get_parameter("weight")
    return weight.detach().float()
