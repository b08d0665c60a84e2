"""Which token comes next: of each row's logits the best one, or one that is sampled."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from transformers import (
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from adaptkit.errors import ConfigError
from adaptkit.requests import Sampling
from adaptkit.terminal.asking import as_typed


@dataclass(frozen=True)
class Chosen:
    """The next token of each row, and the logarithm of what the model gave it, where that was asked for."""

    tokens: list[int]
    log_probabilities: list[float] | None = None


class TokenChoice:
    """Chooses by a `Sampling`, through transformers' own logits processors.

    Every row has random numbers of its own, drawn on the CPU: they are the same on every device, and whatever other
    rows there are.
    """

    def __init__(self, sampling: Sampling, *, log_probabilities: bool = False) -> None:
        self._sampling = sampling
        self._log_probabilities = log_probabilities
        self._processors = _processors(sampling)

    def __call__(
        self, logits: Tensor, histories: Sequence[Sequence[int]], randoms: Sequence[np.random.Generator]
    ) -> Chosen:
        """The next tokens. `histories` are all tokens of each row so far, with its prompt.

        Shape: logits (rows, vocabulary_size).

        Raises:
            ConfigError: Logits of a row have NaN, or no finite maximum, or the penalty makes them so.
        """
        logits = logits.float()
        _require_finite(
            logits,
            "adapters of the stack, or the precision of the backbone, overflow. Leave an adapter out, train "
            f"it again at a lower learning rate, or load the backbone with {as_typed(bits=32)}.",
        )
        scores = logits
        if len(self._processors):
            # The stubs ask for classes that torch makes of no tensor.
            scores = self._processors(cast(Any, self._history(histories, logits.device)), cast(Any, logits))
            penalty = self._sampling.repetition_penalty
            _require_finite(scores, f"{as_typed(repetition_penalty=penalty)} is too far from 1. Take one nearer to it.")
        if self._sampling.is_greedy:
            tokens = scores.argmax(dim=-1)
        else:
            tokens = _sampled(scores, [random.random() for random in randoms])
        told = None
        if self._log_probabilities:
            told = torch.log_softmax(logits, dim=-1).gather(1, tokens[:, None])[:, 0].tolist()
        return Chosen(tokens.tolist(), told)

    def _history(self, histories: Sequence[Sequence[int]], device: torch.device) -> Tensor:
        """Tokens that a penalty is for; what fills a short row up is a token that it has. Shape: (rows, longest)."""
        if self._sampling.repetition_penalty == 1:
            return torch.empty((len(histories), 0), dtype=torch.long, device=device)
        longest = max(map(len, histories))
        return torch.tensor([[*row, *row[:1] * (longest - len(row))] for row in map(list, histories)], device=device)


def _require_finite(logits: Tensor, why: str) -> None:
    # A maximum is NaN where any logit is; a token may well be at minus infinity.
    if not bool(logits.amax(dim=-1).isfinite().all()):
        raise ConfigError(f"logits are not finite (NaN or infinite), so no token can be chosen: {why}")


def random_of(sampling: Sampling, prompt: Sequence[int], *, repeated: int) -> np.random.Generator:
    """The random numbers of a prompt that was given `repeated` times before."""
    # Hash values of Python differ from process to process.
    digest = hashlib.sha256(f"{sampling.seed} {repeated} {' '.join(map(str, prompt))}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "little"))


def _processors(sampling: Sampling) -> LogitsProcessorList:
    found = LogitsProcessorList()
    if sampling.repetition_penalty != 1:
        found.append(RepetitionPenaltyLogitsProcessor(float(sampling.repetition_penalty)))
    if not sampling.is_greedy:
        found.append(TemperatureLogitsWarper(float(sampling.temperature)))
    if sampling.top_k is not None:
        found.append(TopKLogitsWarper(sampling.top_k))
    if sampling.top_p is not None:
        found.append(TopPLogitsWarper(float(sampling.top_p)))
    return found


def _sampled(scores: Tensor, uniform: Sequence[float]) -> Tensor:
    """The token of each row at which its summed probability passes its random number.

    Shape: scores (rows, vocabulary_size), result (rows).
    """
    summed = torch.softmax(scores, dim=-1).cumsum(dim=-1)
    total = summed[:, -1:]
    # Rounded, a number just below 1 may be 1, which no sum passes.
    reached = torch.minimum(
        torch.tensor(uniform, dtype=total.dtype, device=total.device)[:, None] * total,
        torch.nextafter(total, 0 * total),
    )
    return torch.searchsorted(summed, reached, right=True)[:, 0]
