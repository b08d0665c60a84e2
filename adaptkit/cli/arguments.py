"""Arguments and options that several commands have."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from adaptkit.annotations import Unfit, from_text, part_of
from adaptkit.data.letters import NormalForm
from adaptkit.errors import ConfigError
from adaptkit.holding import BITS_HELP, DEVICES, EMBEDDING_FORMS, embeddings_help
from adaptkit.terminal.asking import option_name


def read_words(name: str, kind: Any, words: str | Sequence[str]) -> object:  # noqa: ANN401 - types are values here
    """What the words behind a flag mean to an annotation; several are a tuple.

    Raises:
        ConfigError: They mean nothing there.
    """
    try:
        if isinstance(words, str):
            return from_text(kind, words)
        part = part_of(kind)
        kinds = get_args(kind) if part is None else [part] * len(words)
        return tuple(from_text(each, word) for each, word in zip(kinds, words, strict=True))
    except Unfit as right:
        said = words if isinstance(words, str) else " ".join(words)
        raise ConfigError(f"{option_name(name)} takes {right}, found {said!r:.80}.") from right


def choice(name: str, kind: Any, text: str) -> Any:  # noqa: ANN401
    """A flag for one of a few words, which help shows, refused as elsewhere."""
    return typer.Option(help=text, metavar=f"<{'|'.join(get_args(kind))}>", parser=partial(read_words, name, kind))


FolderArgument = Annotated[Path, typer.Argument(help="folder of an adapter")]
BackboneOption = Annotated[
    str | None, typer.Option(help="hub id, folder or GGUF file (default: the embedded one)", metavar="<id or folder>")
]
BitsOption = Annotated[int, typer.Option(help=BITS_HELP)]
EmbeddingsOption = Annotated[str | None, typer.Option(help=embeddings_help(), metavar=f"<{'|'.join(EMBEDDING_FORMS)}>")]
DeviceOption = Annotated[str, typer.Option(help=DEVICES)]
NormalizeOption = Annotated[
    NormalForm | None, choice("normalize", NormalForm, "form in which all text is read (default: as it is)")
]
AnswersOption = Annotated[
    int | None, typer.Option(help="qa: tokens of the longest answer (default: what the adapter says)")
]
