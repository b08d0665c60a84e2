"""Arguments and options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

from adaptkit.data.letters import NormalForm
from adaptkit.holding import BITS_HELP, DEVICES, embeddings_help

FolderArgument = Annotated[Path, typer.Argument(help="folder of an adapter")]
BackboneOption = Annotated[str | None, typer.Option(help="hub id or folder (default: the embedded one)")]
BitsOption = Annotated[int, typer.Option(help=BITS_HELP)]
EmbeddingsOption = Annotated[str | None, typer.Option(help=embeddings_help())]
DeviceOption = Annotated[str, typer.Option(help=DEVICES)]
NormalizeOption = Annotated[
    NormalForm | None, typer.Option(help="form in which all text is read: NFC, NFD, NFKC, NFKD (default: as it is)")
]
AnswersOption = Annotated[
    int | None, typer.Option(help="qa: tokens of the longest answer (default: what the adapter says)")
]
