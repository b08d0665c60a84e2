"""`transfer_task`: one call from labels in one language to answers in another."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError, EmptyCorpus, TrainingError
from adaptkit.evaluation.metrics import task_metrics
from adaptkit.format.folder import whole_file
from adaptkit.labelled import LabelledSource, ReadingOptions, json_lines_of
from adaptkit.languages import canonical_tag
from adaptkit.model import AdaptedModel
from adaptkit.plans import train_plan
from adaptkit.projection import translate_words
from adaptkit.projection.written import written
from adaptkit.recipes.place import model_of
from adaptkit.requests import Planning, Pretrained
from adaptkit.requests.output import PathOrName
from adaptkit.requests.written import parallels
from adaptkit.scores import Difference, paired_metric_difference
from adaptkit.storage import Adapter, load_adapter
from adaptkit.task_types import TASK_TYPES, head_for
from adaptkit.terminal.asking import as_typed
from adaptkit.transfers.plan_text import plan_text
from adaptkit.transfers.transferred import MeasuredWay, TransferredTask, chosen_of
from adaptkit.transfers.ways import Way, Ways

PLAN = "transfer.toml"


def transfer_task(
    *,
    task: str,
    data: "LabelledSource | TaskData",
    lang: str,
    parallel: PathOrName | Sequence[PathOrName],
    output: PathOrName,
    dev: "LabelledSource | TaskData | None" = None,
    adapter: PathOrName | None = None,
    source_lang: str = "en",
    task_type: str | None = None,
    reading: ReadingOptions | None = None,
    max_steps: int | None = None,
    task_steps: int | None = None,
    licence: str | None = None,
    backbone: Pretrained | None = None,
    planning: Planning | None = None,
) -> TransferredTask:
    """Bring a task from the language of its labels to another one, with all that was measured to help.

    From `parallel` a glossary and a language adapter are trained, and the labelled examples get their words translated;
    then heads for each, and their answers are put together. Which of these a kind of task gets is told by
    docs/how-to/transfer.md, with what it brought. With `dev`, some labelled examples in the language, every way is
    measured, also that of the labels alone, and the usual one is left only for one that is surely better.

    All trainings are a plan in `output`, `transfer.toml`, each in a process of its own. After an interruption, the same
    call goes on; what is done is left as it is.

    Args:
        task: the name of the task.
        data: labelled examples, as `read_labelled` reads them, or gives.
        lang: the language to bring it to.
        parallel: files of sentences in that language with translations, each as `adaptkit train --parallel` takes it.
        output: the folder for all adapters, the plan, and `transfer.json`. It is a zoo.
        dev: labelled examples in `lang`, to choose by and to measure on. Nothing trains on them.
        adapter: the folder of a language adapter with layers that is there already; it is copied into `output`.
        source_lang: the language of the labelled examples.
        task_type: else it is recognised from the columns.
        reading: how labelled files are read.
        max_steps: steps of the language adapter (None: the usual number).
        task_steps: steps of each task adapter.
        licence: of the parallel text, for the cards.
        backbone: which backbone, and how it is held.
        planning: how many trainings run at a time, whether what is there is replaced, progress.

    Raises:
        ConfigError: Options that cannot be right, a folder that holds something else, or adapters of other options.
        DataError: Examples or parallel text that are not there or malformed.
        TrainingInterrupted: Ctrl-C or SIGTERM; the same call goes on.
        TrainingError: A training failed; it says which, and where its log is.
    """
    place = Path(output)
    _require_own(place)
    started = _Prepared.of(
        task=task,
        data=data,
        dev=dev,
        lang=lang,
        source_lang=source_lang,
        parallel=parallel,
        task_type=task_type,
        reading=reading or ReadingOptions(),
    )
    held = backbone or Pretrained()
    trained = None if adapter is None else _copied(adapter, place, started.ways)
    if trained is not None:
        started = replace(started, ways=replace(started.ways, trained=trained.id))
    chosen = started.ways.all if started.dev is not None else (started.ways.usual,)
    place.mkdir(parents=True, exist_ok=True)
    examples = started.written(place)
    with whole_file(place / PLAN) as partial:
        partial.write_text(
            plan_text(
                started.ways,
                chosen,
                output=place,
                examples=examples,
                parallel=started.parallel,
                language_options={"max_steps": max_steps, "licence": licence},
                task_options={"max_steps": task_steps},
                shared=_held(held),
                trained=None if trained is None else str(place / trained.id),
            ),
            encoding="utf-8",
        )
    summary = train_plan(place / PLAN, planning)
    if summary.failed:
        raise TrainingError(f"{summary}\nThe logs are in {summary.folder / 'logs'}. The same call tries again.")
    found = _Measuring(started, place, chosen, held).result()
    found.save()
    return found


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    """All that is read before anything is trained: examples, those in the language, and the ways that there are."""

    ways: Ways
    source: str
    data: TaskData
    words: TaskData | None
    dev: TaskData | None
    parallel: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        *,
        task: str,
        data: "LabelledSource | TaskData",
        dev: "LabelledSource | TaskData | None",
        lang: str,
        source_lang: str,
        parallel: PathOrName | Sequence[PathOrName],
        task_type: str | None,
        reading: ReadingOptions,
    ) -> "_Prepared":
        language, source = canonical_tag(lang), canonical_tag(source_lang)
        files = (parallel,) if isinstance(parallel, str | os.PathLike) else tuple(parallel)
        if not files or not all(isinstance(file, str | os.PathLike) for file in files):
            raise ConfigError(
                f"parallel of a transfer names files, for each training reads them in a process of its own; found "
                f"{parallel!r:.80}. Write the pairs to a file of JSON lines or a TSV."
            )
        read = reading.read(data, task_type=task_type, language=source)
        read = replace(read, examples=[replace(each, language=each.language or source) for each in read.examples])
        head, row = head_for(read), TASK_TYPES[read.task_type]
        if row.writes:
            raise ConfigError(
                f"{read.description} holds {row.in_words}, whose answers are written in a language; a transfer is for "
                "answers that are the same in all. Train it on pairs of its languages."
            )
        measured = None
        if dev is not None:
            measured = reading.read(dev, task_type=read.task_type, language=language)
            if unknown := sorted(set(measured.labels) - set(read.labels)) if read.labels else []:
                raise ConfigError(
                    f"{as_typed(dev=...)} has the label{'s'[: len(unknown) > 1]} {', '.join(unknown)}, and the "
                    f"examples to train on have {', '.join(read.labels)}."
                )
        words, notes = None, []
        if row.by_words:
            with suppress(EmptyCorpus):
                words = translate_words(
                    read, parallel=parallels([str(file) for file in files]), lang=language, source_lang=source
                )
                notes.append(str(words))
        if row.by_words and words is None:
            notes.append(f"no words were translated: no parallel text is between {source} and {language}")
        return cls(
            ways=Ways(task, language, head, words=words is not None),
            source=source,
            data=read,
            words=None if words is None else words.data,
            dev=measured,
            parallel=tuple(str(file) for file in files),
            notes=tuple(notes),
        )

    def written(self, place: Path) -> Mapping[str, Path]:
        """The files of examples, the source language first."""
        found = {self.source: self.data}
        if self.words is not None:
            found[self.ways.language] = self.words
        return {
            language: written(place / f"{self.ways.task}-{language}.jsonl", json_lines_of(data), overwrite=True)
            for language, data in found.items()
        }


@dataclass(frozen=True)
class _Measuring:
    """The ways, measured where there are examples for it."""

    started: _Prepared
    place: Path
    ways: Sequence[Way]
    held: Pretrained

    def result(self) -> TransferredTask:
        if self.started.dev is None:
            return self._transferred([MeasuredWay(name=way.name, stack=way.stack) for way in self.ways], [None], "")
        model = model_of(self.held)
        model.attach_zoo(self.place)
        return self._measured(model, self.started.dev)

    def _measured(self, model: AdaptedModel, dev: TaskData) -> TransferredTask:
        head, language = self.started.ways.head, self.started.ways.language
        name = head.row.default_metrics[0]
        metric = task_metrics([name], head, language, dev.examples)[name]
        each = [metric.statistics(model.predict(dev.examples, stack=way.stack), dev.examples) for way in self.ways]
        found = [
            MeasuredWay(
                name=way.name,
                stack=way.stack,
                score=float(metric.score(statistics.sum(axis=0))),
                gain=None if number == 0 else paired_metric_difference(metric, statistics, each[0]),
            )
            for number, (way, statistics) in enumerate(zip(self.ways, each, strict=True))
        ]
        over_usual = [paired_metric_difference(metric, statistics, each[-1]) for statistics in each]
        return self._transferred(found, over_usual, name)

    def _transferred(
        self, found: Sequence[MeasuredWay], over_usual: Sequence[Difference | None], metric: str
    ) -> TransferredTask:
        taken, why = chosen_of(found, over_usual)
        return TransferredTask(
            task=self.started.ways.task,
            language=self.started.ways.language,
            folder=self.place,
            stack=taken.stack,
            chosen=why,
            metric=metric,
            n_examples=0 if self.started.dev is None else len(self.started.dev.examples),
            ways=tuple(found),
            notes=self.started.notes,
        )


def _require_own(place: Path) -> None:
    """See that a folder holds what a transfer wrote, or nothing."""
    if place.is_dir() and any(place.iterdir()) and not (place / PLAN).is_file():
        raise ConfigError(f"{place} holds something that no transfer has written; name another {as_typed(output=...)}.")


def _copied(folder: PathOrName, place: Path, ways: Ways) -> Adapter:
    """The language adapter that is there already, in the zoo of the transfer.

    Raises:
        ConfigError: It is not for the language, or has no layers.
    """
    adapter = load_adapter(folder)
    if adapter.kind != "language" or ways.language not in adapter.languages or adapter.config.reading.glossary:
        raise ConfigError(
            f"{as_typed(adapter=str(folder))} is {adapter.id}; give an adapter with layers that was trained for "
            f"{ways.language}."
        )
    target = place / adapter.id
    if not target.exists() or load_adapter(target).weights_sha256 != adapter.weights_sha256:
        adapter.save(target, overwrite=True)
    return adapter


def _held(backbone: Pretrained) -> Mapping[str, object]:
    """Options of a plan that say which backbone, where it is not the usual one."""
    usual = Pretrained()
    asked = {
        "backbone": backbone.backbone,
        "bits": backbone.bits,
        "embeddings": backbone.embeddings,
        "device": backbone.device,
    }
    return {
        name: str(value) if isinstance(value, os.PathLike) else value
        for name, value in asked.items()
        if value != getattr(usual, name)
    }
