"""Probes of the vectors that an adapter gives."""

from collections.abc import Sequence

import torch
from torch import Tensor

from adaptkit.format.probe import COMPONENTS, Probe


def probes_of(ids: Sequence[Sequence[int]], vectors: Tensor) -> tuple[Probe, ...]:
    """Probes of these outputs. Shape: vectors (n, hidden_width)."""
    sampled = components(vectors)
    return tuple(
        Probe(ids=tuple(row), vector=tuple(float(f"{value:.6g}") for value in vector.tolist()))
        for row, vector in zip(ids, sampled, strict=True)
    )


def largest_error(probes: Sequence[Probe], vectors: Tensor) -> float:
    """The largest distance between recorded and given outputs, as a share of the recorded vector's length."""
    recorded = torch.tensor([probe.vector for probe in probes])
    given = components(vectors)
    if given.shape != recorded.shape:
        return float("inf")
    return float(((given - recorded).norm(dim=-1) / recorded.norm(dim=-1).clamp(min=1e-12)).max())


def components(vectors: Tensor) -> Tensor:
    """Those that a probe holds. Shape: (..., hidden_width), result (..., at most COMPONENTS), float32 on the CPU."""
    width = vectors.shape[-1]
    picked = torch.linspace(0, width - 1, min(COMPONENTS, width)).long()
    return vectors.detach().float().cpu()[:, picked]
