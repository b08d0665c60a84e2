"""A loaded, frozen backbone: network, tokenizer and what identifies them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from adaptkit.backbones.architectures import BackboneShape
from adaptkit.backbones.fingerprint import Fingerprint, fingerprint_of, tokenizer_hash
from adaptkit.errors import ConfigError


@dataclass
class Backbone:
    """An inert pretrained encoder. Nothing here changes a weight.

    `release` says which numbers the weights are (for the embedded one: a 4-bit release). `text_prefix` is put before
    every text, because the model was trained with it.
    """

    name: str
    release: str
    text_prefix: str
    network: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase

    @cached_property
    def shape(self) -> BackboneShape:
        """The sizes that decide which adapters fit."""
        return BackboneShape.of(self.network.config)

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """Sampled values of every tensor."""
        return fingerprint_of(self.network)

    @cached_property
    def tokenizer_hash(self) -> str:
        """SHA-256 of the tokenizer's canonical content."""
        return tokenizer_hash(self.tokenizer)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.network.device

    @property
    def max_length(self) -> int:
        """The most tokens in one input, special tokens counted."""
        # RoBERTa numbers positions from pad_token_id + 1 on, so that many rows of its table are unused.
        unused = self.network.config.pad_token_id + 1 if "roberta" in self.shape.model_type else 0
        return self.shape.n_positions - unused

    def special_id(self, role: str) -> int:
        """The id of a special token: `pad`, `mask`, `unk`, `cls` or `sep`.

        Raises:
            ConfigError: The tokenizer has no such token.
        """
        value: int | None = getattr(self.tokenizer, f"{role}_token_id")
        if value is None:
            raise ConfigError(f"the tokenizer of {self.name} has no {role} token, which this needs.")
        return value

    def tokenize(self, texts: Sequence[str], *, max_length: int | None = None) -> list[list[int]]:
        """Token ids of texts, with prefix and special tokens, cut at `max_length` tokens."""
        limit = min(max_length or self.max_length, self.max_length)
        encoded = self.tokenizer(
            [self.text_prefix + text for text in texts], truncation=True, max_length=limit, return_attention_mask=False
        )
        ids: list[list[int]] = encoded["input_ids"]
        return ids

    @cached_property
    def prefix_length(self) -> int:
        """How many leading tokens of every input are the opening special token and the text prefix."""
        prefix: list[int] = self.tokenizer(self.text_prefix.rstrip())["input_ids"]
        return len(prefix) - 1

    def pad(self, ids: Sequence[Sequence[int]], *, multiple_of: int = 1) -> tuple[Tensor, Tensor]:
        """Token ids and attention mask as tensors on the backbone's device.

        Shape: two times (batch, seq), where seq is the longest row, made a multiple of `multiple_of` where the backbone
        reads that many.
        """
        longest = max(len(row) for row in ids)
        seq = max(longest, min(-(-longest // multiple_of) * multiple_of, self.max_length))
        padded = torch.full((len(ids), seq), self.special_id("pad"), dtype=torch.long)
        mask = torch.zeros((len(ids), seq), dtype=torch.long)
        for number, row in enumerate(ids):
            padded[number, : len(row)] = torch.as_tensor(row, dtype=torch.long)
            mask[number, : len(row)] = 1
        return padded.to(self.device), mask.to(self.device)
