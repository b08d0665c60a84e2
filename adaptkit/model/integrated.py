"""Integrated gradients: what each place of an input adds to one number on the straight way from another input.

Sundararajan, Taly and Yan 2017, arXiv:1703.01365; computed by captum, with Gauss-Legendre nodes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from adaptkit.errors import ConfigError
from adaptkit.version import install_command


@dataclass(frozen=True)
class Integral:
    """What each place adds, and the difference between the ends that all of them should add up to.

    Shape: additions as the input without its last dimension, float32 on the CPU.
    """

    additions: Tensor
    difference: float


def integral(
    score: Callable[[Tensor], Tensor], start: Tensor, end: Tensor, *, steps: int, rows_at_once: int
) -> Integral:
    """The way from `start` to `end` in so many steps; `score` gives a number for each of several points of it.

    Shape: start and end (..., width), score (n, ..., width) to (n).

    Raises:
        ConfigError: captum is not installed.
    """
    method = _captum().IntegratedGradients(score)
    # A caller may be in inference mode, where nothing has a gradient.
    with torch.inference_mode(mode=False), torch.enable_grad():
        ends = start.detach().clone().unsqueeze(0), end.detach().clone().unsqueeze(0)
        found = method.attribute(ends[1], baselines=ends[0], n_steps=steps, internal_batch_size=rows_at_once)
    with torch.no_grad():
        difference = float(score(ends[1])) - float(score(ends[0]))
    return Integral(found.squeeze(0).sum(dim=-1).float().cpu(), difference)


def require_captum() -> None:
    """See that captum is there, before hours are spent.

    Raises:
        ConfigError: It is not installed.
    """
    _captum()


def _captum() -> Any:  # noqa: ANN401 - a package that need not be there
    try:
        return import_module("captum.attr")
    except ImportError as error:
        raise ConfigError(
            f"explanations need the package captum: {error}. Run: {install_command('explain')}"
        ) from error
