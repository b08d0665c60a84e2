"""Did the language adapter help? One task in many languages, with and without it, the same examples each time."""

import os
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adaptkit.backbones.precision import bfloat16_blocks, uses_bfloat16
from adaptkit.config import HeadConfig, Precision
from adaptkit.data.tasks import Example, TaskData, leaked, read_task, task_spec
from adaptkit.errors import ConfigError, SourceNotFound
from adaptkit.evaluation.conditions import LanguageAdapters, Zoo, check_conditions, stack_for
from adaptkit.evaluation.environment import environment
from adaptkit.evaluation.measured import Kept, Measured, measure
from adaptkit.evaluation.metrics import DEFAULT_METRICS, TaskMetric, ignored_entities, task_metrics
from adaptkit.evaluation.progress import CellProgress, open_progress
from adaptkit.evaluation.report import save_report
from adaptkit.evaluation.results import Cell, Comparison, Condition, TransferResults
from adaptkit.languages import canonical_tag
from adaptkit.model import AdaptedModel
from adaptkit.scores import paired_metric_difference
from adaptkit.storage import Adapter, load_adapter

AdapterLike = Adapter | str | os.PathLike[str]


@dataclass(frozen=True)
class TransferReport:
    """The results, and the report that shows them."""

    results: TransferResults

    def save(self, folder: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write report.html, report.md, results.json and plots.

        Raises:
            ConfigError: Something else is at that place.
        """
        return save_report(self.results, Path(folder), overwrite=overwrite)


def evaluate(
    model: AdaptedModel,
    *,
    task: str,
    adapter: AdapterLike | Sequence[AdapterLike],
    languages: Sequence[str],
    compare: Sequence[str] = ("none", "source", "target"),
    data: str | os.PathLike[str] | Mapping[str, TaskData] | None = None,
    zoo: Zoo | None = None,
    domain: AdapterLike | Sequence[AdapterLike] = (),
    source_language: str | None = None,
    seeds: int | None = None,
    split: str = "test",
    limit: int | None = None,
    group: str | None = None,
    training_text: Mapping[str, Iterable[str]] | None = None,
    keep: str | os.PathLike[str] | None = None,
    batch_size: int = 32,
    precision: Precision = "auto",
    progress: bool = True,
) -> TransferReport:
    """Score a task adapter in several languages under each condition, and say where a language adapter helped.

    Args:
        model: the backbone; the adapters are attached for the time of the evaluation where they are not yet.
        task: a benchmark of `adaptkit.TASKS`, or any name where `data` maps languages to examples.
        adapter: the task adapter, or several that differ in their training seed only; values, folders or attached ids.
        languages: test languages.
        compare: conditions: `none`, `source`, `target`, `relative`; `none` is always measured.
        data: folder or hub id of the benchmark (None: the hub), or examples by language.
        zoo: language adapters: a folder of adapter folders or a list. None: those attached to the model.
        domain: domain adapters that lie between language and task adapter in every stack.
        source_language: the language that the task was trained in; None where the adapter says it.
        seeds: how many task adapters are expected; a report on fewer is refused.
        split: of the benchmark.
        limit: the first so many examples of each language, for a quick look; the report says so.
        group: only examples of this group (an XNLI genre).
        training_text: sentences that adapters were trained on, by a name; test sentences among them are reported.
        keep: a folder for finished measurements, so that an interrupted evaluation goes on.
        batch_size: examples in a batch.
        precision: bf16, fp32, or auto: bf16 where the hardware has it.
        progress: show progress.

    Raises:
        ConfigError: Options that cannot be right.
        DataError: Test data that is not there or malformed.
        CompatibilityError: An adapter that is not for this backbone.
    """
    tasks = _task_adapters(model, adapter)
    if seeds is not None and len(tasks) < seeds:
        raise ConfigError(
            f"{seeds} seeds were asked for and {len(tasks)} task adapters given. Train the task with seed=0, 1, ... "
            "and give them all: adapter=[first, second, third]."
        )
    source = source_language or tasks[0].language
    if source is None:
        raise ConfigError("the task adapter was trained in several languages; say source_language=....")
    plan = _Plan(
        model=model,
        task=task,
        tasks=tasks,
        languages=tuple(dict.fromkeys(map(canonical_tag, languages))),
        conditions=check_conditions(compare),
        zoo=_language_adapters(model, zoo),
        domains=_adapters(model, domain),
        source=canonical_tag(source),
        data=data,
        split=split,
        limit=limit,
        group=group,
    )
    kept = Kept(None if keep is None else Path(keep))
    fast = uses_bfloat16(precision, model.backbone.device)
    with open_progress(shown=progress) as shown:
        return TransferReport(plan.run(kept, shown, training_text or {}, batch_size=batch_size, bf16=fast))


@dataclass(frozen=True, kw_only=True)
class _Plan:
    model: AdaptedModel
    task: str
    tasks: tuple[Adapter, ...]
    languages: tuple[str, ...]
    conditions: tuple[Condition, ...]
    zoo: LanguageAdapters
    domains: tuple[Adapter, ...]
    source: str
    data: str | os.PathLike[str] | Mapping[str, TaskData] | None
    split: str
    limit: int | None
    group: str | None

    def run(
        self, kept: Kept, shown: CellProgress, texts: Mapping[str, Iterable[str]], *, batch_size: int, bf16: bool
    ) -> TransferResults:
        cells: list[Cell] = []
        comparisons: list[Comparison] = []
        notes: dict[str, None] = {}
        metrics = self._metric_names()
        shown.start(len(self.languages) * len(self.conditions) * len(self.tasks))
        evaluated: dict[str, Sequence[Example]] = {}
        for language in self.languages:
            examples = self._examples(language)
            evaluated[language] = examples
            _note_ignored(self.tasks[0], examples, notes)
            scored = task_metrics(metrics, _head(self.tasks[0]), language, examples)
            runs: dict[Condition, list[Measured]] = {}
            for condition in self.conditions:
                below = None if condition == "none" else self._below(condition, language, notes)
                if condition != "none" and below is None:
                    shown.skip(len(self.tasks))
                    continue
                runs[condition] = [
                    self._measured(kept, shown, task, below, language, examples, scored, (batch_size, bf16))
                    for task in self.tasks
                ]
                cells.append(self._cell(language, condition, below, examples, scored, runs[condition]))
            comparisons += list(_compared(language, runs, metrics[0], scored))
        notes |= dict.fromkeys(_leak_notes(texts, evaluated))
        return TransferResults(
            task=self.task,
            metrics=metrics,
            source_language=self.source,
            adapters=tuple(f"{task.id} ({task.weights_sha256[:12]})" for task in self.tasks),
            backbone=f"{self.model.backbone.name} ({self.model.backbone.release})",
            seeds=tuple(_seed(task, number) for number, task in enumerate(self.tasks)),
            limit=self.limit,
            cells=tuple(cells),
            comparisons=tuple(comparisons),
            notes=tuple(notes),
            environment=environment(bf16=bf16),
        )

    def _metric_names(self) -> tuple[str, ...]:
        if isinstance(self.data, Mapping):
            return DEFAULT_METRICS[_head(self.tasks[0]).task_type]
        return task_spec(self.task).metrics

    def _examples(self, language: str) -> Sequence[Example]:
        if isinstance(self.data, Mapping):
            if language not in self.data:
                raise SourceNotFound(f"data=... has no examples in {language}; it has {', '.join(self.data)}.")
            found = self.data[language]
        else:
            # A group is chosen before the limit counts.
            data = None if self.data is None else os.fspath(self.data)
            limit = self.limit if self.group is None else None
            found = read_task(self.task, data=data, language=language, split=self.split, limit=limit)
        examples = [example for example in found.examples if self.group in (None, example.group)][: self.limit]
        if not examples:
            raise SourceNotFound(f"{found.description} has no examples of group {self.group!r}.")
        return examples

    def _below(self, condition: Condition, language: str, notes: dict[str, None]) -> Adapter | None:
        below = self.zoo.below(condition, source=self.source, target=language)
        if below is None:
            notes[f"{language}: no adapter for the condition {condition!r}."] = None
        elif condition == "relative":
            notes[f"{language}: its nearest relative with an adapter is {below.language}."] = None
        return below

    def _measured(
        self,
        kept: Kept,
        shown: CellProgress,
        task: Adapter,
        below: Adapter | None,
        language: str,
        examples: Sequence[Example],
        metrics: Mapping[str, TaskMetric],
        how: tuple[int, bool],
    ) -> Measured:
        parts = [below] if below is not None else []
        adapters = [*parts, *self.domains, task]
        identity = repr(
            (
                self.task,
                [(adapter.weights_sha256, adapter.config) for adapter in adapters],
                self.model.backbone.fingerprint.id,
                [repr(example) for example in examples],
                sorted(metrics),
                how,
            )
        )
        found = kept.load(identity)
        if found is None:
            stack = stack_for(task, below, self.domains)
            # Attached before: probes are replayed in the precision that the backbone was loaded in.
            with _attached(self.model, adapters), bfloat16_blocks(self.model.network) if how[1] else nullcontext():
                found = measure(self.model, stack, examples, metrics, batch_size=how[0])
            kept.save(identity, found)
        shown.done(f"{language} {below.id if below else 'none'}", len(examples), found.elapsed_s)
        return found

    def _cell(
        self,
        language: str,
        condition: Condition,
        below: Adapter | None,
        examples: Sequence[Example],
        metrics: Mapping[str, TaskMetric],
        runs: Sequence[Measured],
    ) -> Cell:
        stacked = [*([below] if below else []), *self.domains, self.tasks[0]]
        return Cell(
            language=language,
            condition=condition,
            stack=str(stack_for(self.tasks[0], below, self.domains)),
            scores={
                name: tuple(float(each.metric.score(run.statistics[name].sum(axis=0))) for run in runs)
                for name, each in metrics.items()
            },
            n_examples=len(examples),
            examples_per_s=len(examples) / statistics.median(run.elapsed_s for run in runs),
            peak_memory_bytes=max(run.peak_memory_bytes for run in runs),
            adapter_bytes=sum(adapter.size_bytes for adapter in stacked),
        )


def _compared(
    language: str, runs: Mapping[Condition, Sequence[Measured]], metric: str, metrics: Mapping[str, TaskMetric]
) -> Iterator[Comparison]:
    """Each condition against `none`, and the target's adapter against the source's."""
    pairs: list[tuple[Condition, Condition]] = [(condition, "none") for condition in runs if condition != "none"]
    pairs += [("target", "source")] if {"target", "source"} <= runs.keys() else []
    for condition, against in pairs:
        ours, theirs = _stacked(runs[condition], metric), _stacked(runs[against], metric)
        difference = paired_metric_difference(metrics[metric].metric, ours, theirs)
        yield Comparison(language=language, condition=condition, against=against, difference=difference)


def _stacked(runs: Sequence[Measured], metric: str) -> NDArray[np.float64]:
    return np.stack([run.statistics[metric] for run in runs])


def _leak_notes(texts: Mapping[str, Iterable[str]], evaluated: Mapping[str, Sequence[Example]]) -> Iterator[str]:
    sentences = [text for examples in evaluated.values() for example in examples for text in _texts(example)]
    for name, text in texts.items():
        leak = leaked(text, sentences)
        if leak.exact or leak.near:
            yield f"training text {name}: {leak.summary()}"


def _texts(example: Example) -> Iterator[str]:
    fields: dict[str, Any] = {name: getattr(example, name) for name in example.__slots__}
    for name in ("text", "pair", "question", "context", "prompt", "first", "second"):
        if fields.get(name):
            yield fields[name]
    if fields.get("words"):
        yield " ".join(fields["words"])


def _note_ignored(task: Adapter, examples: Sequence[Example], notes: dict[str, None]) -> None:
    ignored = ignored_entities(_head(task), examples)
    if ignored and _head(task).task_type == "tagging":
        notes[
            f"entities of type {', '.join(sorted(ignored))} are left out: the task adapter was not trained on them."
        ] = None


@contextmanager
def _attached(model: AdaptedModel, adapters: Sequence[Adapter]) -> Iterator[None]:
    """Have exactly these adapters under their ids; another one of the same id steps aside for the time."""
    there = [model.attached_adapter(adapter.id) for adapter in adapters]
    missing = [
        adapter
        for adapter, other in zip(adapters, there, strict=True)
        if other is None or other.weights_sha256 != adapter.weights_sha256
    ]
    aside = [other for other in there if other is not None and other.id in {adapter.id for adapter in missing}]
    model.detach(*(other.id for other in aside))
    try:
        model.attach(*missing)
        yield
    finally:
        model.detach(*(adapter.id for adapter in missing if adapter.id in model.attached))
        model.attach(*aside)


def _task_adapters(model: AdaptedModel, given: AdapterLike | Sequence[AdapterLike]) -> tuple[Adapter, ...]:
    tasks = _adapters(model, given)
    wrong = [task.id for task in tasks if task.config.head is None]
    if wrong or not tasks:
        raise ConfigError(f"adapter=... names task adapters, found {', '.join(wrong) or 'none'}.")
    if len({(task.id, task.config) for task in tasks}) > 1:
        raise ConfigError(
            "the task adapters differ in more than their seed: their ids, methods or heads are not the same."
        )
    if len({task.weights_sha256 for task in tasks}) < len(tasks):
        raise ConfigError("a task adapter is given twice; each seed counts once.")
    return tasks


def _adapters(model: AdaptedModel, given: AdapterLike | Sequence[AdapterLike]) -> tuple[Adapter, ...]:
    entries = [given] if isinstance(given, Adapter | str | os.PathLike) else list(given)
    return tuple(entry if isinstance(entry, Adapter) else _named(model, entry) for entry in entries)


def _named(model: AdaptedModel, name: str | os.PathLike[str]) -> Adapter:
    attached = model.attached_adapter(name) if isinstance(name, str) else None
    return attached if attached is not None else load_adapter(name)


def _language_adapters(model: AdaptedModel, zoo: Zoo | None) -> LanguageAdapters:
    if zoo is not None:
        return LanguageAdapters.of(zoo, model.backbone)
    attached = (model.attached_adapter(name) for name in model.attached)
    return LanguageAdapters(
        tuple(adapter for adapter in attached if adapter is not None and adapter.kind == "language")
    )


def _head(task: Adapter) -> HeadConfig:
    assert task.config.head is not None  # noqa: S101 - checked when it was given
    return task.config.head


def _seed(task: Adapter, number: int) -> int:
    facts = task.card.training
    seed = facts.settings.get("seed") if facts is not None else None
    return seed if isinstance(seed, int) else number
