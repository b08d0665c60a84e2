"""Who a backbone is: sampled weight values with a tolerance, and a hash over the tokenizer's content."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from adaptkit.backbones.checkpoint import StoredTensor
from adaptkit.errors import ConfigError

Verdict: TypeAlias = Literal["identical", "same weights at another precision", "different"]

SAMPLES_A_TENSOR = 4
SAMPLES_OF_EMBEDDINGS = 64

_SAME = 1e-6
"""Samples are written with seven digits, so equal values may differ by this share."""

# Largest error of one sampled value, as a share of it: half the spacing of the type's mantissa, and a little. Backbones
# of 8 and 4 bits are sampled before they are quantised.
_ROUNDING: dict[str, float] = {
    "float64": _SAME,
    "float32": _SAME,
    "float16": 2**-11 * 1.05,
    "bfloat16": 2**-8 * 1.05,
    "int8": _SAME,
    "nf4": _SAME,
}
_TINY = 1e-7
"""Below this a half-precision value may be flushed, so errors under it say nothing."""


@dataclass(frozen=True)
class Fingerprint:
    """Sampled values of every tensor of a backbone, by tensor name.

    A merged LoRA changes only some matrices, so every tensor is sampled, norms and biases too. `precision` is the
    torch type the weights had when sampled (`float32`), or what they were quantised to afterwards (`int8`, `nf4`).
    A sample that is NaN, in the one that is compared with, says nothing.

    Raises:
        ConfigError: A precision that the table of bounds does not have.
    """

    precision: str
    samples: Mapping[str, tuple[float, ...]]

    def __post_init__(self) -> None:
        _rounding(self.precision)

    @cached_property
    def id(self) -> str:
        """Twelve hexadecimal digits for messages and cards. Comparing goes by `compare`, which has a tolerance."""
        rounded = {name: [f"{value:.2e}" for value in values] for name, values in sorted(self.samples.items())}
        return hashlib.sha256(json.dumps(rounded).encode()).hexdigest()[:12]

    def compare(self, other: "Fingerprint") -> Verdict:
        """Whether `other` samples the same weights, the same ones rounded to another type, or different ones."""
        if self.samples.keys() != other.samples.keys():
            return "different"
        if self.differing(other):
            return "different"
        return "identical" if self.precision == other.precision else "same weights at another precision"

    def differing(self, other: "Fingerprint") -> list[str]:
        """Names of the tensors whose samples differ, for messages."""
        bound = _bound(self.precision, other.precision)
        return [
            name
            for name in self.samples
            if name not in other.samples or not _close(self.samples[name], other.samples[name], bound)
        ]


def fingerprint_of(network: PreTrainedModel) -> Fingerprint:
    """Sample every weight of a loaded backbone.

    Raises:
        ConfigError: The weights are of a type that cannot be sampled by value.
    """
    return Fingerprint(
        precision=str(network.dtype).removeprefix("torch."),
        samples={name: sampled(name, weight) for name, weight in network.named_parameters() if is_sampled(name)},
    )


def is_sampled(name: str) -> bool:
    """Whether a tensor belongs to the identity: poolers are made by some loaders only, and no adapter sees one."""
    return not name.startswith("pooler.")


def sampled(name: str, weight: Tensor | StoredTensor, rounded: torch.dtype | None = None) -> tuple[float, ...]:
    """Values of a tensor, in memory or on disk, perhaps rounded, at positions that depend on its name and size."""
    is_table = "word_embeddings" in name or "embed_tokens" in name
    count = SAMPLES_OF_EMBEDDINGS if is_table else SAMPLES_A_TENSOR
    return _values(weight, _positions(math.prod(weight.shape), count), rounded)


def sampled_table(
    weight: Tensor | StoredTensor, rounded: torch.dtype | None, *, as_of_rows: int, below: int
) -> tuple[float, ...]:
    """Values of an embedding table where one of `as_of_rows` rows is sampled; NaN in the rows from `below` on."""
    width = weight.shape[1]
    positions = _positions(as_of_rows * width, SAMPLES_OF_EMBEDDINGS)
    inside = [position for position in positions if position < below * width]
    found = iter(_values(weight, inside, rounded))
    return tuple(next(found) if position < below * width else math.nan for position in positions)


def _positions(n_values: int, count: int) -> list[int]:
    # A golden-ratio walk spreads the positions evenly over rows and columns of any size.
    return [int(((i + 1) * 0.6180339887498949 % 1.0) * n_values) for i in range(count)]


def _values(weight: Tensor | StoredTensor, positions: list[int], rounded: torch.dtype | None) -> tuple[float, ...]:
    if isinstance(weight, StoredTensor):
        values = weight.at(positions)
    else:
        values = weight.detach().reshape(-1)[torch.tensor(positions, device=weight.device)]
    return tuple(float(f"{value:.7g}") for value in values.to(rounded or values.dtype).float().tolist())


def tokenizer_hash(tokenizer: PreTrainedTokenizerBase) -> str:
    """SHA-256 over vocabulary, scores, normaliser, pre- and post-processing and special ids, not over file bytes.

    Raises:
        ConfigError: A tokenizer without the `tokenizers` engine, whose content cannot be listed.
    """
    engine = getattr(tokenizer, "backend_tokenizer", None)
    if engine is None:
        raise ConfigError(
            f"{type(tokenizer).__name__} is a slow tokenizer; adaptkit needs the fast one (tokenizer.json). "
            "Install sentencepiece so that transformers can convert it."
        )
    content = json.loads(engine.to_str())
    # Truncation and padding are settings of the last call, not content.
    parts = {key: value for key, value in content.items() if key not in {"truncation", "padding", "version"}}
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def highest_id(tokenizer: PreTrainedTokenizerBase) -> int:
    """The highest token id that a tokenizer gives."""
    return max([len(tokenizer) - 1, *tokenizer.added_tokens_decoder, *tokenizer.all_special_ids])


def _rounding(precision: str) -> float:
    if precision not in _ROUNDING:
        raise ConfigError(f"weights of type {precision!r} have no bound in the fingerprint table.")
    return _ROUNDING[precision]


def _bound(precision: str, other: str) -> float:
    # Values of one type must be equal; of two types, both may be rounded.
    return _SAME if precision == other else _rounding(precision) + _rounding(other)


def _close(ours: tuple[float, ...], theirs: tuple[float, ...], bound: float) -> bool:
    # The usual case, and the fast one.
    return ours == theirs or (
        len(ours) == len(theirs)
        and all(
            # A row that one of them does not have tells nothing.
            math.isnan(b) or abs(a - b) <= max(abs(a), abs(b)) * bound + (_TINY if bound > 1e-5 else 0.0)
            for a, b in zip(ours, theirs, strict=True)
        )
    )
