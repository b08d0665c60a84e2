"""What identifies a loaded backbone: samples of its weights, and a hash over the tokenizer's content."""

import hashlib
import json
import math

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from adaptkit.backbones.stored_tensors import StoredTensor
from adaptkit.collector import collector_resting
from adaptkit.errors import ConfigError
from adaptkit.format.architectures import is_table
from adaptkit.format.fingerprint import Fingerprint

SAMPLES_A_TENSOR = 4
SAMPLES_OF_EMBEDDINGS = 64


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
    count = SAMPLES_OF_EMBEDDINGS if is_table(name) else SAMPLES_A_TENSOR
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
    with collector_resting():
        content = json.loads(engine.to_str())
    # Truncation and padding are settings of the last call, not content.
    parts = {key: value for key, value in content.items() if key not in {"truncation", "padding", "version"}}
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def highest_id(tokenizer: PreTrainedTokenizerBase) -> int:
    """The highest token id that a tokenizer gives."""
    return max([len(tokenizer) - 1, *tokenizer.added_tokens_decoder, *tokenizer.all_special_ids])
