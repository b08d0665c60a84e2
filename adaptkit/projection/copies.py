"""How alike a name and its copy in another language are: most names are copied, or nearly."""

import unicodedata
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Literal, TypeAlias

from adaptkit.languages import script_of

How: TypeAlias = Literal["same", "case", "marks", "affix", "spelling", "gazetteer", "states"]
"""In which way an entity was found: by the same letters; but for capitals; but for marks, hyphens and spaces; with an
affix of the language (`eKenya`, `Nairobini`); by a close spelling; by its name in a gazetteer; or by the states of the
backbone."""

CONFIDENCES: dict[How, float] = {"same": 1.0, "case": 0.98, "marks": 0.95, "affix": 0.9}
_LEAST_AFFIXED = 4
_LONGEST_AFFIX = 4
_LEAST_SPELT = 5
_LEAST_ALIKE = 0.8


def likeness(ours: str, theirs: str) -> tuple[float, How] | None:
    """How sure it is that one text is a copy of the other, between 0 and 1, and by what; None: it is none."""
    how = _exactly(ours, theirs)
    if how is not None:
        return CONFIDENCES[how], how
    one, other = plain(ours), plain(theirs)
    # A capital tells a name from a word like it, where the script has capitals.
    if min(len(one), len(other)) < _LEAST_AFFIXED or not has_capital(theirs) >= has_capital(ours):
        return None
    if not one.isalpha() and not _are_letters(one):
        return None
    if len(one) < len(other) <= len(one) + _LONGEST_AFFIX and (other.startswith(one) or other.endswith(one)):
        return CONFIDENCES["affix"], "affix"
    alike = _ratio(one, other)
    return (alike * CONFIDENCES["affix"], "spelling") if alike >= _LEAST_ALIKE else None


@lru_cache(maxsize=1 << 16)
def plain(text: str) -> str:
    """Letters, digits and the marks that are letters' own (vowels of Devanagari), without diacritics, in lower case."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in decomposed if c.isalnum() or (unicodedata.category(c)[0] == "M" and script_of(c)))


def has_capital(text: str) -> bool:
    """Whether there is a capital in it."""
    return any(letter.isupper() for letter in text)


def is_in_small_letters(text: str) -> bool:
    """Whether there are letters that have capitals, and none is one."""
    return any(letter.islower() for letter in text) and not has_capital(text)


def _exactly(ours: str, theirs: str) -> How | None:
    if ours == theirs:
        return "same"
    if not plain(ours) or plain(ours) != plain(theirs):
        return None
    one, other = (unicodedata.normalize("NFKC", text).casefold() for text in (ours, theirs))
    return "case" if one == other else "marks"


def _are_letters(text: str) -> bool:
    return all(c.isalpha() or unicodedata.category(c)[0] == "M" for c in text)


def _ratio(one: str, other: str) -> float:
    """How much of both lies in common, by Ratcliff and Obershelp; 0 where it can be seen to be too little."""
    if min(len(one), len(other)) < _LEAST_SPELT:
        return 0.0
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if matcher.real_quick_ratio() < _LEAST_ALIKE or matcher.quick_ratio() < _LEAST_ALIKE:
        return 0.0
    return matcher.ratio()
