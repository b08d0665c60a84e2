"""A prompt and the choices that may go with it."""

from collections.abc import Callable, Sequence
from itertools import islice

import torch
import torch.nn.functional as F
from torch import Tensor

from adaptkit.backbones import TextReader
from adaptkit.data.read_words import PlacedPiece, ReadWords, words_read
from adaptkit.data.tasks import Example
from adaptkit.errors import ConfigError
from adaptkit.heads.batch import Batch
from adaptkit.heads.explained import LOG_ODDS, Aim, Wanted, log_odds, require_no_word, share
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
        return [PredictedChoice.of(share) for share in shares]

    def aim(self, example: Example, items: Sequence[Item], outputs: Sequence[Tensor], wanted: Wanted) -> Aim:
        """The log odds of one choice against the others; a target is its number, or the choice itself."""
        require_no_word(wanted)
        (question,) = of_type(MultipleChoice, [example])
        number = _chosen(question, int(outputs[0][:, 0].argmax()) if wanted.target is None else wanted.target)
        said = question.choices[number]
        return Aim(0, said, LOG_ODDS, lambda out: log_odds(out[..., 0], number), _said(question), Wanted(number))

    def changed(self, before: PredictedChoice, after: PredictedChoice) -> Wanted:
        """The new choice."""
        return Wanted(after.choice)

    def words(self, example: Example, item: int) -> ReadWords:
        """Of the prompt, which every row reads, and of each choice."""
        (question,) = of_type(MultipleChoice, [example])
        pairs = [(question.prompt, choice) for choice in question.choices]
        rows = self._reader.places_of_pairs(pairs, max_length=self._max_length)
        placed = [[_of_choice(piece, number) for piece in row] for number, row in enumerate(rows)]
        return words_read([question.prompt, *question.choices], placed)


def _of_choice(piece: PlacedPiece | None, number: int) -> PlacedPiece | None:
    return piece if piece is None or piece.side == 0 else PlacedPiece(1 + number, piece.place)


def _chosen(question: MultipleChoice, target: str | int) -> int:
    if target in question.choices:
        return question.choices.index(str(target))
    if isinstance(target, int) and 0 <= target < len(question.choices):
        return target
    numbered = ", ".join(f"{number}: {choice}" for number, choice in enumerate(question.choices))
    raise ConfigError(f"target is {target!r:.60}; give a choice, or its number ({numbered:.200}).")


def _said(question: MultipleChoice) -> Callable[[PredictedChoice], str]:
    return lambda found: f"{question.choices[found.choice]} ({share(found.probabilities[found.choice])})"
