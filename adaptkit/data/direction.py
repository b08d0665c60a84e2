"""Which side of pairs is the sentence and which its translation: what was taken, and whether it looks the other way."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Literal, NamedTuple, TypeAlias

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
from adaptkit.terminal.asking import for_reader
from adaptkit.terminal.plain_text import one_line

Order: TypeAlias = Literal["columns", "files", "pairs", "names"]
"""What says which language is where: the order of two columns, of two files or in pairs; or names of languages."""

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
_WAY_OUT: Mapping[Order | None, str] = {
    "columns": "Swap the columns, or name their languages in a first line",
    "files": "Give the two files in the other order",
    "pairs": "Turn each pair round",
    "names": "Correct the names of the languages",
    None: "Swap the two sides",
}
_BELIEVED: Mapping[Order | None, str] = {
    "columns": "A first line that names the languages",
    "files": "One file of two columns with a first line that names the languages",
    "pairs": "A file of two columns with a first line that names the languages",
}
"""What is read although it looks swapped, where only an order says which language is where."""


class _Evidence(NamedTuple):
    """What shows that pairs are swapped, whether that is sure, and what may be so where they are not."""

    sure: bool
    reason: str
    if_right: str = ""


@dataclass(frozen=True)
class Direction:
    """The first pairs of a source.

    `language` is that of the sentences, `source` that of their translations, where it is stated, and `likely` where it
    is not, and one is taken for granted. `known` are some words of the translations' language, as `read_words` has
    them: they tell the sides of a dictionary. `order` is what says which side is which, where that is known.
    """

    pairs: tuple[tuple[str, str], ...]
    language: str
    source: str | None = None
    known: Collection[str] = frozenset()
    likely: str | None = None
    order: Order | None = None

    def __str__(self) -> str:
        translation, sentence = (one_line(side, at_most=_SHOWN) for side in self.pairs[0])
        return f"“{sentence}” is read as {self._name}, and “{translation}” as its translation"

    def problem(self) -> str | None:
        """Why the two sides look swapped, in a sentence; None where nothing shows that."""
        if (found := self._strongest) is None:
            return None
        if_right = f" If the order is right{found.if_right}." if found.if_right else ""
        return (
            f"the two sides look swapped: {found.reason}. A pair is a translation first, then the sentence in "
            f"{self._name}. {_WAY_OUT[self.order]}.{if_right}"
        )

    def refusal(self) -> str | None:
        """Why they cannot be read so, with what is read all the same; None where a warning is enough."""
        believed = _BELIEVED.get(self.order)
        if believed is None or not self.is_surely_swapped:
            return None
        return f"{self.problem()} {believed} is believed in any case, with a warning."

    def reason(self) -> str | None:
        """What shows that they are; pairs may be of lines that have nothing to do with each other."""
        return self._strongest and self._strongest.reason

    @property
    def is_surely_swapped(self) -> bool:
        """Whether scripts or words of the two languages show it, of which that of the translations may be likely alone.

        A sentence may be in a script that its language is rarely written in, and a creole full of words of the likely
        language: neither is sure.
        """
        return self._strongest is not None and self._strongest.sure

    @property
    def _name(self) -> str:
        return language_name(self.language)

    @property
    def _sides(self) -> tuple[list[str], list[str]]:
        """Translations, and sentences."""
        return [first for first, _ in self.pairs], [second for _, second in self.pairs]

    @cached_property
    def _strongest(self) -> _Evidence | None:
        """The first that is sure, else the first."""
        first: _Evidence | None = None
        for found in self._evidence():
            if found.sure:
                return found
            first = first or found
        return first

    def _evidence(self) -> Iterator[_Evidence]:
        if by_script := self._by_script():
            yield by_script
        yield from self._by_words()
        if by_known := self._by_known():
            yield _Evidence(False, by_known)

    def _by_script(self) -> _Evidence | None:
        usual = usual_scripts(self.language)
        translations, sentences = self._sides
        if not usual or _share_in(translations, usual) <= _MOSTLY or _share_in(sentences, usual) >= 1 - _MOSTLY:
            return None
        scripts = _scripts(sentences)
        script = max(scripts, key=lambda each: scripts[each], default=None)
        reason = (
            f"the side read as {self._name} is in {name_of_script(script) if script else 'no'} script, and the other "
            f"side in {' and '.join(sorted(map(name_of_script, usual)))}, in which {self._name} is usually written"
        )
        if_right = f", give the script with the language: {self._own}-{script}" if script else ""
        return _Evidence(self._is_in_script_of_source(sentences, usual), reason, if_right)

    def _is_in_script_of_source(self, sentences: Sequence[str], usual: frozenset[str]) -> bool:
        """Whether sentences are in a script of the translations' language; where that is only likely, not in another.

        Serbian in Latin beside Russian is in the script of English too.
        """
        source = self.source or self.likely
        if source is None or _share_in(sentences, usual_scripts(source) - usual) <= _MOSTLY:
            return False
        words = None if self.source or _too_few(sentences) else share_of_frequent_words(sentences, source)
        return words is None or words >= _IN_A_LANGUAGE

    def _by_words(self) -> Iterator[_Evidence]:
        """By the most frequent words: the translations' language among the sentences, or this language's opposite."""
        translations, sentences = self._sides
        if _too_few(sentences):
            return
        source = self.source or self.likely
        # Relatives have words in common, so that of these only the one that is stated is asked about.
        others = filter(self._is_no_relative, with_frequent_words()) if self.source is None else ()
        for tag in filter(None, (source, *others)):
            if tag != self._own and _is_in(sentences, tag, rather_than=translations):
                looks = f"the side read as {self._name} looks like {language_name(tag)}, and the other side does not"
                sure = tag == source and (self.source is not None or self._is_no_relative(tag))
                yield _Evidence(sure, looks, self._if_not_from(tag))
                break
        if _is_in(translations, self.language, rather_than=sentences):
            looks = f"the side read as translations looks like {self._name}, and the other side does not"
            yield _Evidence(True, looks)

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

    def _if_not_from(self, tag: str) -> str:
        """What to do where the translations are not in this language, which nobody stated."""
        if self.source is not None:
            return ""
        how = for_reader("Source(..., source_lang=...)", in_shell="FILE,source_lang=...")
        return f" and the translations are in another language than {language_name(tag)}, name that one: {how}"

    @property
    def _own(self) -> str:
        """The language without its script and region."""
        return self.language.partition("-")[0]

    def _is_no_relative(self, tag: str) -> bool:
        return len(shared_branches(self.language, tag)) <= _FAR_APART


def direction_of(
    rows: Iterable[Sentence],
    language: str,
    source: str | None = None,
    known: Collection[str] = frozenset(),
    likely: str | None = None,
    order: Order | None = None,
) -> Direction | None:
    """The direction of the first pairs among the rows; None where there are none."""
    pairs = tuple((row.translation, row.text) for row in islice(rows, LOOKED_AT) if row.translation is not None)
    return Direction(pairs, language, source, known, likely, order) if pairs else None


def _too_few(texts: Iterable[str]) -> bool:
    return sum(len(text.split()) for text in texts) < _LEAST_WORDS


def _is_in(texts: Sequence[str], tag: str, *, rather_than: Sequence[str]) -> bool:
    """Whether the most frequent words of a language are many in some texts, and few in the others."""
    here, there = share_of_frequent_words(texts, tag), share_of_frequent_words(rather_than, tag)
    return here is not None and there is not None and here >= max(_IN_A_LANGUAGE, _TIMES_AS_MANY * there)


def _scripts(texts: Iterable[str]) -> Counter[str]:
    return sum(map(count_scripts, texts), Counter[str]())


def _share_in(texts: Iterable[str], scripts: frozenset[str]) -> float:
    counts = _scripts(texts)
    return sum(counts[script] for script in scripts) / max(1, counts.total())
