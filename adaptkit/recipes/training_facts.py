"""What a run did, for the card."""

import math
from collections.abc import Mapping, Sequence

import torch

from adaptkit.backbones.hardware import assumed_watts, hardware_name
from adaptkit.format.card import HeldoutScore, TrainingFacts
from adaptkit.training import RunResult


def training_facts(
    result: RunResult,
    *,
    objective: str,
    settings: Mapping[str, str | float | int | bool | None],
    device: torch.device,
    scores: Sequence[HeldoutScore],
) -> TrainingFacts:
    """The record of a run."""
    return TrainingFacts(
        objective=objective,
        steps=result.steps,
        tokens=result.tokens,
        elapsed_s=round(result.elapsed_s, 3),
        tokens_per_s=round(result.tokens_per_s, 1),
        peak_memory_bytes=result.peak_memory_bytes,
        heldout_loss_before=result.before["loss"],
        heldout_loss_after=result.after["loss"],
        pseudo_perplexity_before=_perplexity(result.before),
        pseudo_perplexity_after=_perplexity(result.after),
        stopped_because=result.stopped_because,
        settings=settings,
        hardware=hardware_name(device),
        watts=assumed_watts(device),
        heldout_scores=tuple(scores),
    )


def _perplexity(measures: Mapping[str, float]) -> float | None:
    """The exponential of the masked tokens' loss; capped, as a card holds finite numbers only."""
    return math.exp(min(measures["token_loss"], 50.0)) if "token_loss" in measures else None
