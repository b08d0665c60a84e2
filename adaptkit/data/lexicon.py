"""Dictionaries: words of a language with their translations, and where they occur in a text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, takewhile
from random import Random
from typing import Literal, NamedTuple, TypeAlias, get_args

import regex

from adaptkit.data.letters import normalized
from adaptkit.data.licences import NOT_STATED
from adaptkit.errors import ConfigError, EmptyCorpus

Entry: TypeAlias = tuple[str, str]
Stems: TypeAlias = Literal["none", "begin", "both"]

_WORD = regex.compile(r"(?![ʼʻ])\p{L}[\p{L}\p{M}\p{N}'’ʼʻ`]*")
"""Apostrophes that Unicode has as letters begin no word, as others do not."""
_APOSTROPHES = str.maketrans(dict.fromkeys("’ʼʻ`", "'"))
_BETWEEN = regex.compile(r"[\s\-\u0f0b\u0f0c]*")
"""What may stand between the words of one entry: space, a hyphen, the point between Tibetan syllables."""
_POINT_BESIDE = regex.compile(r"^[\u0f0b\u0f0c]|[\u0f0b\u0f0c]$")
_LEAST_STEM = 4


class Word(NamedTuple):
    """A word as it is written, and as it is looked up."""

    text: str
    key: str


class Match(NamedTuple):
    """Characters `start` to `end` of a text, which are `n_words` words of it, and what the dictionary has for them."""

    start: int
    end: int
    n_words: int
    translations: tuple[str, ...]


@dataclass(frozen=True)
class Lexicon:
    """A dictionary: what its words are in another language, such as English. Words are told by `as_looked_up`.

    In a text the longest entry counts, of several words too. A word that is no entry stands for the longest entry of at
    least four letters, and half of the word, with which it begins (`stems="begin"`), or else with which it ends
    (`"both"`); `"none"` takes entries as they are. That is all that is done about the forms of a word.

    Raises:
        EmptyCorpus: It has no entry.
        ConfigError: No such `stems`.
    """

    entries: tuple[Entry, ...]
    description: str = "a dictionary"
    stems: Stems = "begin"
    licence: str = NOT_STATED

    def __post_init__(self) -> None:
        if self.stems not in get_args(Stems):
            raise ConfigError(f"stems is {', '.join(get_args(Stems))}, found {self.stems!r}.")
        # Not by the index, which is made when it is first asked for.
        if not any(_WORD.search(word) for word, _ in self.entries):
            raise EmptyCorpus(f"{self.description} has no word with a translation.")

    def __len__(self) -> int:
        return len(self.entries)

    def matches(self, text: str) -> list[Match]:
        """Where the dictionary knows words of a text, from left to right."""
        words = list(_WORD.finditer(text))
        keys = [as_looked_up(word[0]) for word in words]
        together = [True, *(bool(_BETWEEN.fullmatch(text, a.end(), b.start())) for a, b in pairwise(words))]
        found, at = [], 0
        while at < len(words):
            n_words, translations = self._entry_at(keys, together, at)
            if translations:
                found.append(Match(words[at].start(), words[at + n_words - 1].end(), n_words, translations))
            at += n_words
        return found

    def known(self, text: str) -> tuple[int, int]:
        """How many running words of a text it knows, and how many there are."""
        return sum(match.n_words for match in self.matches(text)), sum(1 for _ in _WORD.finditer(text))

    def glossed(self, text: str, random: Random, *, share: float = 1.0) -> str:
        """A text with known words in the other language: each with probability `share`, by one of its translations."""
        pieces, end = [], 0
        for match in self.matches(text):
            translation = random.choice(match.translations)
            if random.random() < share:
                pieces.append(_POINT_BESIDE.sub(" ", text[end : match.start]))
                pieces.append(_capital(translation) if text[match.start].isupper() else translation)
                end = match.end
        return "".join([*pieces, _POINT_BESIDE.sub(" ", text[end:]) if end else text])

    def _entry_at(self, keys: Sequence[str], together: Sequence[bool], at: int) -> tuple[int, tuple[str, ...]]:
        """How many words the entry has that begins here, 1 where there is none, and its translations."""
        most = self._longest.get(keys[at], 1)
        most = 1 + sum(1 for _ in takewhile(bool, together[at + 1 : at + most]))
        for n_words in range(most, 0, -1):
            if found := self._translations.get(tuple(keys[at : at + n_words])):
                return n_words, found
        return 1, self._by_stem(keys[at])

    def _by_stem(self, word: str) -> tuple[str, ...]:
        if self.stems == "none":
            return ()
        least = max(_LEAST_STEM, (len(word) + 1) // 2)
        # A text without spaces may be one word of millions of letters.
        lengths = range(min(len(word) - 1, self._most_letters), least - 1, -1)
        stems = [word[:length] for length in lengths]
        stems += [word[-length:] for length in lengths] if self.stems == "both" else []
        return next((found for stem in stems if (found := self._translations.get((stem,)))), ())

    @cached_property
    def _translations(self) -> Mapping[tuple[str, ...], tuple[str, ...]]:
        """Of the words of each entry, its translations in their order, each once."""
        found: dict[tuple[str, ...], dict[str, None]] = {}
        for entry, translation in self.entries:
            if key := tuple(map(as_looked_up, _WORD.findall(entry))):
                found.setdefault(key, {})[translation] = None
        return {key: tuple(translations) for key, translations in found.items()}

    @cached_property
    def _most_letters(self) -> int:
        """How long the longest entry of one word is."""
        return max((len(words[0]) for words in self._translations if len(words) == 1), default=0)

    @cached_property
    def _longest(self) -> Mapping[str, int]:
        """Of the first word of each entry, the most words that an entry has which begins so."""
        longest: dict[str, int] = {}
        for words in self._translations:
            longest[words[0]] = max(len(words), longest.get(words[0], 1))
        return longest


def read_words(text: str) -> list[Word]:
    """The words of a text as a dictionary knows them, from left to right."""
    return [Word(word, as_looked_up(word)) for word in _WORD.findall(text)]


def as_looked_up(word: str) -> str:
    """A word as it is looked up: NFC, in lower case (casefold), its apostrophes alike, and none at its ends."""
    return normalized(normalized(word, "NFC").casefold(), "NFC").translate(_APOSTROPHES).strip("'")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
