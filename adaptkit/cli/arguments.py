"""Arguments and options that several commands have."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from adaptkit.data.letters import NormalForm
from adaptkit.errors import ConfigError
from adaptkit.holding import BITS_HELP, DEVICES, EMBEDDING_FORMS, embeddings_help
from adaptkit.requests.words import read_words


def choice(name: str, kind: Any, text: str) -> Any:  # noqa: ANN401
    """A flag for one of a few words, which help shows, refused as elsewhere."""
    return typer.Option(help=text, metavar=f"<{'|'.join(get_args(kind))}>", parser=partial(read_words, name, kind))


def _refuse_lexicon(given: list[str] | None) -> None:
    if given:
        raise ConfigError(
            "--lexicon is an option of train. Give the dictionary as --parallel, with its columns in the other order: "
            "the word in the language of the labels, a tab, the word in your language."
        )


FolderArgument = Annotated[Path, typer.Argument(help="folder of an adapter")]
BackboneOption = Annotated[
    str | None, typer.Option(help="hub id, folder or GGUF file (default: the embedded one)", metavar="<id or folder>")
]
BitsOption = Annotated[int, typer.Option(help=BITS_HELP)]
EmbeddingsOption = Annotated[str | None, typer.Option(help=embeddings_help(), metavar=f"<{'|'.join(EMBEDDING_FORMS)}>")]
DeviceOption = Annotated[str, typer.Option(help=DEVICES)]
_SENTENCES = "sentences with translations: JSON lines, TSV, TMX, or two plain files (a.en,a.ha)"
SentencesOption = Annotated[list[str], typer.Option(help=f"{_SENTENCES}; may be repeated", metavar="<file>")]
WordsOption = Annotated[
    list[str],
    typer.Option(
        help=f"{_SENTENCES}; a dictionary (English, tab, word), or a folder of CLDR's names; may be repeated",
        metavar="<file>",
    ),
]
LexiconOption = Annotated[
    list[str] | None, typer.Option("--lexicon", hidden=True, is_eager=True, callback=_refuse_lexicon)
]
"""For commands that take a dictionary otherwise than a training."""
PairsOption = Annotated[int | None, typer.Option(help="read only so many pairs, the first ones")]
BatchOption = Annotated[int, typer.Option(help="texts in a batch")]
OverwriteFileOption = Annotated[bool, typer.Option("--overwrite", help="replace the output file")]
NormalizeOption = Annotated[
    NormalForm | None, choice("normalize", NormalForm, "form in which all text is read (default: as it is)")
]
AnswersOption = Annotated[
    int | None, typer.Option(help="qa: tokens of the longest answer (default: what the adapter says)")
]
