"""Probes: inputs with the outputs that an adapter must give. They prove integrity, not trust."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

N_PROBES = 3
COMPONENTS = 32
_LENGTHS = (9, 17, 30)


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Token ids and some components of the pooled vector that the adapted model gives for them.

    The ids are arithmetic, not text, so a card never carries a sentence of a private corpus.
    """

    ids: tuple[int, ...]
    vector: tuple[float, ...]


def probe_inputs(vocabulary_size: int, opening: Sequence[int], closing: int) -> list[list[int]]:
    """Fixed pseudo-random inputs for a vocabulary, between the backbone's opening tokens and its closing one."""
    first_piece = min(1000, vocabulary_size // 2)
    span = vocabulary_size - first_piece
    inputs = []
    for number, length in enumerate(_LENGTHS):
        body = [first_piece + (7919 * (number + 1) * (i + 1) + 104_729 * i * i) % span for i in range(length)]
        inputs.append([*opening, *body, closing])
    return inputs


def record(ids: Sequence[Sequence[int]], vectors: Tensor) -> tuple[Probe, ...]:
    """Probes of these outputs. Shape: vectors (n, hidden_width)."""
    sampled = _components(vectors)
    return tuple(
        Probe(ids=tuple(row), vector=tuple(float(f"{value:.6g}") for value in vector.tolist()))
        for row, vector in zip(ids, sampled, strict=True)
    )


def largest_error(probes: Sequence[Probe], vectors: Tensor) -> float:
    """The largest distance between recorded and given outputs, as a share of the recorded vector's length."""
    recorded = torch.tensor([probe.vector for probe in probes])
    given = _components(vectors)
    if given.shape != recorded.shape:
        return float("inf")
    return float(((given - recorded).norm(dim=-1) / recorded.norm(dim=-1).clamp(min=1e-12)).max())


def _components(vectors: Tensor) -> Tensor:
    width = vectors.shape[-1]
    picked = torch.linspace(0, width - 1, min(COMPONENTS, width)).long()
    return vectors.detach().float().cpu()[:, picked]
