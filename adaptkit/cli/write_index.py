"""`adaptkit index`."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from adaptkit.cli.answer import Answer
from adaptkit.errors import ConfigError
from adaptkit.format.catalogue import Catalogue
from adaptkit.format.folder import whole_file
from adaptkit.format.listing import Listing
from adaptkit.terminal.amounts import counted
from adaptkit.terminal.console import PlainConsole

_err = PlainConsole(stderr=True)


def write_index(
    folder: Annotated[Path, typer.Argument(help="folder of adapters")],
    page: Annotated[
        Path | None,
        typer.Option(metavar="<file>", help="write the zoo as a page of HTML there too, outside of the folder"),
    ] = None,
) -> Answer:
    """Write the index of a zoo. It lists every adapter with its facts, and every file with its size and hash."""
    if page is not None:
        _check_place(page, folder)
    zoo = Catalogue(folder, Listing)
    path = zoo.write_index()
    for line in _of_one_name(zoo):
        _err.print(line)
    lines = [f"{path} lists {counted(len(zoo), 'adapter')}"]
    if page is not None:
        _write_page(zoo, page)
        lines.append(f"{page} shows them")
    facts = {"index": str(path), "adapters": len(zoo), "page": None if page is None else str(page)}
    return Answer(facts, "\n".join(lines), confirms=True)


def _of_one_name(zoo: Catalogue[Listing]) -> Iterator[str]:
    """Adapters for one backbone that a name alone does not tell apart."""
    places = defaultdict[tuple[str, str], list[str]](list)
    for listing in zoo:
        places[listing.id, listing.backbone].append(listing.place)
    for (name, backbone), found in places.items():
        if len(found) > 1:
            yield (
                f"note: {len(found)} adapters for {backbone} are called {name}: {', '.join(found)}. Its name alone is "
                "refused, so load one by its place, or train it under another --name."
            )


def _check_place(page: Path, folder: Path) -> None:
    if page.resolve().is_relative_to(folder.resolve()):
        raise ConfigError(
            f"{page} lies in the zoo {folder}, which holds adapters and what belongs to them, and nothing else. Give a "
            "file outside of it."
        )
    if page.is_dir() or not page.parent.is_dir():
        raise ConfigError(
            f"{page} {'is a folder' if page.is_dir() else 'has no folder to lie in'}. Give the page's file, such as "
            f"{folder.resolve().name}.html."
        )
    if page.exists() and not _was_written_before(page):
        raise ConfigError(
            f"{page} is there, and is not a page of a zoo; nothing was written. Give another file, or delete that one."
        )


def _was_written_before(page: Path) -> bool:
    from adaptkit.gallery import is_gallery_page

    return is_gallery_page(page)


def _write_page(zoo: Catalogue[Listing], page: Path) -> None:
    from adaptkit.gallery import gallery_page

    content = gallery_page(zoo)
    with whole_file(page) as partial:
        partial.write_text(content, encoding="utf-8")
