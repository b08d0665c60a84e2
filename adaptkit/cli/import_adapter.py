"""`adaptkit import`."""

from pathlib import Path
from typing import Annotated

import typer

from adaptkit.cli.answer import Answer
from adaptkit.cli.arguments import BackboneOption
from adaptkit.errors import ConfigError
from adaptkit.terminal.asking import as_typed


def import_adapter(
    folder: Annotated[Path, typer.Argument(help="folder that peft or AdapterHub's adapters saved")],
    lang: Annotated[str, typer.Option(help="language of the text that it was trained on")],
    output: Annotated[Path, typer.Option(help="folder for the adapter")],
    domain: Annotated[
        str | None, typer.Option(help="a domain adapter of this name (default: a language adapter)")
    ] = None,
    backbone: BackboneOption = None,
    licence: Annotated[str, typer.Option(help="licence of its text, for the card")] = "not stated",
    allow_pickle: Annotated[
        bool, typer.Option("--allow-pickle", help="AdapterHub: read a pickle too, by torch's weights_only reader")
    ] = False,
    without_head: Annotated[
        bool, typer.Option("--without-head", help="leave out a head that was trained with it")
    ] = False,
) -> Answer:
    """Import an adapter from peft or AdapterHub. Its outputs on the named backbone are recorded with it.

    Read are LoRA, DoRA and IA3 of peft, and seq_bn, seq_bn_inv and lora of AdapterHub.
    """
    from adaptkit.interchange import import_adapterhub, import_peft, written_by

    if written_by(folder) == "adapterhub":
        adapter = import_adapterhub(
            folder,
            lang=lang,
            domain=domain,
            backbone=backbone,
            licence=licence,
            allow_pickle=allow_pickle,
            without_head=without_head,
        )
    elif allow_pickle:
        raise ConfigError(
            f"{as_typed(allow_pickle=True)} is for folders of AdapterHub; no pickle of peft is read. Leave it out."
        )
    else:
        adapter = import_peft(
            folder, lang=lang, domain=domain, backbone=backbone, licence=licence, without_head=without_head
        )
    adapter.save(output)
    told = f"{adapter.id} for {adapter.origin.name} is in {output}\n{adapter.card.source}"
    return Answer({"id": adapter.id, "folder": str(output), "source": adapter.card.source}, told, confirms=True)
