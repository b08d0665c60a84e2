"""Explanations of answers: which words of an input decided, and what each adapter of the stack did."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from adaptkit.backbones.out_of_memory import memory_errors_told
from adaptkit.data.read_words import ReadWords
from adaptkit.data.tasks import Example
from adaptkit.errors import ConfigError
from adaptkit.explanations import ExplainedWord, Explanation, LeftOut
from adaptkit.explanations.explanation import ROUNDING, share_of_gap
from adaptkit.heads import format_of
from adaptkit.heads.explained import Aim, Wanted, explained_format
from adaptkit.labelled import examples_of, texts_of, without_label
from adaptkit.layers import Head
from adaptkit.model.integrated import integral
from adaptkit.model.notices import Notices
from adaptkit.model.passes import Passes
from adaptkit.model.stacks import ResolvedStack
from adaptkit.requests import Explaining
from adaptkit.task_types import HeadConfig, Item
from adaptkit.terminal.amounts import row_of


@dataclass(frozen=True)
class _Seen:
    """What a stack makes of one example. Shape: vectors (n_words, hidden_width), the mean of each word's pieces."""

    item: Item
    aim: Aim
    words: ReadWords
    answer: Any
    score: float
    vectors: Tensor
    cut: bool


@dataclass(frozen=True)
class _Added:
    """What each word adds, the difference that all of them should add up to, and in how many steps it was found."""

    words: tuple[float, ...]
    difference: float
    steps: int

    @property
    def gap(self) -> float:
        return abs(sum(self.words) - self.difference)

    @property
    def share(self) -> float:
        """The gap as `Explanation.relative_gap`; what is rounding is none."""
        is_rounding = self.gap <= ROUNDING * max(1.0, abs(self.difference))
        return 0.0 if is_rounding else share_of_gap(self.gap, self.difference, self.words)


def explanations(
    passes: Passes,
    inputs: Sequence[Any],
    stacks: Sequence[ResolvedStack],
    heads: Sequence[tuple[Head, HeadConfig]],
    notices: Notices,
    how: Explaining,
    wanted: Sequence[Wanted],
) -> list[Explanation]:
    """Why each input has its answer under its stack.

    Raises:
        ConfigError: An input, target or word of another form than its task type has, or a head whose answers cannot be
            explained.
        OutOfMemory: The memory does not hold a batch.
    """
    given = [
        example
        for number, (one, (_, config)) in enumerate(zip(inputs, heads, strict=True))
        for example in examples_of(config.task_type, [one], [row_of(number, "inputs")])
    ]
    notices.of_forms([list(texts_of(example)) for example in given], stacks)
    ways = f"Give a smaller batch_size (it is {how.batch_size})."
    with memory_errors_told("this batch", passes.backbone.device, ways):
        found = [
            _Explainer(passes, *head, notices, how).explained(without_label(example), stack, asked)
            for example, stack, head, asked in zip(given, stacks, heads, wanted, strict=True)
        ]
    notices.of_cuts(sum(each.cut for each in found), len(found), limit=passes.backbone.max_length)
    return found


def wanted_of(n_inputs: int, target: object, word: object) -> list[Wanted]:
    """What is explained of each input: the same of all, or a list with one for each.

    Raises:
        ConfigError: A list that has not as many entries as there are inputs.
    """
    targets, words = (_each(name, given, n_inputs) for name, given in (("target", target), ("word", word)))
    return [Wanted(*pair) for pair in zip(targets, words, strict=True)]


def _each(name: str, given: Any, n_inputs: int) -> list[Any]:  # noqa: ANN401
    if not isinstance(given, list):
        return [given] * n_inputs
    if len(given) != n_inputs:
        raise ConfigError(f"{name} is a list of {len(given)} for {n_inputs} inputs; give one for each, or one for all.")
    return given


class _Explainer:
    """Explains what one head answers."""

    def __init__(self, passes: Passes, head: Head, config: HeadConfig, notices: Notices, how: Explaining) -> None:
        self._passes, self._backbone = passes, passes.backbone
        self._head, self._config = head, config
        self._notices, self._how = notices, how

    def explained(self, example: Example, stack: ResolvedStack, wanted: Wanted) -> Explanation:
        """Why this is the answer to one example."""
        seen = self._seen(example, stack, wanted)
        added = self._added(seen, stack)
        same_input = self._backbone.shape.same_inputs()
        left_out = {
            name: self._seen(example, left, seen.aim.wanted, like=seen if left.reading == stack.reading else None)
            for name in _acting_below(stack)
            for left in [stack.without(name, same_input)]
        }
        changes = {name: _changes(seen, other) for name, other in left_out.items()}
        return Explanation(
            task_type=self._config.task_type,
            stack=str(stack.stack),
            texts=seen.words.texts,
            answer=seen.answer,
            said=seen.aim.said(seen.answer),
            target=seen.aim.target,
            unit=seen.aim.unit,
            score=seen.score,
            difference=added.difference,
            baseline=self._blank()[1],
            steps=added.steps,
            words=tuple(_words(seen.words, added.words, changes)),
            without={
                name: LeftOut(answer=other.answer, said=seen.aim.said(other.answer), score=other.score)
                for name, other in left_out.items()
            },
            cut=seen.cut,
        )

    def _seen(self, example: Example, stack: ResolvedStack, wanted: Wanted, like: _Seen | None = None) -> _Seen:
        """Answer, score and word vectors, of the same aim as `like`, whose tokens are the same."""
        reader = self._backbone.reader(stack.reading)
        task_format = explained_format(format_of(reader, self._config), self._config.row)
        items = task_format.items([example])
        with torch.inference_mode():
            found = [self._run(item, stack) for item in items]
        outputs = [output for _, output in found]
        aim = task_format.aim(example, items, outputs, wanted) if like is None else like.aim
        words = task_format.words(example, aim.item) if like is None else like.words
        return _Seen(
            item=items[aim.item],
            aim=aim,
            words=words,
            answer=task_format.predictions([example], items, outputs)[0],
            score=float(aim.score(outputs[aim.item].unsqueeze(0))),
            vectors=_word_vectors(found[aim.item][0], words),
            cut=any(item.cut for item in items),
        )

    def _run(self, item: Item, stack: ResolvedStack) -> tuple[Tensor, Tensor]:
        """States and outputs of an item's rows by themselves, so that no other item's length pads them; on the CPU."""
        ids, mask = self._backbone.pad(item.rows)
        states = self._passes.states_of_rows(ids, mask, [stack.plan] * len(item.rows))
        return states.float().cpu(), self._head(states, mask).cpu()

    def _added(self, seen: _Seen, stack: ResolvedStack) -> _Added:
        """What the words add, in as many steps as it takes for them to add up."""
        steps = self._how.steps
        found = self._integrated(seen, stack, steps)
        while found.share > self._how.tolerance and 2 * steps <= self._how.most_steps:
            steps *= 2
            found = self._integrated(seen, stack, steps)
        if found.share > self._how.tolerance:
            self._notices.of_gap(found.share, steps)
        return found

    def _integrated(self, seen: _Seen, stack: ResolvedStack, steps: int) -> _Added:
        ids, mask = self._backbone.pad(seen.item.rows)
        numbers = _numbers(seen.words, ids.shape[1])
        with torch.no_grad():
            vectors = self._passes.word_vectors(ids, stack.plan)
            blank = self._passes.word_vectors(torch.full_like(ids[:1, :1], self._blank()[0]), stack.plan)

        def score(points: Tensor) -> Tensor:
            # In the table's own type; the way itself is too fine for 16 bits.
            rows, masks = points.flatten(0, 1).to(vectors.dtype), mask.repeat(len(points), 1)
            states = self._passes.states_from(rows, ids.repeat(len(points), 1), masks, stack.plan)
            outputs: Tensor = self._head(states, masks)
            return seen.aim.score(outputs.view(len(points), len(ids), *outputs.shape[1:]))

        added, difference = torch.zeros(len(seen.words.words)), 0.0
        for rows in seen.aim.sides or (tuple(range(len(ids))),):
            left_out = torch.zeros_like(numbers, dtype=torch.bool)
            left_out[list(rows)] = numbers[list(rows)] >= 0
            if bool(left_out.any()):
                start = torch.where(left_out.to(ids.device)[..., None], blank, vectors).float()
                at_once = max(1, self._how.batch_size // len(ids))
                way = integral(score, start, vectors.float(), steps=steps, rows_at_once=at_once)
                added.index_add_(0, numbers[left_out], way.additions[left_out])
                difference += way.difference
        return _Added(tuple(added.tolist()), difference, steps)

    def _blank(self) -> tuple[int, str]:
        """The token that stands for a missing word, and how it is written.

        Raises:
            ConfigError: The tokenizer has none.
        """
        tokenizer, asked = self._backbone.tokenizer, self._how.baseline
        for role in (asked,) if asked else ("mask", "pad", "unk", "eos"):
            number: int | None = getattr(tokenizer, f"{role}_token_id")
            if number is not None:
                return number, str(getattr(tokenizer, f"{role}_token"))
        raise ConfigError(
            f"the tokenizer of {self._backbone.name} has no {asked or 'mask'} token to put in place of a missing word; "
            "choose another baseline."
        )


def _acting_below(stack: ResolvedStack) -> Iterator[str]:
    """What acts in a stack by more than a head: by layers, or by a glossary."""
    return (
        name
        for name in stack.acting
        if any(True for _ in stack.layers[name].items()) or stack.layers[name].config.reading.glossary
    )


def _numbers(words: ReadWords, seq: int) -> Tensor:
    """The number of each token's word, -1 where it is of none. Shape: (rows, seq)."""
    rows = [[-1 if number is None else number for number in row] for row in words.of_pieces]
    return torch.tensor([row + [-1] * (seq - len(row)) for row in rows])


def _word_vectors(states: Tensor, words: ReadWords) -> Tensor:
    """Shape: states (rows, seq, hidden_width), result (n_words, hidden_width)."""
    numbers = _numbers(words, states.shape[1])
    is_word = numbers >= 0
    sums = torch.zeros(len(words.words), states.shape[-1]).index_add_(0, numbers[is_word], states[is_word])
    counts = torch.bincount(numbers[is_word], minlength=len(words.words))
    return sums / counts.clamp(min=1)[:, None]


def _changes(seen: _Seen, without: _Seen) -> list[float | None]:
    """How far an adapter moves each word, as a share; None for a word that is not read so without it."""
    theirs = {(word.side, word.start, word.end): number for number, word in enumerate(without.words.words)}
    found: list[float | None] = []
    for ours, word in zip(seen.vectors, seen.words.words, strict=True):
        number = theirs.get((word.side, word.start, word.end))
        found.append(None if number is None else _share_moved(ours, without.vectors[number]))
    return found


def _share_moved(to: Tensor, start: Tensor) -> float:
    return float((to - start).norm() / start.norm().clamp(min=torch.finfo(start.dtype).tiny))


def _words(
    words: ReadWords, added: Sequence[float], changes: Mapping[str, Sequence[float | None]]
) -> Iterator[ExplainedWord]:
    for number, word in enumerate(words.words):
        yield ExplainedWord(
            text=word.text,
            side=word.side,
            start=word.start,
            end=word.end,
            attribution=added[number],
            changes={name: each[number] for name, each in changes.items()},
        )
