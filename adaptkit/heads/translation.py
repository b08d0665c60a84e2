"""Translations, learned token by token: the loss is taken at what is to be written, not at what is read."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from adaptkit.backbones import Backbone, TextReader
from adaptkit.backbones.output_projection import OutputProjection
from adaptkit.data.tasks import Example
from adaptkit.errors import ConfigError
from adaptkit.heads.batch import Batch
from adaptkit.heads.typed import of_type
from adaptkit.heads.writing import Asked, writing_of
from adaptkit.layers.heads import Head
from adaptkit.task_types import IGNORED, HeadConfig, Item, Translation, as_ids

_LOGIT_BYTES_AT_ONCE = 2**27


class WritingHead(Head):
    """The hidden states as they are: what becomes of them is the backbone's own projection. It has no weights."""

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Shape: hidden and result (batch, seq, hidden_width)."""
        return hidden


class TranslationFormat:
    """Pairs as one row in a decoder, prompt and translation; in an encoder-decoder as the row of each side.

    An item's target is how long its prompt is, or the tokens that the decoder writes, with those that it begins with.
    Pairs that are too long for a row have none.

    Raises:
        ConfigError: A backbone that cannot write.
    """

    def __init__(self, reader: TextReader, head: HeadConfig, *, max_length: int) -> None:
        if not isinstance(reader, Backbone):
            raise ConfigError(
                "a translation is written in the backbone's own pieces: leave out the adapter that brings others."
            )
        self._backbone = reader
        self._head = head
        self._max_length = max_length
        self._writing = writing_of(reader)
        self._projection = OutputProjection(reader)

    @staticmethod
    def module(_: HeadConfig, __: int) -> WritingHead:
        """A fresh head."""
        return WritingHead()

    def items(self, examples: Sequence[Example]) -> list[Item]:
        """One row each."""
        pairs = of_type(Translation, examples)
        asked = [Asked(pair.source, *self._languages(pair)) for pair in pairs]
        read, written = self._writing.read(asked), self._writing.written([pair.target for pair in pairs])
        rows = zip(pairs, asked, read, written, strict=True)
        return [
            self._item(number, pair, one, ids, target, cut=cut)
            for number, (pair, one, (ids, cut), target) in enumerate(rows)
        ]

    def _languages(self, pair: Translation) -> tuple[str, str]:
        return pair.source_language or self._head.source_language, pair.language or self._head.target_languages[0]

    def _item(
        self, number: int, pair: Translation, asked: Asked, read: list[int], written: list[int], *, cut: bool
    ) -> Item:
        opening = self._writing.opening(asked)
        row, target = ([*read, *written], [len(read)]) if not opening else (read, [*opening, *written])
        too_long = cut or max(len(row), len(target)) > self._max_length
        labelled = bool(pair.target) and not too_long
        return Item(
            number,
            (as_ids(row[: self._max_length]),),
            tuple(map(float, target)) if labelled else (),
            language=pair.language,
            cut=too_long,
        )

    def labels(self, items: Sequence[Item], seq: int) -> Tensor:
        """The token that follows each one, where it is to be written. Shape: (len(items), seq or target_seq)."""
        if self._backbone.architecture.decoder is None:
            rows = [[IGNORED] * (int(it.target[0]) - 1) + it.rows[0][int(it.target[0]) :].tolist() for it in items]
            return _padded(rows, seq, IGNORED)
        rows = [[IGNORED] * (self._n_opening(item) - 1) + _written(item)[self._n_opening(item) :] for item in items]
        return _padded(rows, max(map(len, rows)), IGNORED)

    def decoder_ids(self, items: Sequence[Item]) -> Tensor | None:
        """What the decoder of an encoder-decoder reads. Shape: (len(items), target_seq)."""
        if self._backbone.architecture.decoder is None:
            return None
        rows = [_written(item)[:-1] for item in items]
        return _padded(rows, max(map(len, rows)), int(self._backbone.network.config.pad_token_id))

    def _n_opening(self, item: Item) -> int:
        return len(
            self._writing.opening(
                Asked("", self._head.source_language, item.language or self._head.target_languages[0])
            )
        )

    def prepared(self, batch: Batch) -> Batch:
        """With the places of tokens that are to be written."""
        return _to_write(batch)

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """The mean cross-entropy of tokens that are to be written. Shape: outputs (batch, seq, hidden_width)."""
        places = (_to_write(batch) if batch.positions is None else batch).positions
        states, labels = outputs.flatten(0, 1)[places], batch.require_labels().flatten()[places]
        at_once = max(1, _LOGIT_BYTES_AT_ONCE // (4 * self._backbone.shape.vocabulary_size))
        if len(labels) <= at_once:
            return self._summed(states, labels) / max(1, len(labels))
        pieces = zip(torch.split(states, at_once), torch.split(labels, at_once), strict=True)
        losses: list[Any] = [checkpoint(self._summed, *piece, use_reentrant=False) for piece in pieces]
        return torch.stack(losses).sum() / len(labels)

    def _summed(self, states: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(self._projection(states), labels, reduction="sum")

    def predictions(self, examples: Sequence[Example], items: Sequence[Item], outputs: Sequence[Tensor]) -> list[str]:
        """Never asked for: a translation is written, by `model.translate`.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError("a translation is written: model.translate(texts, stack=...).")


def _to_write(batch: Batch) -> Batch:
    return replace(batch, positions=(batch.require_labels().flatten() != IGNORED).nonzero().squeeze(1))


def _written(item: Item) -> list[int]:
    return [int(token) for token in item.target]


def _padded(rows: Sequence[list[int]], length: int, padding: int) -> Tensor:
    """Shape: (len(rows), length)."""
    return torch.tensor([[*row, *[padding] * (length - len(row))] for row in rows])
