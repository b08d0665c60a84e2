"""One canonical BCP-47 tag per language, whatever name a corpus or a person uses for it.

`swh_Latn`, `swa` and `Swahili` all become `sw`. A name that is none is refused with near ones, never guessed.

1. A code beats a name: `mon` is Mongolian. Title-case `Mon` may also be the language of that name, and is refused.
2. A name must be the whole English name, or the whole name of the language in itself (`Deutsch`).
3. Retired and three-letter codes become what CLDR puts in their place: `iw` -> `he`, `yor` -> `yo`, `tgl` -> `fil`.
4. The standard member of a two-letter macrolanguage becomes that macrolanguage: `swh` -> `sw`, `arb` -> `ar`. Members
   that CLDR does not call standard (`quy`, `yue`, `arz`), and those in `DISTINCT`, stay.
5. The default script goes: `hau_Latn` -> `ha`, `zho_Hans` -> `zh`; `zho_Hant` -> `zh-Hant`. The default is that of
   language and region (`zh-Hant-TW` -> `zh-TW`), else that of the language, else that of its macrolanguage. A language
   without such data counts as written in Latin, so that `shp_Latn` and `shp` are one language.
6. Regions and registered variants stay. Placeholders, private use and extensions are refused.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache

from langcodes import Language, LanguageTagError
from langcodes.data_dicts import LIKELY_SUBTAGS, MACROLANGUAGES
from language_data.names import load_trie, normalize_name
from language_data.util import data_filename

from adaptkit.errors import UnknownLanguage

MAX_LENGTH = 80
MAX_SUGGESTIONS = 3
# Every two- or three-letter code has dozens of others one letter away.
MIN_LENGTH_FOR_NEAR_WORDS = 4

# CLDR calls these the main members of ak, cr, ff, ik, oj, qu and sc. Those have no written standard in common,
# so text in one member does not stand for the others.
DISTINCT = frozenset({"tw", "fat", "cwd", "fuc", "esk", "ojg", "quz", "src"})

# FLORES writes ko with Hang, which CLDR's Kore contains; for azb CLDR has only the script of its macrolanguage.
DEFAULT_SCRIPTS = {"ko": {"Kore", "Hang"}, "azb": {"Arab"}}

# Assigned subtags that say "unknown", "several", "no language" or "private".
PLACEHOLDER = re.compile(
    r"und|mul|mis|zxx|q[a-t][a-z]|x-.*"
    r"|Q[a-z]{3}|Zinh|Zmth|Zsye|Zsym|Zxxx|Zyyy|Zzzz"
    r"|AA|Q[M-Z]|X[A-JL-Z]|ZZ"
)


def canonical_tag(name: str) -> str:
    """Return the canonical BCP-47 tag of a language code or name.

    Raises UnknownLanguage where `name` is no language, or could be two of them.
    """
    if len(name) > MAX_LENGTH:
        raise UnknownLanguage(f"{name[:MAX_LENGTH]}…")
    text = unicodedata.normalize("NFC", name.strip())
    if not text.isprintable():
        raise UnknownLanguage(name)
    tag = _tag_of_code(text)
    if tag is not None and not text.istitle():
        return tag
    readings = {tag, _tag_of_english_name(text), _tag_of_autonym(text)} - {None}
    if len(readings) == 1:
        return str(readings.pop())
    raise UnknownLanguage(name, _suggestions(text))


def language_name(tag: str) -> str:
    """Return the English name of a language: "Swahili", "Chinese (Traditional)"."""
    return str(Language.get(canonical_tag(tag)).display_name("en"))


def autonym(tag: str) -> str:
    """Return what a language calls itself; its English name where that is not known."""
    return str(Language.get(canonical_tag(tag)).autonym())


def script_code(tag: str) -> str:
    """Return the ISO 15924 code of the script that a language is written in: "Latn".

    The one in the tag, else the language's default; a language without data on it counts as written in Latin.
    """
    language = Language.get(canonical_tag(tag))
    return str(language.script or next(iter(sorted(_default_scripts(language.language, language.territory)))))


def script_name(tag: str) -> str:
    """Return the English name of that script: "Latin"."""
    return str(Language.make(script=script_code(tag)).script_name("en"))


def _tag_of_code(text: str) -> str | None:
    try:
        language = Language.get(text)
    except LanguageTagError:
        return None
    if language.language is None or language.extlangs or language.extensions or language.private:
        return None
    subtags = (language.language, language.script or "", language.territory or "")
    if not language.is_valid() or any(PLACEHOLDER.fullmatch(subtag) for subtag in subtags):
        return None
    macrolanguage = language.prefer_macrolanguage()
    if len(macrolanguage.language) == 2 and language.language not in DISTINCT:
        language = macrolanguage
    if language.script in _default_scripts(language.language, language.territory):
        language = Language.make(language=language.language, territory=language.territory, variants=language.variants)
    return str(language.to_tag())


def _default_scripts(language: str, territory: str | None) -> set[str]:
    if language in DEFAULT_SCRIPTS:
        return DEFAULT_SCRIPTS[language]
    for key in (f"{language}-{territory}", language, MACROLANGUAGES.get(language)):
        if key in LIKELY_SUBTAGS:
            _, script, _ = LIKELY_SUBTAGS[key].split("-")
            return {script}
    return {"Latn"}


def _tag_of_english_name(text: str) -> str | None:
    return _tag_of_name(text, "en")


def _tag_of_autonym(text: str) -> str | None:
    """Return the language that has this name both among all languages' names and among its own."""
    tag = _tag_of_name(text, "und")
    if tag is None or _tag_of_name(text, tag.split("-")[0]) != tag:
        return None
    return tag


def _tag_of_name(text: str, naming_language: str) -> str | None:
    code = _names_in(naming_language).get(_name_key(text))
    return None if code is None else _tag_of_code(code[0].decode())


def _name_key(text: str) -> str:
    return " ".join(normalize_name(text.replace("_", " ")).split())


@cache
def _names_in(naming_language: str) -> Mapping[str, list[bytes]]:
    """Return language_data's table from name to code; its own look-up would also match beginnings of names."""
    file = data_filename(f"trie/{naming_language}/name_to_language.marisa")
    return load_trie(str(file)) if file.is_file() else {}


@cache
def _known_words() -> dict[str, str]:
    """Return all English names and codes, in lower case, with the code that each stands for."""
    table = _names_in("en")
    names = {name: table[name][0].decode() for name in table}
    return {code.lower(): code for code in names.values()} | names


def _suggestions(text: str) -> list[str]:
    """Return near languages as "Swahili (sw)", the likeliest first."""
    tags = dict.fromkeys(tag for tag in _near_tags(text) if tag is not None)
    return [f"{language_name(tag)} ({tag})" for tag in list(tags)[:MAX_SUGGESTIONS]]


def _near_tags(text: str) -> Iterator[str | None]:
    for part in (text, re.split(r"[\W_]", text)[0]):
        yield _tag_of_code(part)
        yield _tag_of_english_name(part)
        yield _tag_of_name(part, "und")
    key = _name_key(text)
    if len(key) < MIN_LENGTH_FOR_NEAR_WORDS:
        return
    words = _known_words()
    near = [word for word in words if word.startswith(key)]
    near += difflib.get_close_matches(key, words, n=2 * MAX_SUGGESTIONS, cutoff=0.8)
    for word in near:
        yield _tag_of_code(words[word])
