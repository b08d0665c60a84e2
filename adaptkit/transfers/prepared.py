"""What a transfer reads before it trains: examples, those with translated words, and the ways that there are."""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import repeat
from pathlib import Path

from adaptkit.composition import AdapterId
from adaptkit.config import LEAST_WORD_SCORE
from adaptkit.data.direction import LOOKED_AT
from adaptkit.data.mix import parallel_sources
from adaptkit.data.part import Part, parallel_part, read_parts
from adaptkit.data.source import Source
from adaptkit.data.sources import existing_path
from adaptkit.data.swapped_parts import swapped_parts
from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError, EmptyCorpus
from adaptkit.labelled import LabelledSource, ReadingOptions, json_lines_of
from adaptkit.languages import canonical_tag
from adaptkit.projection import WordTranslation, translate_words
from adaptkit.projection.written import written
from adaptkit.requests.output import PathOrName
from adaptkit.requests.written import parallels
from adaptkit.task_types import HeadConfig, head_for
from adaptkit.terminal.asking import as_typed
from adaptkit.transfers.ways import Way, Ways

_SURE_WORDS = 0.4
"""With less, an article becomes a frequent word of the language, whose part of speech is then learned wrong."""

_WRITTEN = re.compile(r"-[\w-]+-[0-9a-f]{8}\.(jsonl|conll)")


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """All that is read before anything is trained: examples, those in the language, and the ways that there are.

    `translated` are the examples with their words translated; None where no word can be, or no way learns of them.
    `parallel` is the text as a shell writes it, with what it has: `sentences`, or words alone. Behind a file that has
    translations in another language than `source` stands which. `notes` are to be told beside the result, warnings
    first.
    """

    ways: Ways
    source: str
    data: TaskData
    translated: WordTranslation | None
    dev: TaskData | None
    parallel: tuple[str, ...]
    sentences: tuple[str, ...]
    reading: ReadingOptions
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
            ConfigError: Options that cannot be right, or pairs that are surely swapped.
            DataError: Examples or parallel text that are not there or malformed.
        """
        language, source = canonical_tag(lang), canonical_tag(source_lang)
        for longest in (task, f"{task}-projected"):
            AdapterId("task", longest)
        if language == source:
            raise ConfigError(f"the examples are in {source} already; {as_typed(lang=lang)} is to be another language.")
        files = _files(parallel)
        read = _read(data, reading, task_type=task_type, language=source)
        read = replace(read, examples=[replace(each, language=each.language or source) for each in read.examples])
        head = head_for(read)
        if not head.row.by_words:
            raise ConfigError(
                f"{read.description} holds {head.row.in_words}, and a transfer is for labels of texts, pairs and words."
                " Train the language adapter and the task by themselves, and put the one below the other."
            )
        measured = None if dev is None else _read(dev, reading, task_type=read.task_type, language=language)
        if measured is not None:
            _require_known(head, measured)
        sources = parallel_sources(parallels(list(files)))
        parts = [parallel_part(each, language, preferred=source) for each in sources]
        if len(files) == len(parts):  # two plain files are the sides of one part, and name no language
            files = tuple(map(_told, files, sources, parts, repeat(source)))
        sentences = _with_sentences(files, parts, source)
        started = cls(
            ways=Ways(task, language, head, words=False, sentences=bool(sentences)),
            reading=reading,
            source=source,
            data=read,
            translated=None,
            dev=measured,
            parallel=files,
            sentences=sentences,
            notes=tuple(_swapped(parts, source)),
        )
        return started.with_words()

    def with_words(self) -> "Prepared":
        """The same with the words of the examples translated, where a way that is taken would learn of them."""
        # Words of pairs of texts did not help.
        ways = replace(self.ways, words=not self.ways.head.pairs)
        if self.translated is not None or not any(head.words for head in ways.heads(self.taken(ways))):
            return self
        translated, told = _translated(self.data, ways, self.parallel, self.source)
        notes = tuple(dict.fromkeys([*self.notes, *told]))
        return replace(self, ways=replace(ways, words=translated is not None), translated=translated, notes=notes)

    def with_ways(self, ways: Ways) -> "Prepared":
        """The same with the ways that are taken. It is said where an adapter learns of less than words do."""
        told: list[str] = []
        with_sentences = replace(ways, sentences=True)
        needed = with_sentences.adapter in with_sentences.language_adapters(self.taken(with_sentences))
        if ways.trained is None and needed and not self.sentences:
            told = ["the text has words and names alone, so no language adapter is trained"]
        elif ways.trained is None and needed and self.sentences != self.parallel:
            learns = ", ".join(self.sentences)
            told = [f"a language adapter is trained on {learns} alone: the other text has words and names"]
        return replace(self, ways=ways, notes=(*self.notes, *told))

    def taken(self, ways: Ways) -> Sequence[Way]:
        """Those of the ways that are trained: all where they are measured, else the usual one."""
        return ways.all if self.dev is not None else (ways.usual,)

    def files(self, place: Path) -> Mapping[str, Path]:
        """Where the examples go by language, the source first. A name has a hash of what a file holds.

        So a plan can tell that something else is to be learned.
        """
        return {
            language: place / f"{self.ways.task}-{language}-{_hash(lines)}.jsonl"
            for language, lines in self.rows.items()
        }

    def projected(self, place: Path) -> Path:
        """Where sentences with projected names or parts of speech go."""
        sources = parallel_sources(parallels(list(self.sentences)))
        read = [*self.rows[self.source], *map(_content, sources)]
        return place / f"{self.ways.task}-{self.ways.language}-projected-{_hash(read)}.conll"

    def write(self, place: Path) -> None:
        """Write the examples."""
        for language, file in self.files(place).items():
            written(file, self.rows[language], overwrite=True)

    def remove_others(self, place: Path) -> None:
        """Delete examples that were written of other data, such as no plan in this folder names any more."""
        kept = {*self.files(place).values(), self.projected(place)}
        for file in place.iterdir():
            if _WRITTEN.fullmatch(file.name.removeprefix(self.ways.task)) and file not in kept:
                file.unlink()

    @cached_property
    def rows(self) -> Mapping[str, list[str]]:
        """The labelled examples by language, as rows of JSON."""
        data = {
            self.source: self.data,
            **({} if self.translated is None else {self.ways.language: self.translated.data}),
        }
        return {language: list(json_lines_of(each)) for language, each in data.items()}


def _read(
    given: "LabelledSource | TaskData", reading: ReadingOptions, *, task_type: str | None, language: str
) -> TaskData:
    """Examples as trainings read them from a file: also those that somebody put together have labels in one form."""
    read = reading.read(given, task_type=task_type, language=language)
    if not isinstance(given, TaskData):
        return read
    again = reading.read(read.examples, task_type=read.task_type, language=language)
    return replace(again, description=read.description)


def _hash(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]


def _content(source: Source) -> str:
    """What is in the files of a source, hashed, and how they are read: however they are named."""
    files = (existing_path(file) for file in _named_in(source.text))
    return ",".join([*(hashlib.sha256(file.read_bytes()).hexdigest() for file in files), source.source_lang or ""])


def _named_in(text: object) -> Iterator[str | os.PathLike[str]]:
    """The files of a source: one, two beside each other, or a list of these."""
    if isinstance(text, str | os.PathLike):
        yield text
    elif isinstance(text, list | tuple):
        for part in text:
            yield from _named_in(part)


def _files(parallel: PathOrName | Sequence[PathOrName]) -> tuple[str, ...]:
    files = (parallel,) if isinstance(parallel, str | os.PathLike) else tuple(parallel)
    if not files or not all(isinstance(file, str | os.PathLike) for file in files):
        raise ConfigError(
            "parallel of a transfer names files, for each training reads them in a process of its own; found "
            f"{parallel!r:.80}. Write the pairs to a file of JSON lines or a TSV."
        )
    return tuple(str(file) for file in files)


def _told(file: str, source: Source, part: Part, language: str) -> str:
    """A file, with what language its translations are in where that is another one: all else is in `language`."""
    theirs = part.source_language
    return file if theirs in (None, language) or source.source_lang else f"{file},source_lang={theirs}"


def _with_sentences(files: Sequence[str], parts: Sequence[Part], language: str) -> tuple[str, ...]:
    """Those of the files that do not have words alone. Two plain files are the sides of one part."""
    if len(files) != len(parts):
        return () if all(part.of_words for part in parts) else tuple(files)
    some = [file for file, part in zip(files, parts, strict=True) if not part.of_words]
    if some and len(parallel_sources(parallels(some))) != len(some):
        # Two that are left over are not to become the sides of one.
        some = [f"{file},source_lang={language}" for file in some]
    return tuple(some)


def _require_known(head: HeadConfig, dev: TaskData) -> None:
    unknown = sorted(set(dev.labels) - set(head.labels)) if head.row.unknown_labels == "refused" else []
    if unknown and head.labels:
        raise ConfigError(
            f"{as_typed(dev=...)} has the label{'s'[: len(unknown) > 1]} {', '.join(unknown)}, and the examples to "
            f"train on have {', '.join(head.labels)}. Correct the labels, or leave those examples out."
        )


def _swapped(parts: Sequence[Part], source: str) -> list[str]:
    """Warnings of pairs that look swapped, where that is not sure: what is learned may well be worse than nothing."""
    rows = list(read_parts(parts, counts=[LOOKED_AT] * len(parts)))
    return [f"warning: {problem}" for problem in swapped_parts(parts, rows, likely=source)]


def _translated(
    data: TaskData, ways: Ways, files: Sequence[str], source: str
) -> tuple[WordTranslation | None, list[str]]:
    """The examples with their words translated, and what there is to say of it; None where no word can be."""
    score = _SURE_WORDS if ways.head.task_type == "pos" else LEAST_WORD_SCORE
    try:
        found = translate_words(
            data, parallel=parallels(list(files)), lang=ways.language, source_lang=source, least_score=score
        )
    except EmptyCorpus as error:
        return None, [f"no words were translated, because the parallel text does not say what they are: {error}"]
    return found, [*(f"warning: {problem}" for problem in found.data.warnings), str(found)]
