"""Names that Unicode's CLDR has in many languages, as pairs: of emoji and signs, of countries, of languages.

Read from a folder of the caller's, such as that of the npm package `cldr-annotations-full` or `cldr-localenames-full`
(Unicode licence); nothing of it comes with adaptkit.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeGuard, TypeVar

from adaptkit.data.sources import in_home, is_folder
from adaptkit.errors import MalformedText, SourceNotFound
from adaptkit.languages import macrolanguage_of, without_region

Pair: TypeAlias = tuple[str, str]
T = TypeVar("T")

PLACES = {"territories": "countries", "languages": "languages"}
"""The files with names of countries and of languages."""
PACKAGES = ("cldr-annotations-full", "cldr-localenames-full")
"""The npm packages that hold such folders: of emoji, and of countries and languages."""
_EMOJI = "annotations"
_MOST_BYTES = 4 * 2**20
_SHOWN = 12


def is_cldr(named: object) -> TypeGuard[str | os.PathLike[str]]:
    """Whether this is a folder of CLDR's names, as `annotations/sw/annotations.json` or `main/sw/territories.json`."""
    if not isinstance(named, str | os.PathLike) or not is_folder(named):
        return False
    return _has_emoji(in_home(named)) or _has_places(in_home(named))


def kinds_in(folder: Path) -> list[str]:
    """What the names in a folder are of, in one language or another."""
    return [*(["emoji"] if _has_emoji(folder) else []), *(PLACES.values() if _has_places(folder) else [])]


def described(kinds: Sequence[str]) -> str:
    """What names of these kinds are, for cards and messages."""
    return f"CLDR's names of {' and '.join(filter(None, (', '.join(kinds[:-1]), kinds[-1])))}"


@dataclass(frozen=True)
class Names:
    """Names in two languages, by their kind."""

    by_kind: Mapping[str, Sequence[Pair]]

    @property
    def pairs(self) -> list[Pair]:
        """All of them."""
        return [pair for pairs in self.by_kind.values() for pair in pairs]

    def __str__(self) -> str:
        return described([kind for kind, pairs in self.by_kind.items() if pairs] or list(self.by_kind))


def names_of(folder: Path, *, source: str, language: str) -> Names:
    """All names that a folder has in two languages (canonical tags), `source` first.

    Of an emoji both its name and its keywords are a pair. A folder may have emoji, or countries and languages, or both.
    What a region has no name of, as `sw-KE`, has that of the language in general.

    Raises:
        SourceNotFound: It has no names of one of the languages.
        MalformedText: A file that is not as CLDR has it.
    """
    files = {kind: file for file, kind in PLACES.items()}

    def read(kind: str) -> tuple[str, list[Pair]]:
        pairs = partial(names_in_both, file=files[kind]) if kind in files else _pairs_of_emoji
        return kind, pairs(folder, source=source, language=language)

    return Names(dict(_all_there([partial(read, kind) for kind in kinds_in(folder)])))


def _all_there(readings: Sequence[Callable[[], T]]) -> list[T]:
    """What these give, but for those whose file is not there; the first error where that is all of them."""
    found: list[T] = []
    missing: list[SourceNotFound] = []
    for read in readings:
        try:
            found.append(read())
        except SourceNotFound as error:
            missing.append(error)
    if missing and not found:
        raise missing[0]
    return found


def _has_emoji(folder: Path) -> bool:
    return any(folder.glob(f"{_EMOJI}/*/{_EMOJI}.json"))


def _has_places(folder: Path) -> bool:
    return any(any(folder.glob(inside)) for inside in ("main/*/territories.json", "*/territories.json"))


def _pairs_of_emoji(folder: Path, *, source: str, language: str) -> list[Pair]:
    ours, theirs = (_emoji_in(folder / _EMOJI, tag) for tag in (source, language))
    return [pair for sign, texts in ours.items() for pair in zip(texts, theirs.get(sign, ()), strict=False)]


def names_in_both(folder: Path, file: str, *, source: str, language: str) -> list[Pair]:
    """The names of one of `PLACES` in two languages.

    Raises:
        SourceNotFound: There is no such file for one of the languages.
        MalformedText: A file that is not as CLDR has it.
    """
    ours, theirs = (_places_in(folder, file, tag) for tag in (source, language))
    # CLDR marks variants of a name behind its code: US-alt-short.
    others = {code: theirs.get(code) or theirs.get(code.partition("-alt-")[0]) for code in ours}
    return [(name, other) for code, name in ours.items() if (other := others[code])]


def _places_in(folder: Path, file: str, tag: str) -> Mapping[str, str]:
    main = folder / "main" if (folder / "main").is_dir() else folder

    def names_of(each: str) -> Mapping[str, str]:
        names = _read(main / each / f"{file}.json", ("main", each, "localeDisplayNames", file), _text)
        # A code that stands for itself is one that CLDR has no name of.
        return {code: name for code, name in names.items() if name and name != code}

    merged: dict[str, str] = {}
    for names in _in_general_and_there(tag, names_of):
        merged |= names
    return merged


def _emoji_in(folder: Path, tag: str) -> Mapping[str, Sequence[str]]:
    """By sign, its name and its keywords; an empty text for what it has not."""

    def names_of(each: str) -> Mapping[str, Sequence[str]]:
        return _read(folder / each / f"{_EMOJI}.json", (_EMOJI, _EMOJI), _name_and_keywords)

    merged: dict[str, Sequence[str]] = {}
    for names in _in_general_and_there(tag, names_of):
        for sign, texts in names.items():
            others = merged.get(sign, texts)
            merged[sign] = [text or other for text, other in zip(texts, others, strict=True)]
    return merged


def _in_general_and_there(tag: str, names_of: Callable[[str], T]) -> list[T]:
    """The names of a language, then what the region in its tag calls otherwise; one of the two may be missing."""
    there_first = _all_there([partial(names_of, each) for each in dict.fromkeys((tag, without_region(tag)))])
    return there_first[::-1]


def _name_and_keywords(of_sign: object) -> Sequence[str]:
    if not isinstance(of_sign, Mapping):
        raise TypeError(f"{of_sign!r:.20} is not lists of names (tts) and keywords (default)")
    return [", ".join(_listed(of_sign.get(which, []))) for which in ("tts", "default")]


def _listed(texts: object) -> list[str]:
    if not isinstance(texts, list):
        raise TypeError(f"{texts!r:.20} is no list")
    return [_text(each) for each in texts]


def _text(found: object) -> str:
    if not isinstance(found, str):
        raise TypeError(f"{found!r:.20} is no text")
    found.encode()  # half a surrogate pair is refused, on which tokenizers fail
    return found


def _read(path: Path, keys: Sequence[str], of_one: Callable[[object], T]) -> Mapping[str, T]:
    """What lies in a file below some keys, one inside the other, by code or sign."""
    if not path.is_file():
        raise SourceNotFound(
            f"there is no {path}, where the names in {path.parent.name} would be{_others(path)}.{_wider(path)} CLDR's "
            f"names are a folder with one for each language, such as that of the npm package {' or '.join(PACKAGES)}."
        )
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise MalformedText(path, 1, f"{path.stat().st_size:,} bytes", f"at most {_MOST_BYTES:,}")
        found = json.loads(path.read_text(encoding="utf-8"))
        *outer, last = keys
        for key in outer:
            found = found[key]
        if last not in found and "identity" in found:
            # As of some languages that CLDR has begun.
            raise SourceNotFound(f"{path} has no names of its language yet{_others(path)}.{_wider(path)}")
        found = found[last]
        return {code: of_one(each) for code, each in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        right = f"JSON of CLDR: {', '.join(keys)}, and a name for each code"
        raise MalformedText(path, 1, f"something else ({error!r:.60})", right) from error


def _others(path: Path) -> str:
    """Which languages have such a file beside the one that is not there."""
    folder = path.parents[1]
    there = sorted(each.name for each in folder.iterdir() if (each / path.name).is_file()) if folder.is_dir() else []
    more = f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
    return f" (it has {', '.join(there[:_SHOWN])}{more})" if there else ""


def _wider(path: Path) -> str:
    """That it has the names of the macrolanguage of what is not there."""
    tag = path.parent.name
    found = macrolanguage_of(tag)
    if found is None or not (path.parents[1] / found / path.name).is_file():
        return ""
    return f" It has {found}, to which {tag} belongs: if those names will do, give {found} as the language."
