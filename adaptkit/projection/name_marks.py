"""The marks that letters of a language have, as in `Adébáyọ̀`, put on names that have none."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random

import regex

from adaptkit.data.lexicon import read_words

_LETTER = regex.compile(r"\X")


@dataclass(frozen=True)
class NameMarks:
    """The share of a language's names that have marks, and for each plain letter how often it is written how.

    A name is a word with a capital that does not begin a text: of scripts without capitals nothing is known. Letters
    are those of words that have marks, as texts store them.
    """

    share: float
    letters: Mapping[str, Mapping[str, int]]

    @classmethod
    def of(cls, texts: Iterable[str]) -> "NameMarks":
        """As these texts have them."""
        words: Counter[str] = Counter()
        names: Counter[str] = Counter()
        for first, *others in filter(None, map(read_words, texts)):
            words.update([first.text, *(word.text for word in others)])
            names.update(word.text for word in others if word.text[0].isupper())
        letters: dict[str, Counter[str]] = {}
        for word, count in words.items():
            for letter in _LETTER.findall(word.lower()) if _has_marks(word) else ():
                letters.setdefault(_without_marks(letter), Counter())[letter] += count
        n_marked = sum(count for name, count in names.items() if _has_marks(name))
        return cls(n_marked / max(1, names.total()), letters)

    def put_on(self, word: str, random: Random) -> str:
        """A name with marks drawn for its letters, as often as names have any; one that has some stays."""
        if random.random() >= self.share or _has_marks(word):
            return word
        return "".join(self._drawn(letter, random) for letter in _LETTER.findall(word))

    def _drawn(self, letter: str, random: Random) -> str:
        written = self.letters.get(letter.lower())
        if written is None:
            return letter
        (drawn,) = random.choices(list(written), list(written.values()))
        return drawn.upper() if letter.isupper() else drawn


def _has_marks(word: str) -> bool:
    return _without_marks(word) != unicodedata.normalize("NFD", word)


def _without_marks(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
