"""Answers to inputs that may each have a stack, a head and a task type of their own."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from adaptkit.backbones import Backbone
from adaptkit.backbones.out_of_memory import memory_errors_told
from adaptkit.config import HeadConfig
from adaptkit.data.batching import chunks
from adaptkit.data.letters import NormalForm
from adaptkit.data.tasks import Example
from adaptkit.data.tasks.spelling import texts_of
from adaptkit.errors import ConfigError
from adaptkit.heads import Item, TaskFormat, examples_of, format_of, without_label
from adaptkit.layers import Head

StackT = TypeVar("StackT", contravariant=True)


class AnsweringModel(Protocol[StackT]):
    """What is asked of a model here."""

    backbone: Backbone

    def head_of(self, stack: StackT) -> tuple[Head, HeadConfig]:
        """The head on top of a stack."""
        ...

    def forms_of(self, stack: StackT) -> Mapping[str, NormalForm]:
        """The adapters of a stack that were trained on text in a normal form."""
        ...

    def tell(self, about: str, message: str) -> None:
        """Log a warning, one about each thing."""
        ...

    def __call__(self, input_ids: Tensor, attention_mask: Tensor, *, stacks: Sequence[StackT]) -> Tensor:
        """Hidden states, each row under its stack."""
        ...


@dataclass(frozen=True)
class _Asked:
    """The inputs of one head, with their places among all inputs; a long one may be several items."""

    places: list[int]
    task_format: TaskFormat
    examples: Sequence[Example]
    items: Sequence[Item]

    @classmethod
    def of(
        cls, backbone: Backbone, config: HeadConfig, places: list[int], inputs: Sequence[Any], max_length: int | None
    ) -> "_Asked":
        """Examples and items of those inputs that have this head."""
        task_format = format_of(backbone, config, max_length=max_length)
        examples = examples_of(config.task_type, [inputs[place] for place in places])
        return cls(places, task_format, examples, task_format.items([without_label(example) for example in examples]))

    def answers(self, outputs: Sequence[Tensor]) -> Iterator[tuple[int, Any]]:
        return zip(self.places, self.task_format.predictions(self.examples, self.items, outputs), strict=True)


def predictions(
    model: AnsweringModel[StackT],
    inputs: Sequence[Any],
    stacks: Sequence[StackT],
    *,
    batch_size: int,
    max_length: int | None,
    max_answer_tokens: int | None = None,
) -> list[Any]:
    """The answer to each input under its stack; inputs of several heads share batches.

    Raises:
        NoHead: A stack ends in no task adapter.
        ConfigError: An input of another form than its task type takes, or a bound on answers without a head for them.
    """
    heads = [model.head_of(stack) for stack in stacks]
    configs = {id(config): config for _, config in heads}
    bounded = _bounded(list(configs.values()), max_answer_tokens)
    asked = [
        _Asked.of(model.backbone, own, [n for n, (_, c) in enumerate(heads) if c is config], inputs, max_length)
        for config, own in zip(configs.values(), bounded, strict=True)
    ]
    _tell_of_losses(model, asked, stacks, max_length)
    items = [item for part in asked for item in part.items]
    inputs_of_items = [part.places[item.example] for part in asked for item in part.items]
    outputs = iter(
        _outputs(
            model,
            items,
            [heads[number][0] for number in inputs_of_items],
            [stacks[number] for number in inputs_of_items],
            batch_size,
        )
    )
    answers = dict(chain.from_iterable(part.answers(list(islice(outputs, len(part.items)))) for part in asked))
    return [answers[number] for number in range(len(inputs))]


def tell_of_forms(model: AnsweringModel[StackT], texts: Sequence[Iterable[str]], stacks: Sequence[StackT]) -> None:
    """Warn of texts in another normal form than that of the text on which adapters of their stack were trained."""
    forms = {name: model.forms_of(stack) for name, stack in {id(stack): stack for stack in stacks}.items()}
    if not any(forms.values()):
        return
    for own, stack in zip(texts, stacks, strict=True):
        for name, form in forms[id(stack)].items():
            if not all(unicodedata.is_normalized(form, text) for text in own):
                model.tell(
                    f"{name} in {form}",
                    f"{name} was trained on text in {form} (normalize={form!r}). Some texts here are in another form, "
                    f"which it may read as other text. Normalise them: unicodedata.normalize({form!r}, text).",
                )


def _tell_of_losses(
    model: AnsweringModel[StackT], asked: Sequence[_Asked], stacks: Sequence[StackT], max_length: int | None
) -> None:
    for part in asked:
        tell_of_forms(
            model,
            [list(texts_of(example)) for example in part.examples],
            [stacks[place] for place in part.places],
        )
        if max_length is None:
            n_cut = len({item.example for item in part.items if item.cut})
            tell_of_cuts(model, n_cut, len(part.examples), limit=model.backbone.max_length)


def tell_of_cuts(model: AnsweringModel[StackT], n_cut: int, n_texts: int, *, limit: int) -> None:
    """Warn of texts that are longer than the `limit` in tokens; where a caller names a length, it is meant."""
    if n_cut:
        model.tell(
            "cut texts",
            f"{n_cut:,} of {n_texts:,} inputs are too long for {limit} tokens and were cut. Of "
            "later ones this is not said again.",
        )


def _bounded(heads: Sequence[HeadConfig], max_answer_tokens: int | None) -> list[HeadConfig]:
    """The heads, those of questions with another bound on answers if one was asked for."""
    if max_answer_tokens is None:
        return list(heads)
    if heads and not any(head.task_type == "qa" for head in heads):
        raise ConfigError(f"max_answer_tokens is for qa, and this is a head of {heads[0].task_type}; leave it out.")
    return [replace(head, max_answer_tokens=max_answer_tokens) if head.task_type == "qa" else head for head in heads]


def _outputs(
    model: AnsweringModel[StackT],
    items: Sequence[Item],
    heads: Sequence[Head],
    stacks: Sequence[StackT],
    batch_size: int,
) -> list[Tensor]:
    """Each item's outputs of its head under its stack, on the CPU. Shape: for each item (rows of the item, ...)."""
    outputs: list[Tensor] = [torch.empty(0)] * len(items)
    by_length = sorted(range(len(items)), key=lambda number: items[number].length)
    ways = f"Give a smaller batch_size (it is {batch_size})."
    with torch.inference_mode(), memory_errors_told("this batch", model.backbone.device, ways):
        for numbers in chunks(by_length, batch_size):
            rows = [(number, row) for number in numbers for row in items[number].rows]
            ids, mask = model.backbone.pad([row for _, row in rows])
            states = model(ids, mask, stacks=[stacks[number] for number, _ in rows])
            for head in dict.fromkeys(heads[number] for number in numbers):
                own = [number for number in numbers if heads[number] is head]
                places = [place for place, (number, _) in enumerate(rows) if heads[number] is head]
                found = head(states[places], mask[places]).cpu().split([len(items[n].rows) for n in own])
                for number, output in zip(own, found, strict=True):
                    outputs[number] = output
    return outputs
