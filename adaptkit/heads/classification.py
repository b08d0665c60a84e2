"""A text, or a pair of texts, and its label."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from adaptkit.backbones import TextReader
from adaptkit.data.read_words import ReadWords, words_read
from adaptkit.data.tasks import Example
from adaptkit.errors import ConfigError
from adaptkit.heads.batch import Batch
from adaptkit.heads.explained import LOG_ODDS, Aim, Wanted, log_odds, require_no_word, share, wanted_label
from adaptkit.heads.task_format import label_number
from adaptkit.heads.typed import of_type
from adaptkit.layers.heads import SentenceHead
from adaptkit.task_types import HeadConfig, Item, LabelledText, PredictedLabel, TextWithLabels, as_ids
from adaptkit.terminal.amounts import row_of


class Classification:
    """The mean over real tokens decides."""

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
        texts = of_type(LabelledText, examples)
        check_pairs(texts, self._head.pairs)
        rows = self._reader.tokenize_cutting([(e.text, e.pair) for e in texts], max_length=self._max_length)
        return [
            Item(
                number,
                (as_ids(row),),
                (label_number(self._head, e.label),) if e.label else (),
                language=e.language,
                cut=cut,
            )
            for number, (e, (row, cut)) in enumerate(zip(texts, rows, strict=True))
        ]

    def labels(self, items: Sequence[Item], seq: int) -> Tensor:
        """Shape: (len(items))."""
        return torch.tensor([int(item.target[0]) for item in items])

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy. Shape: outputs (batch, n_labels)."""
        return F.cross_entropy(outputs, batch.require_labels(), weight=batch.class_weights)

    def predictions(
        self, examples: Sequence[Example], items: Sequence[Item], outputs: Sequence[Tensor]
    ) -> list[PredictedLabel]:
        """The labels. Shape: outputs, for each item (1, n_labels)."""
        found: list[PredictedLabel] = []
        for output in outputs:
            shares = torch.softmax(output[0], dim=-1).tolist()
            probabilities = dict(zip(self._head.labels, shares, strict=True))
            found.append(PredictedLabel.of(probabilities))
        return found

    def aim(self, example: Example, items: Sequence[Item], outputs: Sequence[Tensor], wanted: Wanted) -> Aim:
        """The log odds of a label."""
        require_no_word(wanted)
        labels = self._head.labels
        label = wanted_label(labels, wanted, labels[int(outputs[0][0].argmax())])
        number = labels.index(label)
        return Aim(0, label, LOG_ODDS, lambda out: log_odds(out[:, 0], number), _said, Wanted(label))

    def changed(self, before: PredictedLabel, after: PredictedLabel) -> Wanted:
        """The new label."""
        return Wanted(after.label)

    def words(self, example: Example, item: int) -> ReadWords:
        """Of one text, or of both."""
        return words_of_texts(self._reader, of_type(LabelledText, [example])[0], self._max_length)


def _said(prediction: PredictedLabel) -> str:
    return f"{prediction.label} ({share(prediction.probabilities[prediction.label])})"


def words_of_texts(reader: TextReader, example: LabelledText | TextWithLabels, max_length: int) -> ReadWords:
    """The words of a text, or of both of a pair, that one row reads."""
    (row,) = reader.places_of_pairs([(example.text, example.pair)], max_length=max_length)
    return words_read([example.text] if example.pair is None else [example.text, example.pair], [row])


def check_pairs(texts: Sequence[LabelledText | TextWithLabels], pairs: bool) -> None:
    """Refuse single texts where a head reads pairs, and pairs where it reads single ones.

    Raises:
        ConfigError: One of those.
    """
    for number, example in enumerate(texts):
        if (example.pair is not None) is not pairs:
            found, wanted = ("a single text", "pairs of texts") if pairs else ("a pair of texts", "single texts")
            raise ConfigError(
                f"{row_of(number, 'examples')} is {found} ({example.text!r:.60}), but this head is for {wanted}."
            )
