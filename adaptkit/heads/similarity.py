"""Two sentences and how close they are in meaning."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from adaptkit.backbones import TextReader
from adaptkit.data.read_words import PlacedPiece, ReadWords, words_read
from adaptkit.data.tasks import Example
from adaptkit.heads.batch import Batch
from adaptkit.heads.explained import Aim, Wanted, require_no_target, require_no_word
from adaptkit.heads.typed import of_type
from adaptkit.layers.heads import VectorHead
from adaptkit.task_types import HeadConfig, Item, SimilarPair, as_ids


class Similarity:
    """The cosine of two sentence vectors, trained to the score (Reimers and Gurevych 2019, arXiv:1908.10084)."""

    def __init__(self, reader: TextReader, head: HeadConfig, *, max_length: int) -> None:
        self._reader = reader
        self._max_length = max_length

    @staticmethod
    def module(_: HeadConfig, __: int) -> VectorHead:
        """A fresh head."""
        return VectorHead()

    def items(self, examples: Sequence[Example]) -> list[Item]:
        """Two rows each."""
        pairs = of_type(SimilarPair, examples)
        texts = [(text, None) for pair in pairs for text in (pair.first, pair.second)]
        rows = self._reader.tokenize_cutting(texts, max_length=self._max_length)
        return [
            Item(number, (as_ids(first), as_ids(second)), (pair.score,), language=pair.language, cut=cut or other_cut)
            for number, (pair, (first, cut), (second, other_cut)) in enumerate(
                zip(pairs, rows[0::2], rows[1::2], strict=True)
            )
        ]

    def labels(self, items: Sequence[Item], seq: int) -> Tensor:
        """Shape: (len(items))."""
        return torch.tensor([item.target[0] for item in items])

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Squared error of the cosine. Shape: outputs (rows, hidden_width), two rows a pair."""
        return F.mse_loss(F.cosine_similarity(outputs[0::2], outputs[1::2]), batch.require_labels())

    def predictions(self, examples: Sequence[Example], items: Sequence[Item], outputs: Sequence[Tensor]) -> list[float]:
        """The cosines. Shape: outputs, for each item (2, hidden_width)."""
        return [float(F.cosine_similarity(output[0], output[1], dim=0)) for output in outputs]

    def aim(self, example: Example, items: Sequence[Item], outputs: Sequence[Tensor], wanted: Wanted) -> Aim:
        """The cosine; the words of one sentence are left out while the other is read as it is.

        Of two sentences without words the vectors would be equal, and their cosine 1.
        """
        require_no_word(wanted)
        require_no_target(wanted, "a cosine")
        return Aim(0, "the cosine", "of the cosine", _cosine, _said, wanted, sides=((0,), (1,)))

    def changed(self, before: float, after: float) -> Wanted:
        """There is only the one number."""
        return Wanted()

    def words(self, example: Example, item: int) -> ReadWords:
        """Of both sentences."""
        (pair,) = of_type(SimilarPair, [example])
        rows = self._reader.places_of_pairs([(pair.first, None), (pair.second, None)], max_length=self._max_length)
        second = [None if piece is None else PlacedPiece(1, piece.place) for piece in rows[1]]
        return words_read([pair.first, pair.second], [rows[0], second])


def _cosine(outputs: Tensor) -> Tensor:
    return F.cosine_similarity(outputs[:, 0], outputs[:, 1], dim=-1)


def _said(prediction: float) -> str:
    return f"{prediction:.2f}"
