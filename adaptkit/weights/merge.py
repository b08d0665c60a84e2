"""Fold a stack of adapters into the backbone's weights, for export, and say what that costs."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from adaptkit.attaching import Plan
from adaptkit.backbones import Backbone
from adaptkit.backbones.fingerprint import sampled
from adaptkit.backbones.headed import fits_class, with_head
from adaptkit.backbones.linears import QuantizedLinear
from adaptkit.backbones.streamed import LINEARS
from adaptkit.composition import ids_of
from adaptkit.errors import ConfigError, MergeLoss
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.fingerprint import Fingerprint
from adaptkit.layers import Head
from adaptkit.layers.heads import TokenHead
from adaptkit.methods import HeadOnlyConfig
from adaptkit.model import AdaptedModel, ResolvedStack, StackLike
from adaptkit.task_types import HeadConfig
from adaptkit.weights.folded import folded, weight_of

_LEAST_MOVED = 1e-3

Score = Callable[[AdaptedModel, StackLike], float]


@dataclass(frozen=True)
class Merged:
    """A model that needs no adapter for what a stack did, and how far it is from that.

    `output_error` is the largest distance of a vector of the merged model from the stacked one's, as a share of that
    vector's distance from the bare one's: 0 is exact, and at 1 the adapter might as well have been left out. `score`
    is what `score=` gave before and after; None where it was not given. `stack` is what is left on the model: the id of
    the head for tagging or question answering that was on top, or None.
    """

    model: AdaptedModel
    output_error: float
    score: tuple[float, float] | None
    stack: str | None = None

    def save(self, folder: str | Path) -> None:
        """Write the merged backbone as an ordinary transformers folder, under its head if it has one.

        Raises:
            ConfigError: The folder exists, the backbone is of 8 or 4 bits or its embeddings are not resident, or
                transformers has no class with this head for its family.
        """
        backbone, whole = self.model.backbone, None
        if self.stack is not None:
            head, config = self.model.head_of(self.stack)
            assert isinstance(head, TokenHead)  # noqa: S101 - no other was let through
            linear = copy.deepcopy(head.out).to(backbone.network.dtype)
            whole = with_head(backbone.network, config, linear)
            # Whoever serves the folder reads its prefix, which is the head's where that has its own.
            backbone = backbone if config.text_prefix is None else backbone.behind(config.text_prefix)
        backbone.save(folder, whole=whole)


def merge(
    model: AdaptedModel,
    stack: StackLike,
    *,
    texts: Sequence[str] = (),
    score: Score | None = None,
    max_error: float = 0.25,
    max_score_loss: float = 0.01,
) -> Merged:
    """Fold the layers of a stack into a copy of the backbone's linear layers; `model` stays as it is.

    LoRA, DoRA and IA3 can be folded, other methods not. A head for tagging or question answering on top goes with it,
    as transformers has the same; other heads cannot. At 32 bits the result equals the stack but for rounding. At 8 and
    4 bits the weights are widened, changed and quantised again, and the loss is measured on `texts` (or on the fixed
    probe inputs) and by `score(model, stack)`, higher being better. The embedding table is shared with the model, not
    copied.

    Raises:
        ConfigError: A part of the stack that is of another method, or has another head.
        NotConvertible: An adapter in the stack brings pieces of text of its own.
        MergeLoss: The merged model is further off than `max_error`, or scores lower by more than `max_score_loss`.
        UnknownAdapter: The stack names an adapter that is not attached.
    """
    pinned = model.pinned(stack)
    pinned.require_own_vocabulary("a merged backbone")
    kept = _head_that_goes_with(model, pinned)
    if not pinned.plan and kept is None:
        raise ConfigError("the stack is empty, so there is nothing to merge.")
    merged = AdaptedModel(_changed(model, pinned.plan, name=f"{model.backbone.name} with {pinned.stack}"))
    if kept is not None and pinned.head is not None:
        _put_head(merged, kept, *pinned.head)
    reader = model.backbone.reader(pinned.reading)
    ids = reader.tokenize(list(texts)) if texts else model.backbone.probe_inputs()
    stacked, bare = model.encode_ids(ids, stack=pinned, whole=True), model.encode_ids(ids, whole=True)
    # An adapter that hardly acts is not asked for more digits than the numbers have.
    moved = torch.maximum((stacked - bare).norm(dim=-1), _LEAST_MOVED * stacked.norm(dim=-1))
    error = float(((merged.encode_ids(ids, whole=True) - stacked).norm(dim=-1) / moved).max())
    scores = None if score is None else (score(model, stack), score(merged, kept))
    if error > max_error:
        raise MergeLoss(
            f"merged at {model.backbone.bits} bits, vectors are off by {error:.2%} of what the adapters change (bound "
            f"{max_error:.2%}). Merge at more bits where there are more, or serve the adapters unmerged."
        )
    if scores is not None and scores[0] - scores[1] > max_score_loss:
        raise MergeLoss(
            f"merged at {model.backbone.bits} bits, the score falls from {scores[0]:.4g} to {scores[1]:.4g} (bound "
            f"{max_score_loss:g}). Merge at more bits where there are more, or serve the adapters unmerged."
        )
    return Merged(merged, error, scores, kept)


def _head_that_goes_with(model: AdaptedModel, stack: ResolvedStack) -> str | None:
    """The id on top, where its head is one that transformers has too; any other head is refused."""
    names = list(ids_of(stack.stack))
    has_class = stack.head is not None and fits_class(model.backbone.network, stack.head[1])
    # Those of encoder-decoders have heads on their decoders, or on an encoder alone.
    on_top = names[-1] if has_class and model.backbone.architecture.decoder is None else None
    for name in names:
        adapter = stack.adapters[name]
        if name != on_top and adapter is not None and adapter.config.head is not None:
            raise ConfigError(
                f"{name} has a head, which is no part of the backbone and would be lost (transformers has the same "
                "only for tagging and question answering, and not in every family); merge what lies below it, and "
                "train the task on the merged backbone. Or serve the stack as it is: adaptkit.as_pipeline, "
                "adaptkit.export_onnx."
            )
    return on_top


def _put_head(model: AdaptedModel, adapter_id: str, head: Head, config: HeadConfig) -> None:
    layers = model.attach_layers(adapter_id, AdapterConfig(method=HeadOnlyConfig(), head=config))
    assert layers.head is not None  # noqa: S101 - the config asks for one
    layers.head.load_state_dict(head.state_dict())
    layers.requires_grad_(requires_grad=False).eval()


def _changed(model: AdaptedModel, plan: Plan, name: str) -> Backbone:
    """A copy of the backbone with changed linear layers."""
    old, network = model.backbone, model.copied_network()
    samples = dict(old.fingerprint.samples)
    for path, weight, bias in folded(plan, model.network, old.shape):
        linear = network.get_submodule(path)
        if isinstance(linear, QuantizedLinear):
            held = None if linear.bias is None or bias is None else bias.to(linear.bias.dtype)
            network.set_submodule(path, LINEARS[old.bits](weight, held))
        else:
            linear.weight = nn.Parameter(weight.to(network.dtype), requires_grad=False)
            if bias is not None:
                linear.bias = nn.Parameter(bias.to(network.dtype), requires_grad=False)
        changed = network.get_submodule(path)
        samples[f"{path}.weight"] = sampled(f"{path}.weight", weight_of(changed))
        if bias is not None:
            samples[f"{path}.bias"] = sampled(f"{path}.bias", changed.get_parameter("bias"))
    return replace(
        old,
        name=name,
        network=network,
        sampled=Fingerprint(precision=old.fingerprint.precision, samples=samples),
    )
