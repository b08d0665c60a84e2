"""Writing systems by their ISO 15924 codes: those of a language, and those of the letters of a text.

A letter's script is Unicode's script property (Unicode Standard Annex 24). Letters that several scripts share count to
none of them, such as U+02BC in Hausa and Guarani.
"""

from collections import Counter
from functools import lru_cache

from adaptkit.languages.tags import canonical_tag

UNSPACED = frozenset({"Hani", "Hira", "Kana", "Khmr", "Laoo", "Mymr", "Thai", "Tibt"})
"""Scripts that put no space between words."""

_COMMON = frozenset({"Zinh", "Zyyy", "Zzzz"})

# Codes of writing that Unicode puts under another script, or under several.
_UNITED = {
    "Aran": frozenset({"Arab"}),
    "Cyrs": frozenset({"Cyrl"}),
    "Hanb": frozenset({"Hani", "Bopo"}),
    "Hans": frozenset({"Hani"}),
    "Hant": frozenset({"Hani"}),
    "Hntl": frozenset({"Hani", "Latn"}),
    "Hrkt": frozenset({"Hira", "Kana"}),
    "Jamo": frozenset({"Hang"}),
    "Jpan": frozenset({"Hani", "Hira", "Kana"}),
    "Kore": frozenset({"Hani", "Hang"}),
    "Latf": frozenset({"Latn"}),
    "Latg": frozenset({"Latn"}),
    "Syre": frozenset({"Syrc"}),
    "Syrj": frozenset({"Syrc"}),
    "Syrn": frozenset({"Syrc"}),
}


def script_code(tag: str) -> str:
    """The script that a language is written in: "Latn".

    The one in the tag, else the language's default; a language without data on it counts as written in Latin.
    """
    from langcodes import Language

    from adaptkit.languages.codes import default_scripts

    language = Language.get(canonical_tag(tag))
    return str(language.script or min(default_scripts(language.language, language.territory)))


def script_name(tag: str) -> str:
    """The English name of that script: "Latin"."""
    return name_of_script(script_code(tag))


def name_of_script(code: str) -> str:
    """The English name of a script: "Tibetan"."""
    from langcodes import Language

    return str(Language.make(script=code).script_name("en"))


def usual_scripts(tag: str) -> frozenset[str]:
    """The scripts, as `count_scripts` names them, that a language is usually written in; empty where not known.

    Japanese has three: Hani, Hira and Kana.
    """
    from langcodes import Language
    from langcodes.data_dicts import LIKELY_SUBTAGS

    language = Language.get(tag)
    if language.script is None and language.language not in LIKELY_SUBTAGS:
        return frozenset()  # langcodes would say Latin
    code = str(language.maximize().script)
    return _UNITED.get(code, frozenset({code}))


def count_scripts(text: str) -> Counter[str]:
    """Count the letters of each script; digits, marks, punctuation and letters of several scripts do not count."""
    counts: Counter[str] = Counter()
    for character, times in Counter(text).items():
        if character.isalpha() and (script := script_of(character)) is not None:
            counts[script] += times
    return counts


@lru_cache(maxsize=1 << 16)
def script_of(character: str) -> str | None:
    """The script that a letter or mark is of; None where several share it."""
    from fontTools import unicodedata

    script = str(unicodedata.script(character))
    return None if script in _COMMON else script


def scripts_of(letter: str) -> frozenset[str]:
    """The scripts that a letter is used in, several where they share it; empty where it is of all, or not a letter."""
    from fontTools import unicodedata

    return frozenset(unicodedata.script_extension(letter)) - _COMMON if letter.isalpha() else frozenset()
