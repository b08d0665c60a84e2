"""Codes and tags of languages as they are written, each with the canonical tag that it stands for."""

import re

from langcodes import Language, LanguageTagError
from langcodes.data_dicts import LIKELY_SUBTAGS, MACROLANGUAGES

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


def tag_of_code(text: str) -> str | None:
    """The canonical tag of a code or tag; None where it is none."""
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
    if language.script in default_scripts(language.language, language.territory):
        language = Language.make(language=language.language, territory=language.territory, variants=language.variants)
    return str(language.to_tag())


def in_general(tag: str) -> str:
    """The canonical tag of the language without its region, in the script of that region: `zh-HK` -> `zh-Hant`."""
    language = Language.get(tag)
    scripts = (
        [language.script] if language.script else sorted(default_scripts(str(language.language), language.territory))
    )
    return tag_of_code(f"{language.language}-{scripts[0]}") or tag


def macrolanguage(tag: str) -> str | None:
    """The code of the macrolanguage that a language belongs to: `quy` -> `qu`; None where it is of none."""
    found: str | None = MACROLANGUAGES.get(str(Language.get(tag).language))
    return found


def default_scripts(language: str, territory: str | None) -> set[str]:
    """The codes for the script that a language is written in where its tag names none."""
    if language in DEFAULT_SCRIPTS:
        return DEFAULT_SCRIPTS[language]
    for key in (f"{language}-{territory}", language, MACROLANGUAGES.get(language)):
        if key in LIKELY_SUBTAGS:
            _, script, _ = LIKELY_SUBTAGS[key].split("-")
            return {script}
    return {"Latn"}
