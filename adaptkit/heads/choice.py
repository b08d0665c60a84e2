"""A prompt and the choices that may go with it."""

from collections.abc import Sequence
from itertools import islice

import torch
import torch.nn.functional as F
from torch import Tensor

from adaptkit.backbones import TextReader
from adaptkit.data.tasks import Example
from adaptkit.heads.batch import Batch
from adaptkit.heads.typed import of_type
from adaptkit.layers.heads import SentenceHead
from adaptkit.task_types import HeadConfig, Item, MultipleChoice, PredictedChoice, as_ids


class Choice:
    """One row for each choice, with the prompt before it; the rows' scores compete."""

    def __init__(self, reader: TextReader, head: HeadConfig, *, max_length: int) -> None:
        self._reader = reader
        self._max_length = max_length

    @staticmethod
    def module(head: HeadConfig, hidden_width: int) -> SentenceHead:
        """A fresh head."""
        return SentenceHead(hidden_width=hidden_width, n_outputs=1, dropout=head.dropout)

    def items(self, examples: Sequence[Example]) -> list[Item]:
        """As many rows as there are choices."""
        questions = of_type(MultipleChoice, examples)
        pairs = [(question.prompt, choice) for question in questions for choice in question.choices]
        rows = iter(self._reader.tokenize_cutting(pairs, max_length=self._max_length))
        items = []
        for number, question in enumerate(questions):
            own = list(islice(rows, len(question.choices)))
            ids, cut = tuple(as_ids(row) for row, _ in own), any(cut for _, cut in own)
            items.append(Item(number, ids, (question.answer,), language=question.language, cut=cut))
        return items

    def labels(self, items: Sequence[Item], seq: int) -> Tensor:
        """Shape: (len(items))."""
        return torch.tensor([int(item.target[0]) for item in items])

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy among the choices of each question. Shape: outputs (rows, 1)."""
        questions = torch.split(outputs[:, 0], list(batch.groups))
        right = batch.require_labels()
        losses = [F.cross_entropy(scores, right[number]) for number, scores in enumerate(questions)]
        return torch.stack(losses).mean()

    def predictions(
        self, examples: Sequence[Example], items: Sequence[Item], outputs: Sequence[Tensor]
    ) -> list[PredictedChoice]:
        """The choices. Shape: outputs, for each item (n_choices, 1)."""
        shares = [torch.softmax(output[:, 0], dim=0).tolist() for output in outputs]
        return [PredictedChoice(max(range(len(s)), key=s.__getitem__), tuple(s)) for s in shares]
