"""`adaptkit list`."""

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from adaptkit.cli.answer import Answer
from adaptkit.errors import ConfigError
from adaptkit.format.card import Evaluation
from adaptkit.format.catalogue import Catalogue
from adaptkit.format.listing import Listing
from adaptkit.format.search import tasks_in
from adaptkit.languages import (
    canonical_tag,
    family_for,
    language_name,
    nearest_relative,
    relative_trained_on,
    shared_branches,
    why_no_relative,
)
from adaptkit.terminal.console import PlainConsole
from adaptkit.terminal.plain_text import one_line, told_at

ZOO_VARIABLE = "ADAPTKIT_ZOO"
_MOST_NAMED = 12
_ON_A_TERMINAL = ("adapter", "gain", "without, with", "test", "MiB", "licence")
_COLUMNS = (
    *("id", "languages", "method", "backbone", "gain", "low", "high", "without", "with", "test"),
    *("MiB", "licence", "source", "path"),
)
"""Of `_row`; those of a terminal and what it has no room for."""
_WHOLE = ("adapter", "gain", "without, with", "MiB")
_out = PlainConsole()
_err = PlainConsole(stderr=True)

ZooArgument = Annotated[
    list[Path] | None,
    typer.Argument(help=f"folders or archives of adapters (default: those in {ZOO_VARIABLE}, separated as in PATH)"),
]
ZooOption = Annotated[
    list[Path] | None,
    typer.Option("--zoo", metavar="<folder>", help="the same, as other commands name it; may be repeated"),
]


def zoo_paths(named: list[Path] | None) -> list[Path]:
    """The zoos that were named, or those of the environment; none where neither names one."""
    return named or [Path(part) for part in os.environ.get(ZOO_VARIABLE, "").split(os.pathsep) if part]


def zoos(named: list[Path] | None) -> list[Catalogue[Listing]]:
    """The zoos that were named, or those of the environment.

    Raises:
        ConfigError: Neither names one.
    """
    paths = zoo_paths(named)
    if not paths:
        raise ConfigError(f"no zoo is named: give its folder or archive, or name it in {ZOO_VARIABLE}.")
    return [Catalogue(path, Listing) for path in paths]


def list_adapters(
    zoo: ZooArgument = None,
    zoo_option: ZooOption = None,
    language: Annotated[str | None, typer.Option(help="only adapters of this language")] = None,
    nearest: Annotated[
        bool, typer.Option("--nearest", help="if there is none, adapters of its nearest relatives")
    ] = False,
    script: Annotated[str | None, typer.Option(help="only languages in this script: Latn, Ethi, ...")] = None,
    family: Annotated[str | None, typer.Option(help="only languages of this family or branch: Bantu, ...")] = None,
    kind: Annotated[str | None, typer.Option(help="language, domain or task")] = None,
    task: Annotated[str | None, typer.Option(help="a task, a task type, or the test of a score")] = None,
    licence: Annotated[str | None, typer.Option(help="only this licence")] = None,
    method: Annotated[str | None, typer.Option(help="lora, bottleneck, ...")] = None,
    backbone: Annotated[str | None, typer.Option(help="only for the backbone of this name")] = None,
) -> Answer:
    """List the adapters in zoos. Tab-separated if it goes to no terminal; broken ones are named on stderr.

    There the first line names the columns. On a terminal, each zoo has a table of its own.
    """
    if nearest and language is None:
        raise ConfigError("--nearest needs a language whose relatives are meant: give --language.")
    named = zoos([*(zoo or []), *(zoo_option or [])])
    found = [
        listing
        for place in named
        for listing in place.search(
            script=script, family=family, kind=kind, task=task, licence=licence, method=method, backbone=backbone
        )
    ]
    broken = {str(place.path / name): str(error) for place in named for name, error in place.broken.items()}
    for where, error in broken.items():
        _err.print(f"NO  {told_at(where, error)}")
    if not found:
        where = ", ".join(str(place.path) for place in named)
        raise ConfigError(
            f"{where} holds no adapter{' for which all of that is so' if any(place.sound for place in named) else ''}."
            + ("" if task is None else _tasks_instead(task, named))
        )
    if language is not None:
        found = _of_language(found, canonical_tag(language), nearest=nearest)
    return Answer({"adapters": [_facts(listing) for listing in found], "broken": broken}, partial(_show, found, named))


def _tasks_instead(task: str, zoos: Sequence[Catalogue[Listing]]) -> str:
    """What could be asked for there, where nothing is found by this task alone."""
    there = tasks_in(listing for zoo in zoos for listing in zoo.sound)
    if not there or any(zoo.search(task=task) for zoo in zoos):
        return ""
    named = "; ".join(_named(what, names) for what, names in there.items())
    return f" No task, task type or test there begins with {task!r}: it has the {named}."


def _named(what: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{what}{'s' if len(names) > 1 else ''} {', '.join(names[:_MOST_NAMED])}{more}"


def _show(found: list[Listing], zoos: list[Catalogue[Listing]]) -> None:
    """Tables on a terminal; elsewhere a line for each, with tabs between, below the names of the columns."""
    if not _out.is_terminal:
        sys.stdout.writelines("\t".join(row) + "\n" for row in (_COLUMNS, *map(_row, found)))
        return
    of_each = {zoo.path: [listing for listing in found if any(listing is each for each in zoo)] for zoo in zoos}
    shown = {path: own for path, own in of_each.items() if own}
    for number, (path, own) in enumerate(shown.items()):
        if number:
            _out.print()
        _show_zoo(path, own)


def _show_zoo(zoo: Path, found: list[Listing]) -> None:
    """What was found in one zoo, in 80 columns."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False, show_edge=False)
    # The place in the zoo is told where it does not end in the id.
    elsewhere = any(listing.place and not listing.place.endswith(listing.id) for listing in found)
    for name in (*_ON_A_TERMINAL, *(["place"] if elsewhere else [])):
        # What is needed to name an adapter is never cut.
        right = name in ("gain", "MiB")
        table.add_column(name, overflow="fold", no_wrap=name in _WHOLE, justify="right" if right else "left")
    for listing in found:
        table.add_row(*map(one_line, (*_cells(listing), *([listing.place] if elsewhere else []))))
    _out.print(table)
    _out.print(f"in {zoo}")


def _cells(listing: Listing) -> tuple[str, ...]:
    """What fits 80 columns."""
    score = listing.score
    return (
        listing.id,
        _score(score)[0],
        "" if score is None else f"{score.score_without:.1f}, {score.score_with:.1f}",
        "" if score is None else score.task,
        f"{listing.size_bytes / 2**20:.1f}",
        listing.licence,
    )


def _facts(listing: Listing) -> dict[str, object]:
    return {
        "id": listing.id,
        "languages": listing.languages,
        "method": listing.method,
        "backbone": listing.backbone,
        "size_bytes": listing.size_bytes,
        "licence": listing.licence,
        "source": listing.source,
        "score": listing.score,
        "path": str(listing.files.path),
    }


def _of_language(found: list[Listing], language: str, *, nearest: bool) -> list[Listing]:
    own = [listing for listing in found if language in listing.languages]
    if own:
        return own
    families = {" ".join(listing.languages): listing.languages for listing in found if len(listing.languages) > 1}
    if nearest and (family := family_for(language, families)) is not None:
        members = ", ".join(map(language_name, families[family]))
        _err.print(f"no adapter for {language_name(language)} itself; it is of one family with {members}")
        return [listing for listing in found if listing.languages == families[family]]
    relative = nearest_relative(language, {listing.language for listing in found if listing.language is not None})
    if relative is not None:
        near, whose = [listing for listing in found if listing.language == relative], language_name(relative)
    elif (in_one := relative_trained_on(language, families)) is not None:
        family, relative = in_one
        near = [listing for listing in found if listing.languages == families[family]]
        whose = f"{language_name(relative)}, in one adapter for {', '.join(map(language_name, families[family]))}"
    else:
        raise ConfigError(f"there is no adapter for {_called(language)}; {why_no_relative(language)}.")
    if not nearest:
        raise ConfigError(
            f"there is no adapter for {_called(language)}; the nearest relative there is {whose} (--nearest)."
        )
    branches = " > ".join(shared_branches(language, relative))
    _err.print(f"no adapter for {language_name(language)}; {language_name(relative)} shares with it {branches}")
    return near


def _called(language: str) -> str:
    return f"{language_name(language)} ({language})"


def _row(listing: Listing) -> tuple[str, ...]:
    cells = (
        listing.id,
        ", ".join(listing.languages),
        listing.method,
        listing.backbone,
        *_score(listing.score),
        f"{listing.size_bytes / 2**20:.1f}",
        listing.licence,
        listing.source or "private",
        str(listing.files.path),
    )
    # A tab or an end of a line in a name would make another row of it.
    return tuple(map(one_line, cells))


def _score(score: Evaluation | None) -> tuple[str, ...]:
    """Its gain with both ends of the interval, the scores, and the test."""
    if score is None:
        return ("",) * 6
    ends = ("" if end is None else f"{end:+.1f}" for end in (score.low, score.high))
    return (
        f"{score.score_with - score.score_without:+.1f}",
        *ends,
        f"{score.score_without:.1f}",
        f"{score.score_with:.1f}",
        score.task,
    )
