"""Where a file of the repository lies in the site, and links between the two."""

import posixpath
import re
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = "docs/"
BESIDE = "repository/"
"""Where in the site files lie that pages link and that are not in docs/: results, licences, zoo."""

SHOWN = {
    "README.md": "index.md",
    "docs/index.md": "pages.md",
    "docs/tutorial.ipynb": "notebook.md",
    "docs/decisions": "decisions/index.md",
    "benchmarks/HISTORY.md": "results/history.md",
    "docs/benchmarks.md": "results/benchmarks.md",
    "CONTRIBUTING.md": "contribute/index.md",
    "CHANGELOG.md": "contribute/changelog.md",
}
_LINK = re.compile(r"(\]\()([^()\s#]+)((?:#[^()\s]*)?\))")


def place_of(path: str) -> str:
    """Where a file of the repository lies in the site."""
    if path in SHOWN:
        return SHOWN[path]
    return path.removeprefix(DOCS) if path.startswith(DOCS) else BESIDE + path


def linked(page: str, markdown: str) -> Iterator[str]:
    """The files and folders of the repository that a page of it links; `page` is its path there."""
    return (path for match in _LINK.finditer(markdown) if (path := _linked(page, match[2])) is not None)


def with_links_of_the_site(page: str, markdown: str) -> str:
    """A page of the repository with its links as they are in the site."""
    return _LINK.sub(_relinked(page), markdown)


def _relinked(page: str) -> Callable[[re.Match[str]], str]:
    folder = posixpath.dirname(place_of(page)) or "."

    def relinked(match: re.Match[str]) -> str:
        path = _linked(page, match[2])
        return match[0] if path is None else match[1] + posixpath.relpath(place_of(path), folder) + match[3]

    return relinked


def _linked(page: str, target: str) -> str | None:
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), target))
    return path if not target.startswith("/") and ":" not in target and _is_there(path) else None


def _is_there(path: str) -> bool:
    return not path.startswith("..") and (ROOT / path).exists()
