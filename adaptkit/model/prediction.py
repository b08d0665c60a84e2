"""Answers to inputs that may each have a stack, a head and a task type of their own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

import torch
from torch import Tensor

from adaptkit.attaching import RowPlan
from adaptkit.backbones import TextReader
from adaptkit.backbones.out_of_memory import memory_errors_told
from adaptkit.data.batching import chunks
from adaptkit.data.tasks import Example
from adaptkit.heads import TaskFormat, format_of
from adaptkit.labelled import examples_of, texts_of, without_label
from adaptkit.layers import Head
from adaptkit.methods import by_reading
from adaptkit.model.notices import Notices
from adaptkit.model.passes import Passes
from adaptkit.model.stacks import ResolvedStack
from adaptkit.task_types import HeadConfig, Item, require_bounded
from adaptkit.terminal.amounts import row_of


@dataclass(frozen=True)
class Row:
    """An input under one stack, with the head on top; `number` is its own among all, which several rows may have."""

    number: int
    given: Any
    stack: ResolvedStack
    head: Head
    config: HeadConfig


@dataclass(frozen=True)
class _Asked:
    """The rows of one head, by their places among all rows; a long input may be several items."""

    places: list[int]
    task_format: TaskFormat
    examples: Sequence[Example]
    items: Sequence[Item]

    @classmethod
    def of(
        cls, reader: TextReader, config: HeadConfig, places: list[int], rows: Sequence[Row], max_length: int | None
    ) -> "_Asked":
        """Examples and items of those rows that have this head, and are read so."""
        task_format = format_of(reader, config, max_length=max_length)
        own = [rows[place] for place in places]
        examples = examples_of(
            config.task_type, [row.given for row in own], [row_of(row.number, "inputs") for row in own]
        )
        return cls(places, task_format, examples, task_format.items([without_label(example) for example in examples]))

    def answers(self, outputs: Sequence[Tensor]) -> Iterator[tuple[int, Any]]:
        return zip(self.places, self.task_format.predictions(self.examples, self.items, outputs), strict=True)


def predictions(
    passes: Passes,
    rows: Sequence[Row],
    notices: Notices,
    *,
    batch_size: int,
    max_length: int | None,
    max_answer_tokens: int | None = None,
) -> list[Any]:
    """The answer to each row by its head under its stack; rows of several heads share batches.

    Raises:
        ConfigError: An input of another form than its task type takes, or a bound on answers without a head for them.
        OutOfMemory: The memory does not hold a batch.
    """
    configs = {id(row.config): row.config for row in rows}
    bounded = _bounded(list(configs.values()), max_answer_tokens)
    asked = [
        _Asked.of(passes.backbone.reader(reading), own, places, rows, max_length)
        for config, own in zip(configs.values(), bounded, strict=True)
        for reading, places in by_reading(
            (place, row.stack.reading) for place, row in enumerate(rows) if row.config is config
        ).items()
    ]
    _tell_of_losses(notices, asked, rows, passes.backbone.max_length if max_length is None else None)
    items = [item for part in asked for item in part.items]
    rows_of_items = [rows[part.places[item.example]] for part in asked for item in part.items]
    outputs = iter(
        _outputs(
            passes,
            items,
            [row.head for row in rows_of_items],
            [row.stack.plan for row in rows_of_items],
            batch_size,
        )
    )
    answers = dict(chain.from_iterable(part.answers(list(islice(outputs, len(part.items)))) for part in asked))
    return [answers[place] for place in range(len(rows))]


def _tell_of_losses(notices: Notices, asked: Sequence[_Asked], rows: Sequence[Row], limit: int | None) -> None:
    """Warn of texts in another form, and of those longer than the limit; None where the caller named a length."""
    for part in asked:
        own = [rows[place] for place in part.places]
        notices.of_forms([list(texts_of(example)) for example in part.examples], [row.stack for row in own])
        if limit is not None:
            cut = {own[item.example].number for item in part.items if item.cut}
            notices.of_cuts(len(cut), len({row.number for row in own}), limit=limit)


def _bounded(heads: Sequence[HeadConfig], max_answer_tokens: int | None) -> list[HeadConfig]:
    """The heads, those of questions with another bound on answers if one was asked for."""
    if max_answer_tokens is None:
        return list(heads)
    if heads and not any(head.row.bounds_answers for head in heads):
        require_bounded(heads[0].row)
    return [replace(head, max_answer_tokens=max_answer_tokens) if head.row.bounds_answers else head for head in heads]


def _outputs(
    passes: Passes,
    items: Sequence[Item],
    heads: Sequence[Head],
    plans: Sequence[RowPlan],
    batch_size: int,
) -> list[Tensor]:
    """Each item's outputs of its head under its stack, on the CPU. Shape: for each item (rows of the item, ...)."""
    outputs: list[Tensor] = [torch.empty(0)] * len(items)
    by_length = sorted(range(len(items)), key=lambda number: items[number].length)
    ways = f"Give a smaller batch_size (it is {batch_size})."
    with torch.inference_mode(), memory_errors_told("this batch", passes.backbone.device, ways):
        for numbers in chunks(by_length, batch_size):
            rows = [(number, row) for number in numbers for row in items[number].rows]
            ids, mask = passes.backbone.pad([row for _, row in rows])
            states = passes.states_of_rows(
                ids, mask, [plans[number] for number, _ in rows], texts=[row.tobytes() for _, row in rows]
            )
            for head in dict.fromkeys(heads[number] for number in numbers):
                own = [number for number in numbers if heads[number] is head]
                places = [place for place, (number, _) in enumerate(rows) if heads[number] is head]
                found = head(states[places], mask[places]).cpu().split([len(items[n].rows) for n in own])
                for number, output in zip(own, found, strict=True):
                    outputs[number] = output
    return outputs
