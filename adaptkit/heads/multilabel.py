"""A text, or a pair of texts, and any number of labels."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from adaptkit.backbones import TextReader
from adaptkit.data.read_words import ReadWords
from adaptkit.data.tasks import Example
from adaptkit.heads.batch import Batch
from adaptkit.heads.classification import check_pairs, words_of_texts
from adaptkit.heads.explained import LOG_ODDS, Aim, Wanted, require_no_word, share, wanted_label
from adaptkit.heads.task_format import label_number
from adaptkit.heads.typed import of_type
from adaptkit.layers.heads import SentenceHead
from adaptkit.task_types import HeadConfig, Item, PredictedLabels, TextWithLabels, as_ids
from adaptkit.task_types.multilabel import targets_of


class Multilabel:
    """The mean over real tokens decides on each label by itself."""

    def __init__(self, reader: TextReader, head: HeadConfig, *, max_length: int) -> None:
        self._reader = reader
        self._head = head
        self._max_length = max_length

    @staticmethod
    def module(head: HeadConfig, hidden_width: int) -> SentenceHead:
        """A fresh head."""
        return SentenceHead(hidden_width=hidden_width, n_outputs=len(head.labels), dropout=head.dropout)

    def items(self, examples: Sequence[Example]) -> list[Item]:
        """One row each: the text, or both texts with separators between them."""
        texts = of_type(TextWithLabels, examples)
        check_pairs(texts, self._head.pairs)
        for label in {label for each in texts for label in each.labels}:
            label_number(self._head, label)
        rows = self._reader.tokenize_cutting([(e.text, e.pair) for e in texts], max_length=self._max_length)
        return [
            Item(number, (as_ids(row),), targets_of(self._head, e.labels), language=e.language, cut=cut)
            for number, (e, (row, cut)) in enumerate(zip(texts, rows, strict=True))
        ]

    def labels(self, items: Sequence[Item], seq: int) -> Tensor:
        """Shape: (len(items), n_labels), 1 where the text has the label."""
        return torch.tensor([item.target for item in items], dtype=torch.float32) % 2

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Binary cross-entropy, the mean over labels. Shape: outputs (batch, n_labels)."""
        return F.binary_cross_entropy_with_logits(outputs, batch.require_labels())

    def predictions(
        self, examples: Sequence[Example], items: Sequence[Item], outputs: Sequence[Tensor]
    ) -> list[PredictedLabels]:
        """The labels. Shape: outputs, for each item (1, n_labels)."""
        found: list[PredictedLabels] = []
        for output in outputs:
            probabilities = dict(zip(self._head.labels, torch.sigmoid(output[0]).tolist(), strict=True))
            found.append(PredictedLabels.of(probabilities))
        return found

    def aim(self, example: Example, items: Sequence[Item], outputs: Sequence[Tensor], wanted: Wanted) -> Aim:
        """The log odds of one label, by itself; the most probable one where none is named."""
        require_no_word(wanted)
        labels = self._head.labels
        label = wanted_label(labels, wanted, labels[int(outputs[0][0].argmax())])
        number = labels.index(label)
        return Aim(0, label, LOG_ODDS, lambda out: out[:, 0, number], _said, Wanted(label))

    def changed(self, before: PredictedLabels, after: PredictedLabels) -> Wanted:
        """The first label that came or went."""
        other = [label for label in self._head.labels if (label in before.labels) is not (label in after.labels)]
        return Wanted(other[0] if other else None)

    def words(self, example: Example, item: int) -> ReadWords:
        """Of one text, or of both."""
        return words_of_texts(self._reader, of_type(TextWithLabels, [example])[0], self._max_length)


def _said(prediction: PredictedLabels) -> str:
    return ", ".join(f"{label} ({share(prediction.probabilities[label])})" for label in prediction.labels) or "no label"
