"""`adaptkit choose`."""

from pathlib import Path
from typing import Annotated

import typer

from adaptkit.cli.answer import Answer
from adaptkit.cli.arguments import DeviceOption
from adaptkit.cli.list_adapters import ZOO_VARIABLE, zoo_paths
from adaptkit.terminal.console import PlainConsole

_err = PlainConsole(stderr=True)


def choose(
    lang: Annotated[str, typer.Option(help="the language")],
    task: Annotated[
        str | None, typer.Option(help="what for: ner, nli, topics, sentiment, qa, search, generate, a benchmark, ...")
    ] = None,
    memory: Annotated[str | None, typer.Option(help="how much memory there is", metavar="<2GB>")] = None,
    text: Annotated[
        list[Path] | None,
        typer.Option(metavar="<file>", help="text in the language (default: the sample); may be repeated"),
    ] = None,
    probe: Annotated[
        list[Path] | None,
        typer.Option(metavar="<file>", help="labelled lines to score a linear head on; may be repeated"),
    ] = None,
    backbones: Annotated[
        list[str] | None,
        typer.Option("--backbone", metavar="<id or folder>", help="another backbone to compare; may be repeated"),
    ] = None,
    only_named: Annotated[
        bool, typer.Option("--only-named", help="look at no others: not the embedded ones, not the hub cache")
    ] = False,
    zoo: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="<folder>",
            help=f"adapters; those for the language are named (default: {ZOO_VARIABLE}); may be repeated",
        ),
    ] = None,
    no_speed: Annotated[bool, typer.Option("--no-speed", help="skip the speed test")] = False,
    device: DeviceOption = "auto",
) -> Answer:
    """Compare the backbones at hand for a language and a task. The order comes with reasons."""
    from adaptkit.choosing import choose_backbone

    found = choose_backbone(
        lang=lang,
        task=task,
        memory=memory,
        text=text or None,
        probe=probe or None,
        backbones=backbones or (),
        only_named=only_named,
        zoos=zoo_paths(zoo),
        speed=not no_speed,
        device=device,
        note=_err.print,
    )
    return Answer(found.as_json(), str(found))
