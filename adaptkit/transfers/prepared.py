"""What a transfer reads before it trains: examples, those with translated words, and the ways that there are."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError, EmptyCorpus
from adaptkit.labelled import LabelledSource, ReadingOptions, json_lines_of
from adaptkit.languages import canonical_tag
from adaptkit.projection import translate_words
from adaptkit.projection.written import written
from adaptkit.requests.output import PathOrName
from adaptkit.requests.written import parallels
from adaptkit.task_types import TASK_TYPES, head_for
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
