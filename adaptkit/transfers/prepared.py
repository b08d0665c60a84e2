"""What a transfer reads before it trains: examples, those with translated words, and the ways that there are."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from adaptkit.composition import AdapterId
from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError, EmptyCorpus
from adaptkit.labelled import LabelledSource, ReadingOptions, json_lines_of
from adaptkit.languages import canonical_tag
from adaptkit.projection import translate_words
from adaptkit.projection.written import written
from adaptkit.requests.output import PathOrName
from adaptkit.requests.written import parallels
from adaptkit.task_types import TASK_TYPES, HeadConfig, head_for
from adaptkit.terminal.asking import as_typed
from adaptkit.transfers.ways import Ways


@dataclass(frozen=True, kw_only=True)
class Prepared:
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
    ) -> "Prepared":
        """Read all of it.

        Raises:
            ConfigError: Options that cannot be right.
            DataError: Examples or parallel text that are not there or malformed.
        """
        language, source = canonical_tag(lang), canonical_tag(source_lang)
        AdapterId("task", f"{task}-source")
        if language == source:
            raise ConfigError(f"the examples are in {source} already; {as_typed(lang=lang)} is to be another language.")
        files = _files(parallel)
        read = reading.read(data, task_type=task_type, language=source)
        read = replace(read, examples=[replace(each, language=each.language or source) for each in read.examples])
        head = head_for(read)
        if head.row.writes:
            raise ConfigError(
                f"{read.description} holds {head.row.in_words}, whose answers are written in a language; a transfer is "
                "for answers that are the same in all. Train it on pairs of its languages."
            )
        measured = None if dev is None else reading.read(dev, task_type=read.task_type, language=language)
        if measured is not None:
            _require_known(head, measured)
        words, told = _translated(read, files, language, source)
        return cls(
            ways=Ways(task, language, head, words=words is not None),
            source=source,
            data=read,
            words=words,
            dev=measured,
            parallel=files,
            notes=(told,) if told else (),
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


def _files(parallel: PathOrName | Sequence[PathOrName]) -> tuple[str, ...]:
    files = (parallel,) if isinstance(parallel, str | os.PathLike) else tuple(parallel)
    if not files or not all(isinstance(file, str | os.PathLike) for file in files):
        raise ConfigError(
            "parallel of a transfer names files, for each training reads them in a process of its own; found "
            f"{parallel!r:.80}. Write the pairs to a file of JSON lines or a TSV."
        )
    return tuple(str(file) for file in files)


def _require_known(head: HeadConfig, dev: TaskData) -> None:
    unknown = sorted(set(dev.labels) - set(head.labels)) if head.row.unknown_labels == "refused" else []
    if unknown and head.labels:
        raise ConfigError(
            f"{as_typed(dev=...)} has the label{'s'[: len(unknown) > 1]} {', '.join(unknown)}, and the examples to "
            f"train on have {', '.join(head.labels)}. Correct the labels, or leave those examples out."
        )


def _translated(data: TaskData, files: Sequence[str], language: str, source: str) -> tuple[TaskData | None, str]:
    """The examples with their words translated, and what there is to say of it; None where no word can be."""
    if not TASK_TYPES[data.task_type].by_words:
        return None, ""
    try:
        found = translate_words(data, parallel=parallels(list(files)), lang=language, source_lang=source)
    except EmptyCorpus as error:
        return None, f"no words were translated, for nothing says what they are: {error}"
    return found.data, str(found)
