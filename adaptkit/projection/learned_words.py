"""Words learned from sentences with translations, each with the word that it is in another language."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from adaptkit.data.alignment import linked_words
from adaptkit.data.lexicon import read_words
from adaptkit.data.licences import NOT_STATED
from adaptkit.data.mix import Parallels, parallel_sources
from adaptkit.data.part import Part, in_words, parallel_part, read_parts
from adaptkit.data.spread import spread
from adaptkit.data.swapped_parts import swapped_parts
from adaptkit.errors import EmptyCorpus
from adaptkit.terminal.amounts import counted
from adaptkit.terminal.asking import as_typed

_LOOKED_AT = 50_000
_TIMES_AS_MANY = 3
"""Sentences have not so many times the words of their translations, unless one side has no spaces between words."""


class LearnedWords(NamedTuple):
    """What words are in the language, some of its sentences, how many pairs of what text, and what may be wrong."""

    entries: Mapping[str, str]
    texts: Sequence[str]
    n_pairs: int
    described: str
    problems: tuple[str, ...]


def learned_words(
    parallel: "Parallels", language: str, source: str, least_score: float, known: Collection[str] = frozenset()
) -> LearnedWords:
    """What words of the source language are in the language; scores of links are those of `linked_words`.

    `known` are words of the source language, which show whether a dictionary has its sides swapped.

    Raises:
        DataError: Parallel text that is not there or malformed.
        ConfigError: Pairs that are surely swapped.
        EmptyCorpus: No source translates from that language, or no word is learned.
    """
    parts = parts_from(parallel, language, source, whose="the examples", instead="examples")
    rows = list(read_parts(parts))
    swapped = list(swapped_parts(parts, rows, known, source))
    pairs = [(row.translation or "", row.text) for row in rows]
    some = [pairs[number] for number in spread(len(pairs), _LOOKED_AT)]
    texts = [text for _, text in some]
    linked, inside = linked_words(pairs), _written_inside(texts)
    entries = {
        link.word: inside.get(link.translation.casefold(), link.translation)
        for link in linked.links
        if link.score >= least_score
    }
    if not entries:
        raise EmptyCorpus(
            f"{counted(len(pairs), 'pair')} of {in_words(parts)} say of no word what it is in {language}: words must "
            "come back in several sentences. Give more text."
        )
    licences = dict.fromkeys(part.licence for part in parts if part.licence != NOT_STATED)
    described = ", ".join([in_words(parts), *(f"licence {licence}" for licence in licences)])
    problems = (*swapped, *without_spaces(some, source, language))
    return LearnedWords(entries, texts, linked.n_read, described, problems)


def parts_from(parallel: "Parallels", language: str, source: str, *, whose: str, instead: str) -> list[Part]:
    """The sources that translate from the source language, or do not say from which one.

    `whose` language it is, and what may be given in another one `instead`, are for the message.

    Raises:
        DataError: Parallel text that is not there or malformed.
        EmptyCorpus: There is none.
    """
    parts = [parallel_part(each, language, preferred=source) for each in parallel_sources(parallel)]
    stated = [(part, part.source_language) for part in parts]
    if found := [part for part, tag in stated if tag is None or is_in(tag, source)]:
        return found
    raise EmptyCorpus(
        f"{in_words(parts)}: the language of {whose} is {source}, and no source translates from it. Give text with "
        f"translations into {source}, or {instead} in another language ({as_typed(source_lang=...)})."
    )


def is_in(language: str, source: str) -> bool:
    """Whether it is the language, one of its regions, or what it is a region of."""
    return f"{language}-".startswith(f"{source}-") or f"{source}-".startswith(f"{language}-")


def without_spaces(pairs: Sequence[tuple[str, str]], source: str, language: str) -> Iterator[str]:
    """Whether a side seems to be written without spaces between words, so that whole sentences count as words."""
    ours, theirs = (sum(len(read_words(pair[side])) for pair in pairs) for side in (0, 1))
    for without, n, others in ((source, ours, theirs), (language, theirs, ours)):
        if others > _TIMES_AS_MANY * n:
            yield (
                f"{n:,} words in {without} stand for {others:,} of the other language, as without spaces between "
                "words. Let a program that finds words put spaces between them, in examples in that language too"
            )


def _written_inside(texts: Sequence[str]) -> Mapping[str, str]:
    """By words in small letters, how they are written where no sentence begins, which often takes a capital letter.

    Those that are only found there have a small letter; where the word translated has a capital, they have it too.
    """
    inside: dict[str, Counter[str]] = {}
    first: dict[str, str] = {}
    for words in map(read_words, texts):
        for word in words[1:] or words:
            inside.setdefault(word.text.casefold(), Counter())[word.text] += 1
        for word in words[:1]:
            first[word.text.casefold()] = word.text.lower() if word.text[1:].islower() else word.text
    return first | {key: counts.most_common(1)[0][0] for key, counts in inside.items()}
