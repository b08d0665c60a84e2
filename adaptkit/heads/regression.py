"""A text and its score."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from adaptkit.backbones import TextReader
from adaptkit.data.read_words import ReadWords, words_read
from adaptkit.data.tasks import Example
from adaptkit.heads.batch import Batch
from adaptkit.heads.explained import Aim, Wanted, require_no_target, require_no_word
from adaptkit.heads.typed import of_type
from adaptkit.layers.heads import SentenceHead
from adaptkit.task_types import HeadConfig, Item, ScoredText, as_ids


class Regression:
    """The mean over real tokens gives a number, trained to the score."""

    def __init__(self, reader: TextReader, head: HeadConfig, *, max_length: int) -> None:
        self._reader = reader
        self._max_length = max_length

    @staticmethod
    def module(head: HeadConfig, hidden_width: int) -> SentenceHead:
        """A fresh head."""
        return SentenceHead(hidden_width=hidden_width, n_outputs=1, dropout=head.dropout)

    def items(self, examples: Sequence[Example]) -> list[Item]:
        """One row each."""
        texts = of_type(ScoredText, examples)
        rows = self._reader.tokenize_cutting([(each.text, None) for each in texts], max_length=self._max_length)
        return [
            Item(number, (as_ids(row),), (each.score,), language=each.language, cut=cut)
            for number, (each, (row, cut)) in enumerate(zip(texts, rows, strict=True))
        ]

    def labels(self, items: Sequence[Item], seq: int) -> Tensor:
        """Shape: (len(items))."""
        return torch.tensor([item.target[0] for item in items], dtype=torch.float32)

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Squared error. Shape: outputs (batch, 1)."""
        return F.mse_loss(outputs[:, 0], batch.require_labels())

    def predictions(self, examples: Sequence[Example], items: Sequence[Item], outputs: Sequence[Tensor]) -> list[float]:
        """The scores; what lies outside 0 to 1 becomes 0 or 1. Shape: outputs, for each item (1, 1)."""
        return [min(max(float(output[0, 0]), 0.0), 1.0) for output in outputs]

    def aim(self, example: Example, items: Sequence[Item], outputs: Sequence[Tensor], wanted: Wanted) -> Aim:
        """The score, before it is kept within 0 and 1."""
        require_no_word(wanted)
        require_no_target(wanted, "a score")
        return Aim(0, "the score", "points of the score", lambda out: out[:, 0, 0], _said, wanted)

    def changed(self, before: float, after: float) -> Wanted:
        """There is only the one number."""
        return Wanted()

    def words(self, example: Example, item: int) -> ReadWords:
        """Of the text."""
        (scored,) = of_type(ScoredText, [example])
        return words_read(
            [scored.text], self._reader.places_of_pairs([(scored.text, None)], max_length=self._max_length)
        )


def _said(prediction: float) -> str:
    return f"{prediction:.2f}"
