"""Writing systems, told by the names that Unicode gives to letters.

The first word of a letter's name serves as the script: `ETHIOPIC SYLLABLE HA` -> `ETHIOPIC`. That is short of the
Unicode script property (which Python does not have) in rare letters only, such as those of mathematics.
"""

import unicodedata
from collections import Counter
from functools import lru_cache

from langcodes import Language
from langcodes.data_dicts import LIKELY_SUBTAGS

UNSPACED = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KHMER", "LAO", "MYANMAR", "THAI", "TIBETAN"})
"""Scripts that put no space between words."""

# Names of letters that are used in many scripts, such as U+02BC in Hausa and Guarani.
_SHARED = frozenset({"MODIFIER", "FEMININE", "MASCULINE", "MICRO"})
_SYNONYMS = {"FULLWIDTH": "LATIN", "HALFWIDTH": "KATAKANA", "KATAKANA-HIRAGANA": "KATAKANA", "IDEOGRAPHIC": "CJK"}

# Script codes whose English name does not begin with the word that Unicode uses.
_WORDS_OF = {
    "Aran": frozenset({"ARABIC"}),
    "Beng": frozenset({"BENGALI"}),
    "Cans": frozenset({"CANADIAN"}),
    "Hanb": frozenset({"CJK", "BOPOMOFO"}),
    "Hani": frozenset({"CJK"}),
    "Hans": frozenset({"CJK"}),
    "Hant": frozenset({"CJK"}),
    "Jpan": frozenset({"CJK", "HIRAGANA", "KATAKANA"}),
    "Kore": frozenset({"CJK", "HANGUL"}),
    "Lana": frozenset({"TAI"}),
    "Mand": frozenset({"MANDAIC"}),
    "Mtei": frozenset({"MEETEI"}),
    "Nkoo": frozenset({"NKO"}),
    "Nshu": frozenset({"NUSHU"}),
    "Orya": frozenset({"ORIYA"}),
    "Plrd": frozenset({"MIAO"}),
}


def count_scripts(text: str) -> Counter[str]:
    """Count the letters of each script; digits, marks and punctuation do not count."""
    counts: Counter[str] = Counter()
    for character, times in Counter(text).items():
        if script := _script_of(character):
            counts[script] += times
    return counts


def usual_scripts(tag: str) -> frozenset[str]:
    """Give the scripts that a language is usually written in (Japanese has three); empty where that is not known."""
    language = Language.get(tag)
    if language.script is None and language.language not in LIKELY_SUBTAGS:
        return frozenset()  # langcodes would say Latin
    code = language.maximize().script
    return _WORDS_OF.get(code) or frozenset({Language.make(script=code).script_name().upper().split()[0]})


@lru_cache(maxsize=4096)
def _script_of(character: str) -> str | None:
    if not character.isalpha():
        return None
    word = unicodedata.name(character, "").partition(" ")[0]
    return None if word in _SHARED or not word else _SYNONYMS.get(word, word)
