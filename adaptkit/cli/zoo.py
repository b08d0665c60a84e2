"""`adaptkit list`, `index`, `sign` and `diff`: what lies in a zoo, who stands for it, and how two of it differ."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from adaptkit.errors import ConfigError
from adaptkit.format.card import Evaluation
from adaptkit.format.catalogue import Catalogue
from adaptkit.format.listing import Listing
from adaptkit.languages import canonical_tag, language_name, nearest_relative, shared_branches, why_no_relative
from adaptkit.storage import load_adapter
from adaptkit.terminal.console import PlainConsole
from adaptkit.terminal.plain_text import one_line
from adaptkit.verification import sign
from adaptkit.weights.compare import compare

ZOO_VARIABLE = "ADAPTKIT_ZOO"
_COLUMNS = ("adapter", "language", "method", "backbone", "MiB", "score", "licence", "text", "place")
_ON_A_TERMINAL = ("adapter", "language", "score", "licence", "place")
_out = PlainConsole()
_err = PlainConsole(stderr=True)

ZooArgument = Annotated[
    list[Path] | None,
    typer.Argument(help=f"folders or archives of adapters (default: those in {ZOO_VARIABLE}, separated as in PATH)"),
]


def zoos(named: list[Path] | None) -> list[Catalogue[Listing]]:
    """The zoos that were named, or those of the environment.

    Raises:
        ConfigError: Neither names one.
    """
    paths = named or [Path(part) for part in os.environ.get(ZOO_VARIABLE, "").split(os.pathsep) if part]
    if not paths:
        raise ConfigError(f"no zoo is named: give its folder or archive, or name it in {ZOO_VARIABLE}.")
    return [Catalogue(path, Listing) for path in paths]


def list_adapters(
    zoo: ZooArgument = None,
    language: Annotated[str | None, typer.Option(help="only adapters of this language")] = None,
    nearest: Annotated[
        bool, typer.Option("--nearest", help="where it has none, those of its nearest relatives")
    ] = False,
    script: Annotated[str | None, typer.Option(help="only languages in this script: Latn, Ethi, ...")] = None,
    family: Annotated[str | None, typer.Option(help="only languages of this family or branch: Bantu, ...")] = None,
    kind: Annotated[str | None, typer.Option(help="language, domain or task")] = None,
    task: Annotated[str | None, typer.Option(help="task type of the head, or task of a score")] = None,
    licence: Annotated[str | None, typer.Option(help="only this licence")] = None,
    method: Annotated[str | None, typer.Option(help="lora, bottleneck, ...")] = None,
    backbone: Annotated[str | None, typer.Option(help="only for the backbone of this name")] = None,
) -> None:
    """List the adapters of zoos; tab-separated where the output is no terminal. Broken ones are named on stderr."""
    if nearest and language is None:
        raise ConfigError("--nearest needs a language whose relatives are meant: give --language.")
    named = zoos(zoo)
    found = [
        listing
        for place in named
        for listing in place.search(
            script=script, family=family, kind=kind, task=task, licence=licence, method=method, backbone=backbone
        )
    ]
    for place in named:
        for name, error in place.broken.items():
            _err.print(f"NO  {one_line(str(place.path / name))}: {one_line(str(error))}")
    if not found:
        where = ", ".join(str(place.path) for place in named)
        raise ConfigError(
            f"{where} holds no adapter{' for which all of that is so' if any(place.sound for place in named) else ''}."
        )
    if language is not None:
        found = _of_language(found, canonical_tag(language), nearest=nearest)
    rows = [_row(listing) for listing in found]
    if not _out.is_terminal:
        sys.stdout.writelines("\t".join(row) + "\n" for row in rows)
        return
    # A terminal is too narrow for all; what is needed to name an adapter is never cut.
    shown = [_COLUMNS.index(name) for name in _ON_A_TERMINAL]
    table = Table()
    for name in _ON_A_TERMINAL:
        table.add_column(name, overflow="fold", no_wrap=name == "adapter")
    for row in rows:
        table.add_row(*(row[number] for number in shown))
    _out.print(table)


def write_index(folder: Annotated[Path, typer.Argument(help="folder of adapters")]) -> None:
    """Write the index of a zoo: every adapter with its facts, every file with its size and hash."""
    zoo = Catalogue(folder, Listing)
    path = zoo.write_index()
    _out.print(f"{path} lists {len(zoo)} adapters")


def sign_place(
    place: Annotated[Path, typer.Argument(help="folder of an adapter, or of adapters with an index")],
    key: Annotated[Path, typer.Option(help="private key that ssh-keygen -t ed25519 made")],
) -> None:
    """Sign an adapter or a zoo with an SSH key, so that others can tell that it is yours."""
    path = sign(place, key, passphrase=lambda: typer.prompt(f"passphrase of {key}", hide_input=True, err=True))
    _out.print(f"{path} is written; others check it with: adaptkit verify {place} --signed-by {key.name}.pub")


def diff(
    before: Annotated[Path, typer.Argument(help="folder of an adapter")],
    after: Annotated[Path, typer.Argument(help="folder of another")],
) -> None:
    """Compare two adapters: config, provenance, scores, and each layer's norm and the cosine between the two."""
    found = compare(load_adapter(before), load_adapter(after))
    _out.print("the weights are the same" if found.same_weights else "the weights differ")
    for fact in found.facts:
        _out.print(f"{fact.name}: {_cell(fact.before)} -> {_cell(fact.after)}")
    for score in found.scores:
        _out.print(f"{score.task}, {score.metric}: {_cell(score.before)} -> {_cell(score.after)}")
    if found.same_weights:
        return
    _out.print("layer\tnorm before\tafter\tcosine")
    for layer in found.layers:
        cells = (layer.norm_before, layer.norm_after, layer.cosine)
        _out.print("\t".join([layer.module, *map(_cell, cells)]))


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else one_line(str(value))


def _of_language(found: list[Listing], language: str, *, nearest: bool) -> list[Listing]:
    own = [listing for listing in found if listing.language == language]
    if own:
        return own
    there = {listing.language for listing in found if listing.language is not None}
    relative = nearest_relative(language, there)
    if relative is None or not nearest:
        hint = (
            f"the nearest relative there is {language_name(relative)} (--nearest)"
            if relative
            else why_no_relative(language)
        )
        raise ConfigError(f"there is no adapter for {language_name(language)} ({language}); {hint}.")
    branches = " > ".join(shared_branches(language, relative))
    _err.print(f"no adapter for {language_name(language)}; {language_name(relative)} shares with it {branches}")
    return [listing for listing in found if listing.language == relative]


def _row(listing: Listing) -> tuple[str, ...]:
    cells = (
        listing.id,
        listing.language or "",
        listing.method,
        listing.backbone,
        f"{listing.size_bytes / 2**20:.1f}",
        "" if listing.score is None else _score(listing.score),
        listing.licence,
        listing.source or "private",
        str(listing.files.path),
    )
    # A tab or an end of a line in a name would make another row of it.
    return tuple(map(one_line, cells))


def _score(score: Evaluation) -> str:
    return f"{score.task} {score.score_with:.1f} ({score.score_without:.1f} without)"
