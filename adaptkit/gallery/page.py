"""The gallery as a page of its own, and as a part of another page."""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from adaptkit.format.catalogue import Catalogue
from adaptkit.format.listing import Listing
from adaptkit.gallery.shown import ShownAdapter
from adaptkit.pages.template import filled, markup
from adaptkit.terminal.plain_text import one_line

_PACKAGE = "adaptkit.gallery"
_GENERATOR = "adaptkit index"
_HEAD_BYTES = 2048
_LANGUAGES_FIRST = ("language/", "domain/", "task/")


def gallery_page(zoo: Catalogue[Listing]) -> str:
    """The whole page as HTML. It loads nothing from elsewhere, and without scripts it is a plain table.

    Raises:
        AdapterFileError: The first thing in the zoo that is wrong.
    """
    return filled(
        "html",
        _PACKAGE,
        "page.html.jinja",
        zoo=_called(zoo),
        generator=_GENERATOR,
        part=markup(gallery_part(zoo)),
        # Even if something slipped through the escaping, the page may load nothing and run no script but its own.
        policy=f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_hash(_text('gallery.js'))}'",
    )


def is_gallery_page(file: Path) -> bool:
    """Whether a file is such a page, as one that was written before."""
    with file.open("rb") as opened:
        return f'<meta name="generator" content="{_GENERATOR}">'.encode() in opened.read(_HEAD_BYTES)


def gallery_part(zoo: Catalogue[Listing]) -> str:
    """The table with its style and its filters, for a page that has a heading of its own.

    Raises:
        AdapterFileError: The first thing in the zoo that is wrong.
    """
    zoo.require_sound()
    of_each_id = Counter(listing.id for listing in zoo)
    return filled(
        "html",
        _PACKAGE,
        "adapters.html.jinja",
        adapters=_ordered(ShownAdapter.of(listing, _called(zoo), alone=of_each_id[listing.id] == 1) for listing in zoo),
        style=markup(_text("gallery.css")),
        script=markup(_text("gallery.js")),
    )


def _called(zoo: Catalogue[Listing]) -> str:
    """The name of its folder: where it lies on this machine is nobody's business."""
    return one_line(zoo.path.resolve().name)


def _ordered(adapters: Iterable[ShownAdapter]) -> list[ShownAdapter]:
    """Languages first, each kind by the names that are shown."""

    def place(adapter: ShownAdapter) -> tuple[int, str, str]:
        kinds = (number for number, kind in enumerate(_LANGUAGES_FIRST) if adapter.id.startswith(kind))
        return next(kinds, len(_LANGUAGES_FIRST)), adapter.name.casefold(), adapter.id

    return sorted(adapters, key=place)


@cache
def _text(name: str) -> str:
    from importlib.resources import files

    return files(_PACKAGE).joinpath(name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
