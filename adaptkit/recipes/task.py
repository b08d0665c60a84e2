"""Train a task adapter: read the examples, put a head on top, train both on frozen adapters or on nothing."""

import hashlib
import logging
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.backbones import TextReader
from adaptkit.composition import AdapterId
from adaptkit.data.forms import Forms, forms_of
from adaptkit.data.sources import is_data_set
from adaptkit.data.spread import spread
from adaptkit.data.tasks import Example, TaskData
from adaptkit.errors import ConfigError, EmptyCorpus
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import HeldoutScore
from adaptkit.heads import HeadObjective, format_of
from adaptkit.labelled import (
    are_examples,
    copies_of,
    is_columns,
    is_tuples,
    normalized_data,
    read_translations,
    texts_of,
)
from adaptkit.languages import canonical_tag
from adaptkit.layers.heads import Head
from adaptkit.methods import Reading, by_reading
from adaptkit.recipes.batch_stacks import BatchStacks
from adaptkit.recipes.estimate import Estimate, machine_notes, measure
from adaptkit.recipes.fitting import Fitting
from adaptkit.recipes.foundation import foundation_of
from adaptkit.recipes.head_start import regression_of, start_told
from adaptkit.recipes.heldout_scores import MOST_EXAMPLES, HeldoutExamples
from adaptkit.recipes.kept_answers import KeptAnswers, KeptExample
from adaptkit.recipes.measured_on import held_out_together, measured_on, trained_on_too
from adaptkit.recipes.place import model_of
from adaptkit.recipes.settings import settings_of
from adaptkit.regularisers import Weighed
from adaptkit.requests import TaskRequest
from adaptkit.storage import Adapter
from adaptkit.task_types import TASK_TYPES, HeadConfig, Item, head_for
from adaptkit.task_types.class_weights import weighing_of
from adaptkit.terminal.amounts import bytes_text
from adaptkit.terminal.asking import as_typed
from adaptkit.terminal.console import notes_are_hidden
from adaptkit.training import WARMUP_SHARE, CheckpointFolder, Display, TaskItems, TrainingRun, TrainingSettings
from adaptkit.training.few_examples import more_examples
from adaptkit.training.kept_states import KeptStates, ReadOnce, StatesSize
from adaptkit.training.randomness import forked
from adaptkit.training.regularisers import Regularising, TaskMaterial, regularising_of

_EPOCHS = 3
_MAX_STEPS = 3000
_log = logging.getLogger(__name__)


class TaskTraining:
    """A request with everything in place to train it: examples read, head and fresh adapter attached.

    Raises:
        AdaptkitError: Whatever is wrong with request, data or backbone; before anything is trained or written.
    """

    def __init__(self, request: TaskRequest, display: Display) -> None:
        self.request = request
        self.id = AdapterId("task", request.task)
        self._display = display
        self.foundation = foundation_of(request.on)
        self.data = normalized_data(read_examples(request), request.normalize)
        self._dev = [] if request.dev is None else dev_examples(request, self.data)
        self.model = model_of(request.backbone)
        self.foundation.require_for(self.id, self.model)
        if request.on_dropout:
            self.foundation.require_plain_reading(f"{as_typed(on_dropout=request.on_dropout)} leaves adapters out")
        self._max_length = min(request.run.max_length, self.model.backbone.max_length)
        self.head, made = self._head_and_items(replace(head_for(self.data), text_prefix=self._prefix()))
        self.losses = self.head.row.lost(self.head, self.data.examples, made, max_length=self._max_length, scored=False)
        self._format = format_of(self.model.backbone, self.head, max_length=self._max_length)
        dev = self._dev_items()
        self.items = TaskItems(
            _with_targets(made, self.losses) + dev,
            self._format,
            request.run.seed,
            sampling_alpha=request.drawing_alpha,
            has_labels=bool(self.head.labels),
            constant_loss_of=self.head.row.constant_loss,
            weighing=weighing_of(request.class_weights, self.head),
            dev=frozenset(item.example for item in dev),
            copy_of={} if dev else copies_of(self.data.examples),
        )
        self.settings = self._settings()
        config = request.adapter_config(self.model.backbone.shape, self.head, self.foundation.adapters)
        self._regularising = self._regularised(config)
        self._fitting = Fitting(
            request.run,
            request.output,
            self.model,
            self.foundation,
            self.id,
            config,
            asked=request.record(),
            content=self._content(),
            make_run=self._training_run,
        )

    def estimate(self) -> Estimate:
        """Measure a few batches and say what the whole run will cost. Trains nothing."""
        return measure(
            self._fitting,
            self.items,
            settings=self.settings,
            objective=self.data.task_type,
            n_sentences=len(self.data.examples),
            answered=self._measured,
            problems=self.data.warnings,
        )

    def describe(self, estimate: Estimate) -> list[str]:
        """The plan of the run in a few lines."""
        found = sorted(language or "unnamed" for language in self._languages())
        without = self.foundation.languages_without(self._languages())
        return [
            f"cost: {estimate.cost(self.request.run.batch_size)}",
            *estimate.evaluations(self.settings),
            f"{self.id} ({self.request.method_row.name} with a {self.head.task_type} head, "
            f"{bytes_text(estimate.adapter_bytes)}) on {self.model.backbone.name}",
            f"data: {self.data.description}, {estimate.n_sentences:,} examples{self.head.row.form(self.head)}, "
            f"languages: {', '.join(found)}",
            *(f"data: {count:,} left out: {reason}" for reason, count in self.data.dropped.items()),
            *(f"data: {note}" for note in self.data.notes),
            *(f"data: {told}" for told in held_out_together(len(self.items.copy_of))),
            *(f"data: {told}" for told in measured_on(len(self._dev), len(self.items.dev), self._dev_losses)),
            *(f"data: {loss}{self._remedy()}" for loss in self.losses),
            *(f"data: {problem}" for problem in [self._forms().problem()] if problem),
            *([f"labels: {', '.join(self.head.labels)}"] if self.head.labels else []),
            *self._read_behind(),
            *self._class_weights(),
            *self.head.row.plan(self.head, self.items.items),
            *(each.told for each in self._regularising),
            f"{self.foundation}{self._left_out()}",
            *self.foundation.in_other_forms(self.request.normalize),
            *([f"note: no language adapter is given for {', '.join(without)}"] if without else []),
            *(f"note: {doubt}" for doubt in self._doubts()),
            *self._of_the_head(),
            *(
                [f"the run ends early where there is {flat}"]
                if (flat := self.settings.flat) and estimate.n_steps
                else []
            ),
            *machine_notes(self.model.backbone, self.request.run.precision, estimate),
            *(f"warning: {problem}" for problem in self.data.warnings),
        ]

    def train(self) -> Adapter:
        """Train, save where an output folder was given, and return the adapter."""
        for doubt in () if self._shows_notes else [*self._doubts(), *self.data.warnings]:
            self._warn(doubt)
        return self._fitting.train(
            self._display,
            kind=self.request.kind,
            languages=self._languages(),
            objective=self.data.task_type,
            source=self._source(),
            text_kind="corpus",
            licence=self.request.output.licence,
            n_lines=len(self.data.examples),
            n_tokens=sum(item.n_tokens for item in self.items.items if item.example not in self.items.dev),
            text_sha256=self.items.sha256,
            losses=self.losses,
            once_trained=self._score,
        )

    def _score(self) -> list[HeldoutScore]:
        """Say what the head is worth on what was held out; for the card, where something was."""
        if self._measured is None:
            return []
        found = self._measured.scored()
        self._display.note(found.told)
        self._warn(found.one_answer)
        if not self.items.holds_out:
            return []
        return [
            HeldoutScore(metric=name, score=score, n_examples=found.n_examples) for name, score in found.scores.items()
        ]

    def _measured_under(self, top: str, head: Head, read_once: ReadOnce | None) -> HeldoutExamples | None:
        """What is scored while the adapter of this id trains; writing would take longer than the training."""
        if self.head.row.writes:
            return None
        numbers = sorted({self.items.items[row].example for row in self.items.heldout})
        everything = [*self.data.examples, *self._dev]
        chosen = [numbers[place] for place in spread(len(numbers), MOST_EXAMPLES)]
        heldout = [everything[number] for number in chosen]
        return HeldoutExamples(
            self.model,
            self.head,
            heldout,
            [self.foundation.stack_under(top, example.language) for example in heldout],
            batch_size=self.request.run.batch_size,
            what="held-out examples" if self.items.holds_out else "examples themselves",
            kept=None if read_once is None else self._kept_answers(chosen, heldout, head, read_once.states),
        )

    def _kept_answers(
        self, numbers: Sequence[int], heldout: Sequence[Example], head: Head, states: KeptStates
    ) -> KeptAnswers:
        kept: dict[int, dict[int, Item]] = defaultdict(dict)
        for row, item in enumerate(self.items.items):
            kept[item.example][row] = item
        found = [
            KeptExample.of(example, format_of(self._reader_of(example), self.head), kept[number])
            for number, example in zip(numbers, heldout, strict=True)
        ]
        known = {place: example for place, example in enumerate(found) if example is not None}
        return KeptAnswers(known, states, self.model.backbone, head, self.request.run.batch_size)

    def _reader_of(self, example: Example) -> TextReader:
        return self.model.backbone.reader(self.foundation.reading_for(example.language))

    def _doubts(self) -> list[str]:
        """What makes the measures of this run say little, or its adapter worth less."""
        few, both = self.items.doubt, trained_on_too(self._dev, self.data.examples)
        return [
            *([f"{few}. {more_examples()}"] if few else []),
            *([both] if both else []),
            *self.foundation.glossaries_doubted(self.head),
        ]

    def _warn(self, doubt: str | None) -> None:
        if doubt and self._shows_notes:
            self._display.note(f"note: {doubt}")
        elif doubt:
            _log.warning("warning: %s: %s.", self.id, doubt.removesuffix("."))

    @property
    def _shows_notes(self) -> bool:
        return self.request.run.progress and not notes_are_hidden()

    def _prefix(self) -> str | None:
        """What stands before each text, where that is not what the backbone is used with."""
        asked, backbone = self.request.prefix, self.model.backbone
        if asked is None or asked == backbone.text_prefix:
            return None
        if not backbone.sentences.counts_prompt:
            raise ConfigError(
                f"{backbone.name} leaves the tokens of its own prompt out of its vectors, so no task has another "
                f"prefix: leave {as_typed(prefix=asked)} out."
            )
        return asked

    def _head_and_items(self, head: HeadConfig) -> tuple[HeadConfig, list[Item]]:
        """The head with its bound on answers, and the examples in windows that hold such answers."""
        while True:
            made = self._items(head, self.data.examples)
            bounded = _fitted(head, made, self.request.max_answer_tokens)
            if bounded == head:
                return head, made
            head = bounded

    def _dev_items(self) -> list[Item]:
        """What is held out by the caller, numbered behind what is trained on."""
        read = self._items(self.head, self._dev)
        self._dev_losses = self.head.row.lost(self.head, self._dev, read, max_length=self._max_length, scored=False)
        made = [item for item in read if item.target]
        if self._dev and not made:
            raise EmptyCorpus(f"no example of {as_typed(dev=...)} can be measured on: none has a label or an answer.")
        return [replace(item, example=len(self.data.examples) + item.example) for item in made]

    def _items(self, head: HeadConfig, examples: Sequence[Example]) -> list[Item]:
        """Examples, each read by what lies below its language."""
        made: list[Item] = []
        alike = by_reading(enumerate(self.foundation.reading_for(it.language) for it in examples))
        for reading, numbers in alike.items():
            reader = self.model.backbone.reader(reading)
            own = [examples[number] for number in numbers]
            items = format_of(reader, head, max_length=self._max_length).items(own)
            made += [replace(item, example=numbers[item.example]) for item in items]
        return sorted(made, key=lambda item: item.example)

    def _forms(self) -> Forms:
        texts = dict.fromkeys(text for example in self.data.examples for text in texts_of(example))
        return forms_of(texts, self.model.backbone.tokenize)

    def _remedy(self) -> str:
        """What to do about what is too long."""
        most = self.model.backbone.max_length
        return f" ({as_typed(max_length=...)} may be up to {most:,})" if self._max_length < most else ""

    def _read_behind(self) -> list[str]:
        prefix, usual = self.head.text_prefix, self.model.backbone.text_prefix
        if prefix is None:
            return []
        return [f"texts: {f'behind {prefix!r}' if prefix else 'without a prefix'}, not behind {usual!r}"]

    def _class_weights(self) -> list[str]:
        weights = self.items.class_weights
        if weights is None:
            return []
        told = (f"{label} {weight:.3g}" for label, weight in zip(self.head.labels, weights, strict=True))
        return [f"class weights: {', '.join(told)}"]

    def _left_out(self) -> str:
        share = self.request.on_dropout
        return f", which a share of {share:g} of the batches goes without" if share else ""

    def _languages(self) -> set[str | None]:
        return {example.language for example in self.data.examples}

    def close(self) -> None:
        """Take off the model what was attached for this run."""
        self._fitting.close()

    def _training_run(self, layers: AdapterLayers, top: str, checkpoint: CheckpointFolder | None) -> TrainingRun:
        assert layers.head is not None  # noqa: S101 - the config asks for one
        read_once = self._read_once(layers)
        self._measured = measured = self._measured_under(top, layers.head, read_once)
        stacks = BatchStacks(self.foundation, layers, top, dropout=self.request.on_dropout)
        return TrainingRun(
            self.model,
            layers,
            HeadObjective(layers.head, self._format, self._regularising),
            self.items,
            self.settings,
            stack=stacks.whole,
            below=stacks.below,
            checkpoint=checkpoint,
            scores=dict if measured is None else lambda: measured.scored().scores,
            read_once=read_once,
            start=regression_of(
                self.head,
                layers.head,
                self.items,
                self.request.run.batch_size,
                reads_once=read_once is not None,
                joins_domains=any(each.source for each in self._regularising),
            ),
        )

    def _of_the_head(self) -> list[str]:
        """Where it starts, and what one alone does without where it could be read once and is not."""
        told = start_told(self._fitting.run)
        if self._states_stay(self._fitting.layers) and not (size := self._all_states).fit:
            told.append(f"head: every step reads its examples anew, since {size}")
        return told

    def _states_stay(self, layers: AdapterLayers) -> bool:
        """Whether a head alone trains, on what is always below it."""
        return _trains_head_alone(layers) and not (self.request.on_dropout or self._regularising)

    @property
    def _all_states(self) -> StatesSize:
        n_tokens = sum(item.n_tokens for item in self.items.items)
        return StatesSize(n_tokens, self.model.backbone.shape.hidden_width)

    def _read_once(self, layers: AdapterLayers) -> ReadOnce | None:
        """All that is read, where states stay and memory holds them."""
        if self._states_stay(layers) and self._all_states.fit:
            return ReadOnce(self.items.all_batches(self.request.run.batch_size))
        return None

    def _content(self) -> str:
        """Identity of all that is read."""
        added = "".join(each.content for each in self._regularising)
        return hashlib.sha256(f"{self.items.sha256}{added}".encode()).hexdigest() if added else self.items.sha256

    def _source(self) -> str:
        added = (f"{each.source}, without labels" for each in self._regularising if each.source)
        return "; ".join([self.data.description, *added])

    def _regularised(self, config: AdapterConfig) -> list[Regularising[Weighed]]:
        # Text without labels has no language of its own: it is read as all of the examples are.
        readings = {self.foundation.reading_for(language) for language in self._languages()}
        reader = self.model.backbone.reader(next(iter(readings), Reading()))
        material = TaskMaterial(
            backbone=self.model.backbone,
            head=self.head,
            task_format=format_of(reader, self.head, max_length=self._max_length),
            method=config.method,
            hides_top_block=config.hides_top_block,
            normalize=self.request.normalize,
        )
        with forked(self.model.backbone.device, self.request.run.seed):
            made = regularising_of(self.request.regularisers, material)
        if len(readings) > 1 and any(each.source for each in made):
            self.foundation.require_plain_reading(
                f"text without labels ({as_typed(unlabelled=...)}) is read under the adapters of each language in turn"
            )
        return made

    def _settings(self) -> TrainingSettings:
        row, run = self.request.method_row, self.request.run
        per_epoch = math.ceil(len(self.items.training) / run.batch_size)
        return settings_of(
            run,
            self.request.output,
            max_steps=min(max(per_epoch * _EPOCHS, row.min_steps), _MAX_STEPS),
            learning_rate=row.learning_rate,
            warmup_share=WARMUP_SHARE if self.head.row.warmup_share is None else self.head.row.warmup_share,
        )


def read_examples(request: TaskRequest, given: Any = None) -> TaskData:  # noqa: ANN401 - as asked
    """The labelled examples of a request, or others read as it says; several sources, listed or by language, are one.

    Raises:
        DataError: Data that is not there or malformed.
        ConfigError: Sources of different task types, or tags of different kinds.
    """
    given = request.data if given is None else given
    by_language = isinstance(given, Mapping) and not is_columns(given, request.reading.columns)
    parts = [_read(source, request, language) for source, language in _sources_of(request, given, by_language)]
    return _together(parts) if len(parts) != 1 or by_language else parts[0]


def dev_examples(request: TaskRequest, data: TaskData) -> list[Example]:
    """The examples that a request holds out, which a head for `data` can be measured on.

    Raises:
        DataError: Data that is not there or malformed.
        ConfigError: Examples of another task type, or with labels that are not trained.
    """
    dev = normalized_data(read_examples(replace(request, task_type=data.task_type), request.dev), request.normalize)
    if unknown := sorted(set(dev.labels) - set(data.labels)):
        raise ConfigError(
            f"{as_typed(dev=...)} has the label{'s'[: len(unknown) > 1]} {', '.join(unknown)}, and the examples to "
            f"train on have {', '.join(data.labels)}. A head answers what it was trained on: correct the labels, or "
            "leave those examples out."
        )
    return list(dev.examples)


def _sources_of(request: TaskRequest, data: Any, by_language: bool) -> list[tuple[Any, str | None]]:  # noqa: ANN401
    """Each source with the language of those of its examples that name none."""
    if by_language:
        return [(source, canonical_tag(language)) for language, source in data.items()]
    language = None if request.lang is None else canonical_tag(request.lang)
    several = (
        isinstance(data, list | tuple)
        and not is_tuples(data)
        and not request.translates
        and any(isinstance(part, TaskData | list | tuple) or is_data_set(part) for part in data)
    )
    return [(source, language) for source in (data if several else [data])]


def _together(parts: Sequence[TaskData]) -> TaskData:
    types = {part.task_type for part in parts}
    if len(types) != 1:
        named = ", ".join(TASK_TYPES[name].in_words for name in sorted(types)) or "none"
        raise ConfigError(f"{as_typed(data=...)} holds examples of different tasks: {named}.")
    TASK_TYPES[parts[0].task_type].together(parts)
    return replace(
        parts[0],
        examples=list(chain.from_iterable(part.examples for part in parts)),
        labels=tuple(dict.fromkeys(label for part in parts for label in part.labels)),
        description="; ".join(part.description for part in parts),
        dropped=sum((Counter(part.dropped) for part in parts), Counter()),
        notes=tuple(note for part in parts for note in part.notes),
        warnings=tuple(problem for part in parts for problem in part.warnings),
    )


def _read(source: Any, request: TaskRequest, language: str | None) -> TaskData:  # noqa: ANN401 - as asked
    if request.translates and not isinstance(source, TaskData) and not are_examples(source):
        return read_translations(source, language=language, source_language=request.source_lang)
    data = request.reading.read(source, task_type=request.task_type, language=language)
    return replace(data, examples=[_named(example, language) for example in data.examples])


def _fitted(head: HeadConfig, items: Sequence[Item], asked: int | None) -> HeadConfig:
    """The head with what depends on the items, or with the bound on answers that was asked for."""
    if asked is not None:
        return replace(head, max_answer_tokens=asked)
    return replace(head, **head.row.fitted(head, items))


def _with_targets(items: Sequence[Item], lost: Sequence[str]) -> list[Item]:
    """The items that a loss can be computed on.

    Raises:
        EmptyCorpus: None is left.
    """
    kept = [item for item in items if item.target]
    if not kept:
        raise EmptyCorpus(f"no example is left to train on: {'; '.join(lost) or 'the others have no labels'}.")
    return kept


def _trains_head_alone(layers: AdapterLayers) -> bool:
    of_head = set() if layers.head is None else set(layers.head.parameters())
    return all(weight in of_head for weight in layers.parameters() if weight.requires_grad)


def _named(example: Example, language: str | None) -> Example:
    return example if language is None or example.language is not None else replace(example, language=language)
