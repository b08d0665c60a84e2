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

The tables of codes and of names are read when they are first needed: `codes` has rules 3 to 6, `names` 2 and near ones.
"""

import unicodedata

from adaptkit.errors import UnknownLanguage

MAX_LENGTH = 80


def canonical_tag(name: str) -> str:
    """Return the canonical BCP-47 tag of a language code or name.

    Raises UnknownLanguage where `name` is no language, or could be two of them.
    """
    from adaptkit.languages.codes import tag_of_code

    if len(name) > MAX_LENGTH:
        raise UnknownLanguage(f"{name[:MAX_LENGTH]}…")
    text = unicodedata.normalize("NFC", name.strip())
    if not text.isprintable():
        raise UnknownLanguage(name)
    tag = tag_of_code(text)
    if tag is not None and not text.istitle():
        return tag
    return _tag_of_name(name, text, tag)


def without_region(tag: str) -> str:
    """Return the canonical tag of a language in general: `sw` of `sw-KE`, and of `zh-HK`, by its script, `zh-Hant`."""
    from adaptkit.languages.codes import in_general

    return in_general(tag)


def macrolanguage_of(tag: str) -> str | None:
    """Return the code of the macrolanguage that a language belongs to, `qu` of `quy`; None where it is of none."""
    from adaptkit.languages.codes import macrolanguage

    return macrolanguage(tag)


def language_name(tag: str) -> str:
    """Return the English name of a language: "Swahili", "Chinese (Traditional)"."""
    from langcodes import Language

    return str(Language.get(canonical_tag(tag)).display_name("en"))


def autonym(tag: str) -> str:
    """Return what a language calls itself; its English name where that is not known."""
    from langcodes import Language

    return str(Language.get(canonical_tag(tag)).autonym())


def _tag_of_name(name: str, text: str, tag_as_code: str | None) -> str:
    from adaptkit.languages.names import suggestions, tag_of_autonym, tag_of_english_name

    readings = {tag_as_code, tag_of_english_name(text), tag_of_autonym(text)} - {None}
    if len(readings) == 1:
        return str(readings.pop())
    raise UnknownLanguage(name, suggestions(text))
