"""Pairs of a text and its translation, from wherever `parallel=` reads them, as examples of a task."""

from typing import Any

from adaptkit.data.parallel import open_parallel
from adaptkit.data.part import part_of
from adaptkit.data.sentence import Sentence
from adaptkit.data.swapped_parts import swapped_in
from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError
from adaptkit.languages import canonical_tag
from adaptkit.task_types import Translation
from adaptkit.terminal.asking import as_typed


def read_translations(source: Any, *, language: str | None, source_language: str | None) -> TaskData:  # noqa: ANN401
    """Read pairs of a text and its translation into `language`: what `adaptkit.data.parallel.open_parallel` reads.

    Raises:
        ConfigError: It is not said which languages they are in.
        DataError: Pairs that are not there or malformed.
    """
    if language is None:
        raise ConfigError(
            f"a translation needs to know which language it is into: give {as_typed(lang='sw')}, or data by language."
        )
    corpus = open_parallel(source, target=language, source_language=source_language)
    tag = source_language if corpus.source_language is None else corpus.source_language
    if tag is None:
        raise ConfigError(
            f"{corpus.description} does not say which language is translated from; give {as_typed(source_lang='en')}."
        )
    examples = [
        Translation(source=text, target=target, language=canonical_tag(language), source_language=canonical_tag(tag))
        for text, target in corpus.pairs()
    ]
    rows = (Sentence(each.target, each.source) for each in examples)
    swapped = swapped_in(part_of(corpus, canonical_tag(language)), rows)
    dropped = {"a side is empty": corpus.empty_pairs} if corpus.empty_pairs else {}
    return TaskData(
        task_type="translation",
        examples=examples,
        labels=(),
        description=corpus.description,
        dropped=dropped,
        warnings=(swapped,) if swapped else (),
    )
