"""Names of languages in English and in themselves, each with the canonical tag of its language, and near ones."""

import difflib
import re
from collections.abc import Iterator, Mapping
from functools import cache

from langcodes import Language
from language_data.names import load_trie, normalize_name
from language_data.util import data_filename

from adaptkit.languages.codes import tag_of_code

MAX_SUGGESTIONS = 3
# Every two- or three-letter code has dozens of others one letter away.
MIN_LENGTH_FOR_NEAR_WORDS = 4


def tag_of_english_name(text: str) -> str | None:
    """The language of an English name."""
    return _tag_of_name(text, "en")


def tag_of_autonym(text: str) -> str | None:
    """The language that has this name both among all languages' names and among its own."""
    tag = _tag_of_name(text, "und")
    if tag is None or _tag_of_name(text, tag.split("-")[0]) != tag:
        return None
    return tag


def suggestions(text: str) -> list[str]:
    """Near languages as "Swahili (sw)", the likeliest first."""
    tags = dict.fromkeys(tag for tag in _near_tags(text) if tag is not None)
    return [f"{Language.get(tag).display_name('en')} ({tag})" for tag in list(tags)[:MAX_SUGGESTIONS]]


def _tag_of_name(text: str, naming_language: str) -> str | None:
    code = _names_in(naming_language).get(_name_key(text))
    return None if code is None else tag_of_code(code[0].decode())


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


def _near_tags(text: str) -> Iterator[str | None]:
    for part in (text, re.split(r"[\W_]", text)[0]):
        yield tag_of_code(part)
        yield tag_of_english_name(part)
        yield _tag_of_name(part, "und")
    key = _name_key(text)
    if len(key) < MIN_LENGTH_FOR_NEAR_WORDS:
        return
    words = _known_words()
    near = [word for word in words if word.startswith(key)]
    near += difflib.get_close_matches(key, words, n=2 * MAX_SUGGESTIONS, cutoff=0.8)
    for word in near:
        yield tag_of_code(words[word])
