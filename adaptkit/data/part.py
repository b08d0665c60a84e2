"""A source of a training text, opened: its sentences, and what is said of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, zip_longest
from statistics import median

from adaptkit.data.corpus import Corpus, open_corpus
from adaptkit.data.direction import LOOKED_AT, Order
from adaptkit.data.fullness import n_words
from adaptkit.data.letters import NormalForm, normalized
from adaptkit.data.licences import NOT_STATED
from adaptkit.data.parallel import ParallelCorpus, PartOfCorpus, open_parallel
from adaptkit.data.sentence import Sentence
from adaptkit.data.source import Source
from adaptkit.errors import ConfigError
from adaptkit.terminal.asking import as_typed
from adaptkit.terminal.plain_text import one_line

Rows = Callable[[], Iterator[Sentence]]
_MOST_NAMES = 3
_MOST_OF_A_WORD = 2
"""Words of half of the entries of a dictionary, at most, on both sides."""
_LETTERS_OF_A_WORD = 8
"""In a script without spaces, in which a whole sentence stands between two of them."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Sentences of one source.

    Attributes:
        name: what cards and messages call it.
        rows: starts a reading.
        weight: how often one of its lines is drawn beside those of the others.
        licence: of its text.
        language: the canonical tag of its sentences.
        source_language: that of the translations, where it is stated.
        languages: in words, which language is translated into which; empty without translations.
        repeatable: whether it can be read again.
        of_names: whether it is known to have names, such as those of emoji, and no sentences.
        order: what says which language is where; None where it is not known, or several files differ in it.
        pieces: of several files that can be read again, what each is.
        n_skipped: pairs that the latest reading skipped because a side was empty.
    """

    name: str
    rows: Rows
    weight: float = 1.0
    licence: str = NOT_STATED
    language: str = ""
    source_language: str | None = None
    languages: str = ""
    repeatable: bool = True
    of_names: bool = False
    order: Order | None = None
    pieces: Sequence[PartOfCorpus] = ()
    n_skipped: Callable[[], int] = lambda: 0

    def __str__(self) -> str:
        return f"{self.name} ({self.languages})" if self.languages else self.name

    @property
    def of_words(self) -> bool:
        """Whether it has words and names, as a dictionary, and no sentences; by its first rows, which are read for it.

        A part that can be read once is not asked.
        """
        if self.of_names or not self.repeatable:
            return self.of_names
        rows = list(islice(self.rows(), LOOKED_AT))
        lengths = [max(map(_length, (row.text, row.translation))) for row in rows if row.translation is not None]
        return bool(lengths) and median(lengths) <= _MOST_OF_A_WORD

    def kept(self) -> "Part":
        """The same, so that it can be read again: one that can be read once is read, and kept in memory."""
        if self.repeatable:
            return self
        rows = list(self.rows())
        return replace(self, rows=lambda: iter(rows), repeatable=True)


def _length(text: str) -> float:
    """How many words a text has, more or less."""
    return max(len(text.split()), n_words(text) / _LETTERS_OF_A_WORD)


def text_part(source: Source, language: str) -> Part:
    """Open text without translations.

    Raises:
        DataError, ConfigError: as `open_corpus`; or a language of translations is named.
    """
    if source.source_lang is not None:
        raise ConfigError(
            f"{as_typed(source_lang=source.source_lang)} is the language of translations, and text without any has "
            "none; leave it out."
        )
    corpus = open_corpus(source.text, column=source.column, language=language)
    return Part(
        name=source.name or one_line(corpus.description),
        rows=lambda: _sentences(corpus),
        weight=source.weight,
        licence=source.licence,
        language=language,
        repeatable=corpus.repeatable,
    )


def parallel_part(source: Source, language: str, *, preferred: str | None = None) -> Part:
    """Open text with translations, those in the `preferred` language where there are several and none is named.

    Raises:
        DataError, ConfigError: as `open_parallel`; or a column is named, as of text without translations.
    """
    if source.column is not None:
        raise ConfigError(
            f"{as_typed(column=source.column)} names a column of text without translations, and in text with "
            "translations columns are called by their languages; leave it out."
        )
    corpus = open_parallel(source.text, target=language, source_language=source.source_lang, preferred=preferred)
    part = part_of(corpus, language)
    return replace(part, name=source.name or part.name, weight=source.weight, licence=source.licence)


def part_of(corpus: ParallelCorpus, language: str) -> Part:
    """Text with translations that is open already, as a part that nothing more is known of."""
    stated = corpus.source_language
    return Part(
        name=one_line(corpus.description),
        rows=lambda: (Sentence(sentence, translation) for translation, sentence in corpus.pairs()),
        language=language,
        source_language=stated,
        languages=f"{stated} to {language}" if stated else f"to {language} from a language not stated",
        repeatable=corpus.repeatable,
        of_names=corpus.of_names,
        order=corpus.order,
        pieces=corpus.parts,
        n_skipped=lambda: corpus.empty_pairs,
    )


def in_words(parts: Sequence[Part]) -> str:
    """Name the parts, the first few of many."""
    named = "; ".join(map(str, parts[:_MOST_NAMES]))
    more = f" and {len(parts) - _MOST_NAMES} more" if len(parts) > _MOST_NAMES else ""
    return named if len(parts) == 1 else f"{len(parts)} sources: {named}{more}"


def read_parts(
    parts: Sequence[Part], form: NormalForm | None = None, counts: Sequence[int | None] = ()
) -> Iterator[Sentence]:
    """Read one part after the other, each sentence with its part's number, and documents numbered on.

    `counts` says how many sentences of each part are read.
    """
    first = 0
    for number, (part, count) in enumerate(zip_longest(parts, counts)):
        document = 0
        for row in islice(part.rows(), count):
            document = row.document
            yield Sentence(
                normalized(row.text, form),
                None if row.translation is None else normalized(row.translation, form),
                first + document,
                number,
            )
        first += document + 1


def _sentences(corpus: Corpus) -> Iterator[Sentence]:
    for document, text in corpus.in_documents():
        yield from (Sentence(line, document=document) for line in text.splitlines() if line.strip())
