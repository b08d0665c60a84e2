"""Letters with their marks, and the normal forms of Unicode, in which one text is two strings.

`ọ́` may be stored as one, two or three characters, which look the same and are equal in meaning (canonical equivalence,
UAX 15). A letter here is what readers take for one: a base with the marks that follow (an extended grapheme cluster,
UAX 29).
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Literal, TypeAlias, get_args

import numpy as np
import regex
from numpy.typing import NDArray

from adaptkit.errors import ConfigError
from adaptkit.terminal.asking import option_name

NormalForm: TypeAlias = Literal["NFC", "NFD", "NFKC", "NFKD"]
NORMAL_FORMS: tuple[NormalForm, ...] = get_args(NormalForm)

_LETTER = regex.compile(r"\X")


def check_form(form: object) -> None:
    """Refuse what is no normal form; None is none.

    Raises:
        ConfigError: It is none of the four.
    """
    if form is not None and form not in NORMAL_FORMS:
        name = option_name("normalize")
        raise ConfigError(f"{name} is {', '.join(NORMAL_FORMS)} or None (text as it is), found {form!r:.40}.")


def normalized(text: str, form: NormalForm | None) -> str:
    """A text in a normal form; None leaves it as it is."""
    return text if form is None else unicodedata.normalize(form, text)


def whole_letters(text: str, places: NDArray[np.int32]) -> NDArray[np.int32]:
    """Pieces of a text, widened to whole letters. Shape: places and result (n, 2), characters from and to."""
    if text.isascii() or not len(places):
        return places
    bounds = _letter_bounds(text)
    first = np.searchsorted(bounds, places[:, 0], side="right") - 1
    last = np.searchsorted(bounds, places[:, 1], side="left")
    return np.stack([bounds[first], bounds[last]], axis=1)


@dataclass(frozen=True)
class Respelled:
    """A text in a normal form, made letter by letter, so that places in it are places in the original.

    Shape: own_bounds, bounds (n_letters + 1): where letters begin in the original, and here; and the end.
    """

    text: str
    own_bounds: NDArray[np.int32]
    bounds: NDArray[np.int32]

    def original(self, start: int, end: int) -> tuple[int, int] | None:
        """The characters of the original that a piece of this text is; None where it ends inside a letter."""
        return _moved(start, end, self.bounds, self.own_bounds)

    def here(self, start: int, end: int) -> tuple[int, int]:
        """The characters of this text that hold a piece of the original: whole letters."""
        first = int(np.searchsorted(self.own_bounds, start, side="right")) - 1
        last = int(np.searchsorted(self.own_bounds, end, side="left"))
        return int(self.bounds[first]), int(self.bounds[last])


@lru_cache(maxsize=8)
def respelled(text: str, form: NormalForm) -> Respelled:
    """A text in a normal form, with the way back."""
    letters = _LETTER.findall(text)
    ours = [unicodedata.normalize(form, letter) for letter in letters]
    return Respelled("".join(ours), _bounds(letters), _bounds(ours))


@lru_cache(maxsize=8)
def _letter_bounds(text: str) -> NDArray[np.int32]:
    return _bounds(_LETTER.findall(text))


def _bounds(letters: Sequence[str]) -> NDArray[np.int32]:
    return np.fromiter(accumulate(map(len, letters), initial=0), dtype=np.int32, count=len(letters) + 1)


def _moved(start: int, end: int, bounds: NDArray[np.int32], others: NDArray[np.int32]) -> tuple[int, int] | None:
    first, last = np.searchsorted(bounds, (start, end))
    if last >= len(bounds) or bounds[first] != start or bounds[last] != end:
        return None
    return int(others[first]), int(others[last])
