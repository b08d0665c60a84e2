"""A question, and its answer as a piece of a context that may be longer than the backbone reads at once."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from adaptkit.backbones import TextReader, Window
from adaptkit.config import DEFAULT_ANSWER_TOKENS
from adaptkit.data.read_words import ReadWords, words_read
from adaptkit.data.tasks import Example
from adaptkit.data.tasks.answer_spans import located
from adaptkit.errors import ConfigError
from adaptkit.heads.batch import Batch
from adaptkit.heads.explained import LOG_ODDS, Aim, Wanted, log_odds, require_no_word
from adaptkit.heads.typed import of_type
from adaptkit.layers.heads import TokenHead
from adaptkit.task_types import HeadConfig, Item, PredictedAnswer, Question, Span, as_ids
from adaptkit.task_types.question_answering import NO_ANSWER

_CANDIDATES = 20


class QuestionAnswering:
    """Every token may start or end the answer (Devlin et al. 2019, arXiv:1810.04805).

    A long context is read in windows that overlap by `stride` tokens, or by those of the longest answer where the head
    gives longer ones than usual. In training, a window without the answer is
    trained to say so, but only where another one has it: the windows of an answered question none of which holds a
    whole answer have no target.
    """

    def __init__(self, reader: TextReader, head: HeadConfig, *, max_length: int, stride: int = 64) -> None:
        self._reader = reader
        self._head = head
        self._max_length = max_length
        self._stride = stride

    @staticmethod
    def module(head: HeadConfig, hidden_width: int) -> TokenHead:
        """A fresh head."""
        return TokenHead(hidden_width=hidden_width, n_outputs=2, dropout=head.dropout)

    def items(self, examples: Sequence[Example]) -> list[Item]:
        """One item for each window of each context."""
        questions = of_type(Question, examples)
        windows = self._windows(questions)
        answers = [located(question.context, question.answers) for question in questions]
        targets = [_target(window, answers[window.text]) for window in windows]
        placed = {window.text for window, target in zip(windows, targets, strict=True) if target != NO_ANSWER}
        lost = {number for number, question in enumerate(questions) if question.answers and number not in placed}
        return [
            Item(
                window.text,
                (as_ids(window.ids),),
                () if window.text in lost else target,
                as_ids(window.places.ravel()),
                questions[window.text].language,
                window.cut,
            )
            for window, target in zip(windows, targets, strict=True)
        ]

    def _windows(self, questions: Sequence[Question]) -> list[Window]:
        return self._reader.tokenize_windows(
            [question.question for question in questions],
            [question.context for question in questions],
            max_length=self._max_length,
            stride=self._stride,
            whole=longest if (longest := self._head.max_answer_tokens) > DEFAULT_ANSWER_TOKENS else 0,
        )

    def labels(self, items: Sequence[Item], seq: int) -> Tensor:
        """Start and end token. Shape: (len(items), 2)."""
        return torch.tensor([[int(place) for place in item.target] for item in items])

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """The mean cross-entropy of start and end among the real tokens. Shape: outputs (batch, seq, 2)."""
        logits = outputs.masked_fill(~batch.mask.bool().unsqueeze(-1), float("-inf"))
        labels = batch.require_labels()
        return (F.cross_entropy(logits[..., 0], labels[:, 0]) + F.cross_entropy(logits[..., 1], labels[:, 1])) / 2

    def predictions(
        self, examples: Sequence[Example], items: Sequence[Item], outputs: Sequence[Tensor]
    ) -> list[PredictedAnswer]:
        """The answers. Shape: outputs, for each item (1, seq, 2)."""
        of_example: dict[int, list[tuple[Item, Tensor]]] = defaultdict(list)
        for item, output in zip(items, outputs, strict=True):
            of_example[item.example].append((item, output[0]))
        questions = of_type(Question, examples)
        return [self._answer(question, of_example[number]) for number, question in enumerate(questions)]

    def _answer(self, question: Question, windows: list[tuple[Item, Tensor]]) -> PredictedAnswer:
        spans = [
            span
            for item, logits in windows
            for span in _spans(question.context, item, logits, longest=self._head.max_answer_tokens)
        ]
        best = sorted({span.start: span for span in sorted(spans)}.values(), reverse=True)[:_CANDIDATES]
        nothing = min(float(logits[0].sum()) for _, logits in windows)
        answered = bool(best) and not (self._head.allows_no_answer and nothing > best[0].score)
        return PredictedAnswer(best[0].text if answered else "", tuple(best), nothing)

    def aim(self, example: Example, items: Sequence[Item], outputs: Sequence[Tensor], wanted: Wanted) -> Aim:
        """The log odds of the first token of an answer and of its last one, together.

        A target is another piece of the context. Where the head says that there is no answer, or the target is empty,
        it is that of its saying so.
        """
        require_no_word(wanted)
        (question,) = of_type(Question, [example])
        answer = self._answer(question, list(zip(items, (output[0] for output in outputs), strict=True)))
        text = answer.text if wanted.target is None else str(wanted.target)
        if text:
            start = answer.n_best[0].start if text == answer.text else None
            item, (first, last) = self._place_of(question, text, start, outputs)
        else:
            item, (first, last) = min(range(len(items)), key=lambda n: float(outputs[n][0, 0].sum())), NO_ANSWER
        return Aim(
            item,
            text or "no answer",
            LOG_ODDS,
            lambda out: log_odds(out[:, 0, :, 0], first) + log_odds(out[:, 0, :, 1], last),
            lambda prediction: prediction.text or "no answer",
            Wanted(text),
        )

    def changed(self, before: PredictedAnswer, after: PredictedAnswer) -> Wanted:
        """The new answer."""
        return Wanted(after.text)

    def words(self, example: Example, item: int) -> ReadWords:
        """Of the question, and of that window of the context."""
        (question,) = of_type(Question, [example])
        window = self._windows([question])[item]
        return words_read([question.question, question.context], [self._reader.places_of_window(window)])

    def _place_of(
        self, question: Question, text: str, start: int | None, outputs: Sequence[Tensor]
    ) -> tuple[int, tuple[int, int]]:
        """The window that holds all of an answer and is surest of it, and the answer's first and last token there."""
        begins = question.context.find(text) if start is None else start
        found = [_tokens_of(window, text, begins) if begins >= 0 else None for window in self._windows([question])]
        holding = [(number, tokens) for number, tokens in enumerate(found) if tokens is not None]
        if not holding:
            raise ConfigError(
                f"target is {text!r:.60}, which is not in the context, or in no window of {self._max_length} "
                "tokens; give a piece of the context as it is written there, or '' for no answer."
            )
        return max(holding, key=lambda each: _score_of(outputs[each[0]][0], *each[1]))


def _score_of(logits: Tensor, first: int, last: int) -> float:
    return float(logits[first, 0] + logits[last, 1])


def _target(window: Window, answers: Sequence[tuple[str, int]]) -> tuple[int, int]:
    found = (_tokens_of(window, text, start) for text, start in answers)
    return next((tokens for tokens in found if tokens is not None), NO_ANSWER)


def _tokens_of(window: Window, text: str, start: int) -> tuple[int, int] | None:
    """The first and last token that an answer overlaps, if the window holds all of it."""
    # Spaces at the edges belong to no token, or to one that is not meant.
    start += len(text) - len(text.lstrip())
    end = start + len(text.strip())
    if not window.reach[0] <= start <= end <= window.reach[1]:
        return None
    places = window.places
    overlapping = np.flatnonzero((places[:, 0] < end) & (places[:, 1] > start) & (places[:, 0] >= 0))
    return (int(overlapping[0]), int(overlapping[-1])) if len(overlapping) else None


def _spans(context: str, item: Item, logits: Tensor, *, longest: int) -> list[Span]:
    """The spans of one window, `longest` tokens at most, that its best starts and ends make. Shape: logits (seq, 2)."""
    assert item.places is not None  # noqa: S101 - this format's own items
    places = item.places.reshape(-1, 2)
    inside = torch.from_numpy(np.flatnonzero(places[:, 0] >= 0))
    if not len(inside):
        return []
    n_best = min(_CANDIDATES, len(inside))
    starts, ends = (inside[logits[inside, side].topk(n_best).indices] for side in (0, 1))
    scores = logits[starts, 0].unsqueeze(1) + logits[ends, 1]
    lengths = ends - starts.unsqueeze(1)
    spans = []
    for i, j in torch.nonzero((lengths >= 0) & (lengths < longest)).tolist():
        begin, end = int(places[starts[i], 0]), int(places[ends[j], 1])
        # Some tokenizers count the space before a word to its first token.
        begin += len(context[begin:end]) - len(context[begin:end].lstrip())
        if text := context[begin:end].rstrip():
            spans.append(Span(float(scores[i, j]), text, begin))
    return spans
