"""What a caller gives for an evaluation, as the values that it is made from."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, cast

from adaptkit.data.corpus import TextSource, open_corpus
from adaptkit.data.every_text import every_text
from adaptkit.data.parallel import ParallelSource
from adaptkit.data.sources import is_file
from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError, UnknownAdapter
from adaptkit.evaluation.conditions import Adapters, LanguageAdapters, names_each
from adaptkit.labelled import LabelledSource, ReadingOptions, are_examples, read_translations
from adaptkit.languages import canonical_tag
from adaptkit.model import AdaptedModel
from adaptkit.requests import Measuring, Selection
from adaptkit.storage import Adapter, load_adapter
from adaptkit.task_types import HeadConfig
from adaptkit.terminal.asking import as_typed

AdapterLike: TypeAlias = Adapter | str | os.PathLike[str]
TestData: TypeAlias = "str | os.PathLike[str] | Mapping[str, LabelledSource | TaskData | ParallelSource] | None"
RETRIEVAL = "retrieval"
"""The task that needs no head."""


def task_adapters(
    model: AdaptedModel, given: AdapterLike | Sequence[AdapterLike], *, seeds: int | None
) -> tuple[Adapter, ...]:
    """The task adapters, which differ in their training seed only; as many as there are to be seeds, or more.

    Raises:
        ConfigError: They have no head, differ in more, or are too few.
        AdapterFileError: A folder that is not an adapter.
    """
    tasks = given_adapters(model, given)
    _require_alike(tasks)
    if seeds is not None and len(tasks) < seeds:
        raise ConfigError(
            f"{seeds} seeds were asked for and {len(tasks)} task adapters given. Train the task with "
            f"{as_typed(seed=0)}, 1, ... "
            "and give them all: adapter=[first, second, third]."
        )
    return tasks


def _require_alike(tasks: Sequence[Adapter]) -> None:
    wrong = [task.id for task in tasks if task.config.head is None]
    if wrong or not tasks:
        raise ConfigError(f"{as_typed(adapter=...)} names task adapters, found {', '.join(wrong) or 'none'}.")
    if len({(task.id, task.config, task.language, task.below) for task in tasks}) > 1:
        raise ConfigError(
            "the task adapters differ in more than their seed: their ids, methods, heads, text prefixes, languages or "
            "what they were trained on top of are not the same. To compare two heads, give one of them here and name "
            f"the other one in {as_typed(stack=...)}."
        )
    if len({task.weights_sha256 for task in tasks}) < len(tasks):
        raise ConfigError("a task adapter is given twice; each seed counts once.")
    settings = [task.card.training.settings for task in tasks if task.card.training is not None]
    seeds = [found["seed"] for found in settings if "seed" in found]
    if len(set(seeds)) < len(seeds):
        raise ConfigError(
            f"the task adapters are to differ in their seed, and were trained with {', '.join(map(str, seeds))}. Train "
            f"the task with {as_typed(seed=0)}, 1, ...; compare adapters of different data in a report each."
        )


def language_of(task: Adapter, named: str | None) -> str:
    """The tag of the language that a task was trained in: the named one, or what the adapter says.

    Raises:
        ConfigError: Neither says it, or it is none.
    """
    language = named or task.language
    if language is None:
        raise ConfigError(
            f"the task adapter was trained in no named language, or in several; say {as_typed(source_language=...)}."
        )
    return canonical_tag(language)


def given_adapters(model: AdaptedModel, given: AdapterLike | Sequence[AdapterLike]) -> tuple[Adapter, ...]:
    """The adapters that are meant: values, what these names mean to the model, or what lies in these folders.

    Raises:
        AdapterFileError: A folder that is not an adapter.
    """
    entries = [given] if isinstance(given, Adapter | str | os.PathLike) else list(given)
    return tuple(entry if isinstance(entry, Adapter) else _named(model, entry) for entry in entries)


def _named(model: AdaptedModel, name: str | os.PathLike[str]) -> Adapter:
    if not isinstance(name, str):
        return load_adapter(name)
    try:
        pinned = model.pinned(name)
    except (UnknownAdapter, ConfigError):
        return load_adapter(name)
    adapter = pinned.adapters[pinned.stack.ids[0]] if len(pinned.stack.ids) == 1 else None
    return adapter if adapter is not None else load_adapter(name)


def language_adapters(model: AdaptedModel, zoo: Adapters | None, *, reads_glosses: bool) -> LanguageAdapters:
    """The language adapters of a zoo or list for this backbone; None: those that are attached.

    Where glosses are not to be read, glossaries are left out, unless each adapter was named.
    """
    if zoo is None:
        attached = (model.attached_adapter(name) for name in model.attached)
        found = LanguageAdapters(tuple(it for it in attached if it is not None and it.kind == "language"))
    else:
        found = LanguageAdapters.of(zoo, model.backbone)
    return found if reads_glosses or names_each(zoo) else found.without_glossaries()


def listed(given: str | Sequence[str]) -> list[str]:
    """Names in a list, or with commas between."""
    return [part.strip() for part in given.split(",") if part.strip()] if isinstance(given, str) else list(given)


def read_given(
    data: TestData, reading: ReadingOptions, head: HeadConfig | None = None
) -> str | os.PathLike[str] | Mapping[str, TaskData] | None:
    """The caller's own test data by language, read; a benchmark's folder or hub id as it is.

    Raises:
        ConfigError: Ways of reading were said for a benchmark, which is read in its own.
        DataError: Data that is not there or malformed.
    """
    if isinstance(data, Mapping):
        labelled = cast("Mapping[str, LabelledSource | TaskData]", data)
        return {canonical_tag(tag): _read_test(source, tag, reading, head) for tag, source in labelled.items()}
    if reading != ReadingOptions():
        raise ConfigError(
            "columns, labels, nli, score_range and quoted are for data={'sw': 'test.tsv'}, not benchmarks."
        )
    return data


def adapter_given(
    adapter: AdapterLike | Sequence[AdapterLike] | None, task: str, *, names_stack: bool
) -> AdapterLike | Sequence[AdapterLike]:
    """The task adapter, without which there is nothing to measure but retrieval.

    Raises:
        ConfigError: There is none.
    """
    if adapter is None and names_stack:
        raise ConfigError(
            f"a stack is measured beside a task adapter, and none is given: {as_typed(adapter=...)}, such as the one "
            "of the source language's labels alone."
        )
    if adapter is None:
        raise ConfigError(
            f"{task!r:.40} is measured by a task adapter, and none is given: {as_typed(adapter=...)}. Only "
            f"{as_typed(task=RETRIEVAL)} needs none."
        )
    return adapter


def pairs_given(data: TestData) -> "str | os.PathLike[str] | Mapping[str, ParallelSource]":
    """Where retrieval finds its pairs: a folder of files by language, or pairs by language.

    Raises:
        ConfigError: Nothing was given.
        UnknownLanguage: Pairs of what is no language.
    """
    if data is None:
        raise ConfigError(
            f"retrieval needs translations: a folder with a file of sentences for each language, parallel by line "
            f"({as_typed(data=...)}), or pairs by language ({as_typed(data={'sw': 'en-sw.tsv'})})."
        )
    if not isinstance(data, Mapping):
        return data
    return {canonical_tag(tag): cast("ParallelSource", pairs) for tag, pairs in data.items()}


def refuse_for_retrieval(**given: object) -> None:
    """Refuse what means something for labelled data only.

    Raises:
        ConfigError: It says what, and why.
    """
    labelled = {"adapter": (None, ()), "seeds": (None,), "stack": (None,), "reading": (None, ReadingOptions())}
    if late := [name for name, nothing in labelled.items() if given[name] not in nothing]:
        raise ConfigError(
            f"retrieval compares sentence vectors, without a head and without labels; leave {', '.join(late)} out."
        )
    measuring, selection = given["measuring"], given["selection"]
    if isinstance(measuring, Measuring) and measuring.examples:
        raise ConfigError("retrieval finds sentences among all others, so no example is turned; leave examples out.")
    if isinstance(selection, Selection) and selection != Selection(limit=selection.limit):
        raise ConfigError("pairs for retrieval have no splits and no groups; leave split and group out.")


def _read_test(source: Any, language: str, reading: ReadingOptions, head: HeadConfig | None) -> TaskData:  # noqa: ANN401
    if head is not None and head.row.writes and not isinstance(source, TaskData) and not are_examples(source):
        return read_translations(source, language=language, source_language=head.source_language)
    return reading.read(source, language=language)


def texts_by_name(given: "Mapping[str, TextSource] | Sequence[str | os.PathLike[str]]") -> dict[str, Iterable[str]]:
    """Texts by their names; those of files, where both sides of translations count, are the files' own."""
    named = given if isinstance(given, Mapping) else {Path(path).name: path for path in given}
    return {name: _texts_in(source) for name, source in named.items()}


def _texts_in(source: TextSource) -> Iterable[str]:
    if isinstance(source, str | os.PathLike) and is_file(source):
        return every_text(Path(source))
    return open_corpus(source).lines()
