"""The measurements behind a transfer report: languages x conditions x seeds."""

import os
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adaptkit.backbones.precision import bfloat16_blocks
from adaptkit.data.letters import NormalForm
from adaptkit.data.tasks import TASKS, Example, TaskData
from adaptkit.errors import ConfigError, SourceNotFound
from adaptkit.evaluation.attached import attached
from adaptkit.evaluation.cell_progress import CellProgress
from adaptkit.evaluation.conditions import LanguageAdapters, stack_for
from adaptkit.evaluation.environment import environment
from adaptkit.evaluation.measured import Kept, Measured, measure
from adaptkit.evaluation.metrics import AnyTaskMetric, task_metrics
from adaptkit.evaluation.notes import form_notes, ignored_notes, leak_notes, loss_notes
from adaptkit.evaluation.results import Cell, Condition, Contrast, Majority, MeasuredAdapter, TransferResults
from adaptkit.labelled import normalized_data, read_task, task_spec
from adaptkit.languages import family_for, nearest_relative, why_no_relative
from adaptkit.model import AdaptedModel
from adaptkit.requests import Measuring, Selection
from adaptkit.scores import paired_metric_difference
from adaptkit.storage import Adapter
from adaptkit.task_types import HeadConfig
from adaptkit.terminal.asking import as_typed


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Every language under every condition with every seed of the task adapter; the backbone is loaded once."""

    model: AdaptedModel
    task: str
    tasks: tuple[Adapter, ...]
    languages: tuple[str, ...]
    conditions: tuple[Condition, ...]
    zoo: LanguageAdapters
    domains: tuple[Adapter, ...]
    source: str
    data: str | os.PathLike[str] | Mapping[str, TaskData] | None
    selection: Selection
    measuring: Measuring
    normalize: NormalForm | None
    kept: Kept
    progress: CellProgress
    bf16: bool

    def run(self, texts: Mapping[str, Iterable[str]]) -> TransferResults:
        """Look for test sentences in the training texts, measure what is not kept yet, and compare."""
        cells: list[Cell] = []
        tested: dict[str, MeasuredAdapter] = {}
        comparisons: list[Contrast] = []
        evaluated = {language: self._examples(language) for language in self.languages}
        for language, examples in evaluated.items():
            _require_known_labels(head_of(self.tasks[0]), language, examples)
        head, bound = head_of(self.tasks[0]), self.measuring.max_answer_tokens
        lost = [loss_notes(self.model.backbone, head, bound, *test) for test in evaluated.items()]
        notes = dict.fromkeys([*self._choice_notes(), *leak_notes(texts, evaluated), *chain.from_iterable(lost)])
        for note in notes:
            self.progress.note(note)
        metrics = self._metric_names()
        self.progress.start(self._n_cells() * len(self.tasks))
        for language, examples in evaluated.items():
            notes.update(dict.fromkeys(ignored_notes(head, examples)))
            test = _Test(language, examples, task_metrics(metrics, head_of(self.tasks[0]), language, examples))
            runs: dict[Condition, list[Measured]] = {}
            for condition in self.conditions:
                below = None if condition == "none" else self._below(condition, language, notes)
                if condition != "none" and below is None:
                    continue
                if below is not None:
                    tested[below.id] = _tested(below)
                acting = [*([below] if below is not None else []), *self.domains, self.tasks[0]]
                notes.update(dict.fromkeys(form_notes(language, examples, acting)))
                runs[condition] = [self._measured(test, task, below) for task in self.tasks]
                cells.append(self._cell(test, condition, below, runs[condition]))
            comparisons += list(_compared(test, runs, metrics[0]))
        held = self.model.backbone
        return TransferResults(
            task=self.task,
            metrics=metrics,
            source_language=self.source,
            adapters=tuple(f"{task.id} ({task.weights_sha256[:12]})" for task in self.tasks),
            backbone=f"{held.name} ({held.release}), held as {held.held_as}",
            seeds=tuple(_seed(task, number) for number, task in enumerate(self.tasks)),
            limit=self.selection.limit,
            cells=tuple(cells),
            comparisons=tuple(comparisons),
            notes=tuple(notes),
            environment=environment(self.model.backbone.device, bf16=self.bf16),
            language_adapters=tuple(tested.values()),
            majority=tuple(_majorities(head, metrics[0], evaluated)),
        )

    def _choice_notes(self) -> Iterator[str]:
        if self.selection.group is not None:
            yield f"only examples of the group {self.selection.group}."
        if isinstance(self.data, Mapping):
            read = ((language, self.data[language].notes) for language in self.languages if language in self.data)
            yield from (f"{language}: {note}." for language, notes in read for note in notes)
        if self.selection.split != "test" and not isinstance(self.data, Mapping):
            yield f"examples of the split {self.selection.split}, not of the test set."
        if self.normalize is not None:
            yield f"test texts were read in {self.normalize}."
        if self.measuring.max_answer_tokens is not None:
            yield f"answers have up to {self.measuring.max_answer_tokens} tokens, whatever the head says."

    def _n_cells(self) -> int:
        """Cells for which there is an adapter."""
        return sum(
            condition == "none" or self.zoo.below(condition, source=self.source, target=language) is not None
            for language in self.languages
            for condition in self.conditions
        )

    def _metric_names(self) -> tuple[str, ...]:
        if self.task in TASKS or not isinstance(self.data, Mapping):
            return task_spec(self.task).metrics
        return head_of(self.tasks[0]).row.default_metrics

    def _examples(self, language: str) -> Sequence[Example]:
        if isinstance(self.data, Mapping):
            if language not in self.data:
                raise SourceNotFound(
                    f"{as_typed(data=...)} has no examples in {language}; it has {', '.join(self.data)}."
                )
            found = self.data[language]
        else:
            # A group is chosen before the limit counts.
            data = None if self.data is None else os.fspath(self.data)
            selection = self.selection
            limit = selection.limit if selection.group is None else None
            found = read_task(self.task, data=data, language=language, split=selection.split, limit=limit)
        found = normalized_data(found, self.normalize)
        examples = [example for example in found.examples if self.selection.group in (None, example.group)][
            : self.selection.limit
        ]
        if not examples:
            raise SourceNotFound(f"{found.description} has no examples of group {self.selection.group!r}.")
        return examples

    def _below(self, condition: Condition, language: str, notes: dict[str, None]) -> Adapter | None:
        below = self.zoo.below(condition, source=self.source, target=language)
        if note := _said_of(below, condition, language):
            notes[f"{language}: {note}."] = None
        return below

    def _measured(self, test: "_Test", task: Adapter, below: Adapter | None) -> Measured:
        adapters = [*([below] if below is not None else []), *self.domains, task]
        identity = repr(
            (
                self.task,
                [(adapter.weights_sha256, adapter.config, self._fused_by(adapter)) for adapter in adapters],
                (self.model.backbone.fingerprint.id, self.model.backbone.held_as),
                [repr(example) for example in test.examples],
                sorted(test.metrics),
                (self.measuring.batch_size, self.bf16),
                *([] if self.measuring.max_answer_tokens is None else [self.measuring.max_answer_tokens]),
            )
        )
        found = self.kept.load(identity)
        if found is None:
            stack = stack_for(task, below, self.domains)
            # Attached before: probes are replayed in the precision that the backbone was loaded in.
            with attached(self.model, *adapters), bfloat16_blocks(self.model.network) if self.bf16 else nullcontext():
                found = measure(
                    self.model,
                    stack,
                    test.examples,
                    test.metrics,
                    batch_size=self.measuring.batch_size,
                    max_answer_tokens=self.measuring.max_answer_tokens,
                )
            self.kept.save(identity, found)
        self.progress.done(f"{test.language} {below.id if below else 'none'}", len(test.examples), found.elapsed_s)
        return found

    def _fused_by(self, adapter: Adapter) -> list[Any]:
        """The weights that a fusion mixes, which are attached already, each with those that it mixes itself."""
        attached = [self.model.attached_adapter(name) for name in adapter.config.method.fuses]
        return [None if each is None else (each.weights_sha256, each.config, self._fused_by(each)) for each in attached]

    def _cell(self, test: "_Test", condition: Condition, below: Adapter | None, runs: Sequence[Measured]) -> Cell:
        stacked = [*([below] if below else []), *self.domains, self.tasks[0]]
        return Cell(
            language=test.language,
            condition=condition,
            stack=str(stack_for(self.tasks[0], below, self.domains)),
            scores={
                name: tuple(float(each.metric.score(run.statistics[name].sum(axis=0))) for run in runs)
                for name, each in test.metrics.items()
            },
            n_examples=len(test.examples),
            examples_per_s=len(test.examples) / statistics.median(run.elapsed_s for run in runs),
            peak_memory_bytes=max(run.peak_memory_bytes for run in runs),
            adapter_bytes=sum(adapter.size_bytes for adapter in stacked),
        )


@dataclass(frozen=True)
class _Test:
    """What a language is tested on."""

    language: str
    examples: Sequence[Example]
    metrics: Mapping[str, AnyTaskMetric]


def head_of(task: Adapter) -> HeadConfig:
    """The head of an adapter that was checked to have one."""
    assert task.config.head is not None  # noqa: S101 - checked when it was given
    return task.config.head


def _require_known_labels(head: HeadConfig, language: str, examples: Sequence[Example]) -> None:
    if not head.labels or head.row.unknown_labels == "told":
        return
    for number, example in enumerate(examples, start=1):
        for label in head.row.labels_of(example):
            if label not in head.labels:
                raise ConfigError(
                    f"example {number} in {language} has the label {label!r}, and the task adapter knows "
                    f"{', '.join(head.labels)}. Is it another task, or is the label spelled in another way?"
                )


def _compared(test: _Test, runs: Mapping[Condition, Sequence[Measured]], metric: str) -> Iterator[Contrast]:
    """Each condition against `none`, and the target's adapter against the source's."""
    pairs: list[tuple[Condition, Condition]] = [(condition, "none") for condition in runs if condition != "none"]
    pairs += [("target", "source")] if {"target", "source"} <= runs.keys() else []
    for condition, against in pairs:
        ours, theirs = _stacked(runs[condition], metric), _stacked(runs[against], metric)
        difference = paired_metric_difference(test.metrics[metric].metric, ours, theirs)
        yield Contrast(language=test.language, condition=condition, against=against, difference=difference)


def _stacked(runs: Sequence[Measured], metric: str) -> NDArray[np.float64]:
    return np.stack([run.statistics[metric] for run in runs])


def _seed(task: Adapter, number: int) -> int:
    facts = task.card.training
    seed = facts.settings.get("seed") if facts is not None else None
    return seed if isinstance(seed, int) else number


def _tested(below: Adapter) -> MeasuredAdapter:
    card = below.card
    text = "text kept private" if card.private else card.source
    return MeasuredAdapter(id=below.id, weights_sha256=below.weights_sha256, text=text, licence=card.licence)


def _majorities(head: HeadConfig, metric: str, tests: Mapping[str, Sequence[Example]]) -> Iterator[Majority]:
    if metric != "accuracy":
        return
    for language, examples in tests.items():
        labels = [head.row.labels_of(example) for example in examples]
        if all(len(each) == 1 for each in labels):
            most = max(Counter(labels).values())
            yield Majority(language=language, accuracy=100 * most / len(labels))


def _said_of(below: Adapter | None, condition: Condition, language: str) -> str:
    """What a report notes of the adapter below a condition; empty where it is the one to expect."""
    if below is None:
        why = f": {why_no_relative(language)}" if condition == "relative" else ""
        return f"no adapter for the condition {condition!r}{why}"
    if below.language is not None:
        return f"its nearest relative with an adapter is {below.language}" if condition == "relative" else ""
    trained = f"{below.id}, trained on {', '.join(below.languages)}"
    if condition != "relative":
        return f"the adapter for the condition {condition!r} is {trained}"
    if family_for(language, {below.id: below.languages}) is not None:
        return f"the adapter of its family is {trained}"
    return f"its nearest relative with an adapter is {nearest_relative(language, below.languages)}, in {trained}"
