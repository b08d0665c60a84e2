"""Outputs of an ONNX file beside those of the model that it was written from."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import torch
from torch import Tensor

from adaptkit.errors import NotConvertible
from adaptkit.interchange.onnx_file import fed, padded
from adaptkit.layers.heads import VectorHead
from adaptkit.model import AdaptedModel, ResolvedStack

Outputs: TypeAlias = Mapping[str, Tensor]
STATES, VECTORS, LOGITS = "last_hidden_state", "sentence_embedding", "logits"
TOLERANCE = 1e-4
"""Largest difference from the model's own outputs, as a share of the largest of them, or of 1 where that is less."""


class Run(Protocol):
    """What gives outputs of these names for the inputs of these names."""

    def __call__(self, names: list[str], inputs: dict[str, Any], /) -> Sequence[Any]: ...  # noqa: D102


def require_close(error: float) -> None:
    """Let outputs be close enough to the model's own to be kept.

    Raises:
        NotConvertible: They are not.
    """
    if not error <= TOLERANCE:
        raise NotConvertible(
            f"onnxruntime gives outputs that are off by {error:.2g} (bound {TOLERANCE:g}), so nothing was written. "
            "Try other versions of torch, onnx and onnxruntime."
        )


def largest_error(model: AdaptedModel, pinned: ResolvedStack, run: Run, names: Mapping[str, str]) -> float:
    """How far outputs are from the stack's, on the probes; `names` says what an output is called there."""
    errors = []
    for ids, mask in padded(model.backbone):
        wanted = _outputs(model, pinned, ids, mask)
        found = run(list(names.values()), fed(ids, mask))
        real = mask.bool().cpu()
        for name, theirs in zip(names, found, strict=True):
            errors.append(_error(wanted[name].cpu(), torch.from_numpy(theirs), real))
    return max(errors)


def answers(pinned: ResolvedStack) -> bool:
    """Whether a stack has a head with weights."""
    return pinned.head is not None and not isinstance(pinned.head[0], VectorHead)


def _outputs(model: AdaptedModel, pinned: ResolvedStack, ids: Tensor, mask: Tensor) -> Outputs:
    with torch.inference_mode():
        hidden = model(ids, mask, stacks=[pinned] * len(ids))
        found = {STATES: hidden, VECTORS: model.sentences(hidden, mask)}
        return found | {LOGITS: pinned.head[0](hidden, mask)} if pinned.head is not None else found


def _error(ours: Tensor, theirs: Tensor, real: Tensor) -> float:
    if theirs.shape != ours.shape:
        return float("inf")
    # What stands at padding is read by nobody.
    if ours.shape[:2] == real.shape:
        ours, theirs = ours[real], theirs[real]
    return float((theirs - ours).abs().max() / ours.abs().max().clamp(min=1))
