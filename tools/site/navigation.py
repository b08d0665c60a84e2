"""The groups of the site, read from docs/index.md, with the pages that are made behind those that are written."""

import re
from collections.abc import Iterator, Mapping, Sequence

from tools.site.places import ROOT, place_of

INDEX = "docs/index.md"
START = {"adaptkit": "index.md", "All pages": "pages.md"}
_ROW = re.compile(r"\| \[([^]]+)\]\(([^)]+)\) \|")
Entry = Mapping[str, object]


def navigation(made: Mapping[str, Mapping[str, str]]) -> list[Entry]:
    """What mkdocs reads as `nav`. `made` has for some groups titles and places of further pages."""
    groups: list[Entry] = []
    for title, text in _parts(_index(), "## "):
        pages = [*_pages(text.partition("\n### ")[0]), *_subgroups(text)]
        pages += [{name: place} for name, place in made.get(title, {}).items()]
        start = [{name: place} for name, place in START.items()] if not groups else []
        groups.append({title: start[:1] + pages + start[1:]})
    return groups


def listed() -> list[str]:
    """The paths in the repository of all pages that docs/index.md names."""
    return [_path(target) for _, target in _ROW.findall(_index())]


def _index() -> str:
    return (ROOT / INDEX).read_text(encoding="utf-8")


def _parts(text: str, mark: str) -> Iterator[tuple[str, str]]:
    for part in ("\n" + text).split("\n" + mark)[1:]:
        title, _, content = part.partition("\n")
        yield title, content


def _subgroups(text: str) -> Iterator[Entry]:
    for title, content in _parts(text, "### "):
        yield {title: _pages(content)}


def _pages(text: str) -> Sequence[Entry]:
    return [{title: _entry(_path(target))} for title, target in _ROW.findall(text)]


def _entry(path: str) -> object:
    """The place of a page; of a folder that of its list, and then its pages."""
    below = sorted((ROOT / path).glob("*.md")) if (ROOT / path).is_dir() else []
    return [place_of(path), *(place_of(f"{path}/{page.name}") for page in below)] if below else place_of(path)


def _path(target: str) -> str:
    return target.removeprefix("../").rstrip("/") if target.startswith("../") else f"docs/{target.rstrip('/')}"
