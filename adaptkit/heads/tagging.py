"""Words and a tag for each."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from adaptkit.backbones import TextReader
from adaptkit.data.tasks import Example
from adaptkit.data.tasks.tag_schemes import OUTSIDE
from adaptkit.errors import ConfigError
from adaptkit.heads.batch import IGNORED, Batch
from adaptkit.heads.task_format import label_number
from adaptkit.heads.typed import of_type
from adaptkit.layers.heads import TokenHead
from adaptkit.task_types import HeadConfig, Item, PredictedTags, TaggedSentence, as_ids


class Tagging:
    """Each word's first token decides; the others are neither trained on nor read."""

    unread = OUTSIDE
    """The tag of a word that is not read."""

    def __init__(self, reader: TextReader, head: HeadConfig, *, max_length: int) -> None:
        self._reader = reader
        self._head = head
        self._max_length = max_length

    @staticmethod
    def module(head: HeadConfig, hidden_width: int) -> TokenHead:
        """A fresh head."""
        return TokenHead(hidden_width=hidden_width, n_outputs=len(head.labels), dropout=head.dropout)

    def items(self, examples: Sequence[Example]) -> list[Item]:
        """One row each, with the place of each word's first token."""
        sentences = of_type(TaggedSentence, examples)
        tokenized = self._reader.tokenize_words([e.words for e in sentences], max_length=self._max_length)
        items = []
        for number, (sentence, (row, places)) in enumerate(zip(sentences, tokenized, strict=True)):
            if sentence.tags and len(sentence.tags) != len(sentence.words):
                counts = f"{len(sentence.words)} words and {len(sentence.tags)} tags"
                raise ConfigError(f"example {number} has {counts}; each word needs one.")
            target = tuple(label_number(self._head, tag) for tag in sentence.tags[: len(places)])
            cut = len(places) < len(sentence.words)
            items.append(Item(number, (as_ids(row),), target, as_ids(places), sentence.language, cut))
        return items

    def labels(self, items: Sequence[Item], seq: int) -> Tensor:
        """Shape: (len(items), seq), with the ignored number where no word begins."""
        labels = np.full((len(items), seq), IGNORED, dtype=np.int64)
        for number, item in enumerate(items):
            labels[number, item.places] = item.target
        return torch.from_numpy(labels)

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy over words. Shape: outputs (batch, seq, n_tags)."""
        return F.cross_entropy(
            outputs.flatten(0, 1),
            batch.require_labels().flatten(),
            weight=batch.class_weights,
            ignore_index=IGNORED,
        )

    def predictions(
        self, examples: Sequence[Example], items: Sequence[Item], outputs: Sequence[Tensor]
    ) -> list[PredictedTags]:
        """The tags. Shape: outputs, for each item (1, seq, n_tags)."""
        found = []
        for sentence, item, output in zip(of_type(TaggedSentence, examples), items, outputs, strict=True):
            best = output[0].argmax(dim=-1).tolist()
            assert item.places is not None  # noqa: S101 - this format's own items
            tags = [self._head.labels[best[place]] for place in item.places]
            missing = len(sentence.words) - len(tags)
            found.append(PredictedTags((*tags, *[self.unread] * missing), len(tags)))
        return found
