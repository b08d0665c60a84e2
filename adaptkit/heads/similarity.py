"""Two sentences and how close they are in meaning."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from adaptkit.backbones import TextReader
from adaptkit.data.tasks import Example
from adaptkit.heads.batch import Batch
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
