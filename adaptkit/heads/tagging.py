"""Words and a tag for each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from adaptkit.backbones import Backbone
from adaptkit.config import HeadConfig
from adaptkit.data.tasks import Example, TaggedSentence
from adaptkit.errors import ConfigError
from adaptkit.heads.batch import IGNORED, Batch
from adaptkit.heads.item import Item, as_ids, label_number
from adaptkit.heads.typed import of_type

_OUTSIDE = "O"


@dataclass(frozen=True)
class PredictedTags:
    """One tag for each word. Words beyond the first `n_read`, which were cut off, get the outside tag."""

    tags: tuple[str, ...]
    n_read: int


class Tagging:
    """Each word's first token decides; the others are neither trained on nor read."""

    def __init__(self, backbone: Backbone, head: HeadConfig, *, max_length: int) -> None:
        self._backbone = backbone
        self._head = head
        self._max_length = max_length

    def items(self, examples: Sequence[Example]) -> list[Item]:
        """One row each, with the place of each word's first token."""
        sentences = of_type(TaggedSentence, examples)
        tokenized = self._backbone.tokenize_words([e.words for e in sentences], max_length=self._max_length)
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
        return F.cross_entropy(outputs.flatten(0, 1), batch.require_labels().flatten(), ignore_index=IGNORED)

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
            found.append(PredictedTags((*tags, *[_OUTSIDE] * missing), len(tags)))
        return found
