"""A source of a training text, opened: its sentences, and what is said of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, zip_longest

from adaptkit.data.corpus import Corpus, open_corpus
from adaptkit.data.direction import direction_of
from adaptkit.data.letters import NormalForm, normalized
from adaptkit.data.licences import NOT_STATED
from adaptkit.data.parallel import open_parallel
from adaptkit.data.sentence import Sentence
from adaptkit.data.source import Source
from adaptkit.terminal.plain_text import one_line

Rows = Callable[[], Iterator[Sentence]]
_MOST_NAMES = 3


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
    n_skipped: Callable[[], int] = lambda: 0

    def __str__(self) -> str:
        return f"{self.name} ({self.languages})" if self.languages else self.name

    def kept(self) -> "Part":
        """The same, so that it can be read again: one that can be read once is read, and kept in memory."""
        if self.repeatable:
            return self
        rows = list(self.rows())
        return replace(self, rows=lambda: iter(rows), repeatable=True)


def text_part(source: Source, language: str) -> Part:
    """Open text without translations.

    Raises:
        DataError, ConfigError: as `open_corpus`.
    """
    corpus = open_corpus(source.text, column=source.column, language=language)
    return Part(
        name=source.name or one_line(corpus.description),
        rows=lambda: _sentences(corpus),
        weight=source.weight,
        licence=source.licence,
        language=language,
        repeatable=corpus.repeatable,
    )


def parallel_part(source: Source, language: str) -> Part:
    """Open text with translations.

    Raises:
        DataError, ConfigError: as `open_parallel`.
    """
    corpus = open_parallel(source.text, target=language, source_language=source.source_lang)
    stated = corpus.source_language
    return Part(
        name=source.name or one_line(corpus.description),
        rows=lambda: (Sentence(sentence, translation) for translation, sentence in corpus.pairs()),
        weight=source.weight,
        licence=source.licence,
        language=language,
        source_language=stated,
        languages=f"{stated} to {language}" if stated else f"to {language} from a language not stated",
        repeatable=corpus.repeatable,
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


def swapped_parts(parts: Sequence[Part], rows: Sequence[Sentence]) -> Iterator[str]:
    """Sources whose two sides look swapped."""
    for number, part in enumerate(parts):
        own = (row for row in rows if row.part == number)
        direction = direction_of(own, part.language, part.source_language)
        if direction is not None and (problem := direction.problem()):
            yield f"{part.name}: {problem}"


def _sentences(corpus: Corpus) -> Iterator[Sentence]:
    for document, text in corpus.in_documents():
        yield from (Sentence(line, document=document) for line in text.splitlines() if line.strip())
