"""`translate_words`: labelled examples in a language that has none, from those of another, word by word."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from random import Random

from adaptkit.bounds import Bounds, require_within
from adaptkit.config import LEAST_WORD_SCORE
from adaptkit.data.lexicon import Lexicon, read_words
from adaptkit.data.mix import Parallels
from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError, EmptyCorpus
from adaptkit.labelled import LabelledSource, ReadingOptions, json_lines_of, texts_of
from adaptkit.languages import canonical_tag
from adaptkit.projection.learned_words import LearnedWords, is_in, learned_words
from adaptkit.projection.name_marks import NameMarks
from adaptkit.projection.written import require_json_lines, written
from adaptkit.task_types import TASK_TYPES
from adaptkit.terminal.amounts import counted
from adaptkit.terminal.asking import as_typed

_BOUNDS = {"least_score": Bounds(least=0, most=1)}
_FEW = 0.3
"""Examples of which fewer words are translated are in neither language."""
_log = logging.getLogger("adaptkit")


@dataclass(frozen=True, kw_only=True)
class WordTranslation:
    """Labelled examples in a language, for `train_adapter(task=..., data=[english, translated.data])`.

    Attributes:
        language: the tag of the language.
        data: the examples with their labels.
        n_words: running words of the examples, without those of names.
        n_known: those of them that got a translation, right or wrong.
        n_entries: words whose translation was learned.
        n_pairs: pairs of sentences, or of words, that it was learned from.
    """

    language: str
    data: TaskData
    n_words: int
    n_known: int
    n_entries: int
    n_pairs: int

    @property
    def known(self) -> float:
        """The share of words that were translated, 0 to 1."""
        return self.n_known / max(1, self.n_words)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the examples as JSON lines, which `read_labelled` and training read, whole or not at all.

        Raises:
            ConfigError: There is such a file and `overwrite` is not set, or the name says that it holds something else.
            CannotWrite: The file cannot be written.
        """
        require_json_lines(Path(path))
        return written(path, json_lines_of(self.data), overwrite=overwrite)

    def __str__(self) -> str:
        known = f"{self.n_known:,} of {self.n_words:,} words translated ({self.known:.0%})"
        learned = f"{counted(self.n_entries, 'word')} of {counted(self.n_pairs, 'pair')} of the parallel text"
        return f"{counted(len(self.data.examples), 'example')} in {self.language}: {known}, by {learned}"


def translate_words(
    data: "LabelledSource | TaskData",
    *,
    parallel: "Parallels",
    lang: str,
    source_lang: str = "en",
    least_score: float = LEAST_WORD_SCORE,
    task_type: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> WordTranslation:
    """Translate labelled examples into a language word by word, so that a task can be trained in both.

    What each word means is learned from sentences with translations, by alignment (`adaptkit.data.alignment`). Words
    keep their places. A word that is not known stays, and so does one of an entity, as most names are copied; so labels
    stay right, also those of single words. But names get marks (`Adébáyọ̀`), drawn at random, as often as the language's
    own have them: else a task learns that a word with marks is no name. It is no translation to read: word order and
    endings are those of the other language. That examples with words replaced so bring a task to a language is from Qin
    et al. 2020, arXiv:2006.06402, and Wang et al. 2022, arXiv:2203.09435.

    Args:
        data: labelled examples: what `read_labelled` reads, or gives.
        parallel: sentences in the language with translations, as in `train_adapter`; a dictionary is read so too.
        lang: the language to translate into.
        source_lang: the language of examples, and of translations, that do not say theirs. Others are left out.
        least_score: how surely two words go together at least, from 0 to 1 (always, and with no other).
        task_type: else it is recognised from the columns.
        columns: the column of each role, where its name is not recognised, as in `read_labelled`.

    Raises:
        ConfigError: A task type whose labels do not stay right, numbers that cannot be right, or pairs that are surely
            swapped.
        DataError: Examples or parallel text that are not there or malformed.
        EmptyCorpus: No example in that language, or no pair that translates it.
    """
    require_within(_BOUNDS, least_score=least_score)
    language, source = canonical_tag(lang), canonical_tag(source_lang)
    if language == source:
        raise ConfigError(f"the examples are in {source} already; {as_typed(lang=lang)} is to be another language.")
    read = ReadingOptions(columns=columns or {}).read(data, task_type=task_type)
    row = TASK_TYPES[read.task_type]
    if not row.by_words:
        raise ConfigError(
            f"{read.description} holds {row.in_words}, which is not translated by words: that is for single texts and "
            "pairs, and for tagged words."
        )
    told = {example.language for example in read.examples}
    meant = {each for each in told if each is None or is_in(canonical_tag(each), source)}
    examples = [example for example in read.examples if example.language in meant]
    if not examples:
        raise EmptyCorpus(f"{read.description} has no example in {source}; give {as_typed(source_lang=...)}.")
    known = {word.key for example in examples for text in texts_of(example) for word in read_words(text)}
    learned = learned_words(parallel, language, source, least_score, known)
    words = _Words(learned)
    translated = [
        replace(row.with_words(example, words.translated, words.name), language=language) for example in examples
    ]
    n_left_out = len(read.examples) - len(examples)
    found = WordTranslation(
        language=language,
        data=replace(
            read,
            examples=translated,
            description=f"{read.description}, its words translated into {language} by {learned.described}",
            dropped={**read.dropped, **({f"not in {source}": n_left_out} if n_left_out else {})},
            warnings=(*read.warnings, *learned.problems),
        ),
        n_words=words.n,
        n_known=words.n_known,
        n_entries=len(learned.entries),
        n_pairs=learned.n_pairs,
    )
    for problem in found.data.warnings:
        _log.warning("warning: %s.", problem.removesuffix("."))
    if found.known < _FEW:
        _log.warning("warning: %s. Of so few words nothing can be learned; give more parallel text.", found)
    return found


class _Words:
    """Texts with their words translated, and a count of both."""

    def __init__(self, learned: LearnedWords) -> None:
        self.n = self.n_known = 0
        self._lexicon = Lexicon(tuple(learned.entries.items()), stems="none")
        self._texts = learned.texts
        self._random = Random(0)  # noqa: S311 - nothing secret

    @cached_property
    def _marks(self) -> NameMarks:
        """Looked for as soon as there is a name: most tasks have none."""
        return NameMarks.of(self._texts)

    def translated(self, text: str) -> str:
        n_known, n = self._lexicon.known(text)
        self.n_known, self.n = self.n_known + n_known, self.n + n
        return self._lexicon.glossed(text, self._random)

    def name(self, word: str) -> str:
        return self._marks.put_on(word, self._random)
