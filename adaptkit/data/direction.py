"""Which side of pairs is the sentence and which its translation: what was taken, and whether it looks the other way."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from adaptkit.data.lexicon import read_words
from adaptkit.data.sentence import Sentence
from adaptkit.languages import (
    count_scripts,
    language_name,
    name_of_script,
    share_of_frequent_words,
    shared_branches,
    usual_scripts,
    with_frequent_words,
)
from adaptkit.terminal.plain_text import one_line

LOOKED_AT = 200
_SHOWN = 60
_LEAST_WORDS = 40
_IN_A_LANGUAGE = 0.12
"""Of 42 texts, a language's own frequent words were 14 to 36 %, and 10 % at most of those in an unrelated one."""
_TIMES_AS_MANY = 3
_LEAST_KNOWN = 5
"""Entries of a dictionary are known words less often than sentences are, where only some words are known."""
_MOSTLY = 0.5
_FAR_APART = 2
"""Branches that English and Hindi have in common, or French and Albanian."""


@dataclass(frozen=True)
class Direction:
    """The first pairs of a source.

    `language` is that of the sentences, `source` that of their translations, where it is stated, and `likely` where it
    is not, and one is taken for granted. `known` are some words of the translations' language, as `read_words` has
    them: they tell the sides of a dictionary.
    """

    pairs: tuple[tuple[str, str], ...]
    language: str
    source: str | None = None
    known: Collection[str] = frozenset()
    likely: str | None = None

    def __str__(self) -> str:
        translation, sentence = (one_line(side, at_most=_SHOWN) for side in self.pairs[0])
        return f"“{sentence}” is read as {self._name}, and “{translation}” as its translation"

    def problem(self) -> str | None:
        """Why the two sides look swapped, in a sentence; None where nothing shows that."""
        reason = self.reason()
        if reason is None:
            return None
        return (
            f"the two sides look swapped: {reason}. A pair is a translation first, then the sentence in {self._name}. "
            "Swap the columns, or, in a file with tabs, name their languages in a first line."
        )

    def reason(self) -> str | None:
        """What shows that they are; pairs may be of lines that have nothing to do with each other."""
        return next((reason for _, reason in self._evidence()), None)

    @property
    def is_surely_swapped(self) -> bool:
        """Whether scripts show it, or words of this language or of that of the translations, stated or likely."""
        return any(sure for sure, _ in self._evidence())

    @property
    def _name(self) -> str:
        return language_name(self.language)

    @property
    def _sides(self) -> tuple[list[str], list[str]]:
        """Translations, and sentences."""
        return [first for first, _ in self.pairs], [second for _, second in self.pairs]

    def _evidence(self) -> Iterator[tuple[bool, str]]:
        """What shows it, each with whether that is sure."""
        if by_script := self._by_script():
            yield True, by_script
        yield from self._by_words()
        if by_known := self._by_known():
            yield False, by_known

    def _by_script(self) -> str | None:
        usual = usual_scripts(self.language)
        translations, sentences = self._sides
        if not usual or _share_in(translations, usual) <= _MOSTLY or _share_in(sentences, usual) >= 1 - _MOSTLY:
            return None
        found = _scripts(sentences).most_common(1)
        there = name_of_script(found[0][0]) if found else "no"
        return (
            f"the side read as {self._name} is in {there} script, and the other side in "
            f"{' and '.join(sorted(map(name_of_script, usual)))}, in which {self._name} is usually written"
        )

    def _by_words(self) -> Iterator[tuple[bool, str]]:
        """By the most frequent words: the translations' language among the sentences, or this language's opposite."""
        translations, sentences = self._sides
        if sum(len(side.split()) for side in sentences) < _LEAST_WORDS:
            return
        own = self.language.partition("-")[0]
        source = self.source or self.likely
        # Relatives have words in common, so that of these only the one that is stated is asked about.
        others = filter(self._is_no_relative, with_frequent_words()) if self.source is None else ()
        for tag in filter(None, (source, *others)):
            if tag != own and _is_in(sentences, tag, rather_than=translations):
                looks = f"the side read as {self._name} looks like {language_name(tag)}, and the other side does not"
                yield tag == source, looks
                break
        if _is_in(translations, self.language, rather_than=sentences):
            yield True, f"the side read as translations looks like {self._name}, and the other side does not"

    def _by_known(self) -> str | None:
        """By words that are known to be of the translations' language."""
        sides = ([word.key in self.known for side in texts for word in read_words(side)] for texts in self._sides)
        translations, sentences = map(list, sides)
        if sum(sentences) < _LEAST_KNOWN:
            return None
        there, here = (sum(side) / max(1, len(side)) for side in (translations, sentences))
        if here < _TIMES_AS_MANY * there:
            return None
        return (
            f"of the side read as {self._name}, {here:.0%} of the words are in the labelled examples, and of the other "
            f"side {there:.0%}"
        )

    def _is_no_relative(self, tag: str) -> bool:
        return len(shared_branches(self.language, tag)) <= _FAR_APART


def direction_of(
    rows: Iterable[Sentence],
    language: str,
    source: str | None = None,
    known: Collection[str] = frozenset(),
    likely: str | None = None,
) -> Direction | None:
    """The direction of the first pairs among the rows; None where there are none."""
    pairs = tuple((row.translation, row.text) for row in islice(rows, LOOKED_AT) if row.translation is not None)
    return Direction(pairs, language, source, known, likely) if pairs else None


def _is_in(texts: Sequence[str], tag: str, *, rather_than: Sequence[str]) -> bool:
    """Whether the most frequent words of a language are many in some texts, and few in the others."""
    here, there = share_of_frequent_words(texts, tag), share_of_frequent_words(rather_than, tag)
    return here is not None and there is not None and here >= max(_IN_A_LANGUAGE, _TIMES_AS_MANY * there)


def _scripts(texts: Iterable[str]) -> Counter[str]:
    return sum(map(count_scripts, texts), Counter[str]())


def _share_in(texts: Iterable[str], scripts: frozenset[str]) -> float:
    counts = _scripts(texts)
    return sum(counts[script] for script in scripts) / max(1, counts.total())
