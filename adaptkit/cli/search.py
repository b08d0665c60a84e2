"""`adaptkit search`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adaptkit.cli.arguments import BackboneOption, BatchOption, BitsOption, DeviceOption, EmbeddingsOption
from adaptkit.cli.json_lines import json_line
from adaptkit.cli.lines_in import lines_in
from adaptkit.cli.named_stacks import StackZooOption, named_stacks
from adaptkit.data.corpus import open_corpus
from adaptkit.data.sources import existing_path
from adaptkit.errors import ConfigError
from adaptkit.holding import AUTO, require_bits
from adaptkit.requests import Pretrained
from adaptkit.terminal.console import PlainConsole
from adaptkit.terminal.plain_text import one_line

if TYPE_CHECKING:
    from adaptkit.composition import Stack
    from adaptkit.model import AdaptedModel, SearchIndex
    from adaptkit.search import Hit

_NO_ADAPTER = "none"


def search(
    corpus: Annotated[
        Path, typer.Argument(help="text, one a line, or rows (.jsonl, .csv, .parquet, ...); also packed")
    ],
    queries: Annotated[
        list[str] | None,
        typer.Argument(help="what to look for; several are allowed (default: lines of standard input)"),
    ] = None,
    top: Annotated[int, typer.Option(help="hits per query")] = 10,
    stack: Annotated[
        str | None, typer.Option(help="adapters under which the corpus is encoded, such as sw (default: none)")
    ] = None,
    query_stack: Annotated[
        str | None, typer.Option(help="those for the queries, or none for no adapter (default: as the corpus)")
    ] = None,
    zoo: StackZooOption = None,
    index: Annotated[
        Path | None, typer.Option(help="folder that keeps the vectors: written at the first call, read at the next")
    ] = None,
    private: Annotated[bool, typer.Option("--private", help="the folder of the index keeps no text")] = False,
    column: Annotated[str | None, typer.Option(help="field of the rows that holds the text")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print a JSON line for each query")] = False,
    backbone: BackboneOption = None,
    bits: BitsOption = 32,
    embeddings: EmbeddingsOption = None,
    device: DeviceOption = AUTO,
    batch_size: BatchOption = 32,
    progress: Annotated[bool, typer.Option(help="show progress")] = True,
) -> None:
    """Find the lines of a text nearest in meaning to a query. With --stack, adapters act on both.

    What is printed is rank, cosine, line and text with tabs between; lines count from 1.
    """
    from adaptkit.model import AS_CORPUS
    from adaptkit.recipes.place import model_of

    if private and index is None:
        raise ConfigError("--private is for an index that is kept; give --index FOLDER too, or leave it out.")
    if private and index is not None:
        _require_private(index)
    open_corpus(existing_path(corpus), column=column).require_text()  # before a backbone is loaded for nothing
    asked = list(queries) if queries else lines_in(None)
    if not asked:
        raise ConfigError("there is nothing to look for; give words behind the corpus, or lines on standard input.")
    model = model_of(Pretrained(backbone, bits=require_bits(bits), embeddings=embeddings, device=device))
    bare = query_stack == _NO_ADAPTER
    under, query_under = named_stacks(model, zoo, stack, None if bare else query_stack)
    found = _index(
        model, corpus, under, index, column=column, batch_size=batch_size, progress=progress, private=private
    )
    hits = found.search(asked, top=top, stack=AS_CORPUS if query_stack is None else query_under)
    for query, own in zip(asked, hits, strict=True):
        sys.stdout.write(_as_json(query, own) if as_json else _as_table(query, own, alone=len(asked) == 1))


def _require_private(folder: Path) -> None:
    """Let an index that is there keep no text.

    Raises:
        ConfigError: It keeps some.
    """
    from adaptkit.search import read_index_record

    if folder.exists() and read_index_record(folder).holds_text:
        raise ConfigError(
            f"--private asks for an index without text, and {folder} keeps the text: it was written without "
            "--private. Delete that folder, or give another one (--index)."
        )


def _index(
    model: "AdaptedModel",
    corpus: Path,
    stack: "Stack | None",
    folder: Path | None,
    *,
    column: str | None,
    batch_size: int,
    progress: bool,
    private: bool,
) -> "SearchIndex":
    """The index that is kept, where there is one; else a new one, kept where that is asked for."""
    from adaptkit.model import SearchIndex

    if folder is not None and folder.exists():
        found = SearchIndex.load(folder, model, corpus=corpus, column=column)
        if found.origin.stack != str(model.pinned(stack).stack):
            raise ConfigError(
                f"{folder} is an index under {found.origin.stack or 'no adapter'}, and {stack or 'no adapter'} is "
                "asked for. Give another folder, or say the same --stack."
            )
        return found
    made = model.search_index(corpus, stack=stack, column=column, batch_size=batch_size, progress=progress)
    if folder is not None:
        made.save(folder, keep_text=not private)
        PlainConsole(stderr=True).print(f"the index of {len(made):,} sentences is in {folder}")
    return made


def _as_table(query: str, hits: "list[Hit]", *, alone: bool) -> str:
    head = "" if alone else f"# {one_line(query)}\n"
    lines = (f"{hit.rank}\t{hit.similarity:.3f}\t{hit.row + 1}\t{one_line(hit.text or '')}\n" for hit in hits)
    return head + "".join(lines)


def _as_json(query: str, hits: "list[Hit]") -> str:
    found = [
        {"rank": hit.rank, "similarity": round(hit.similarity, 6), "line": hit.row + 1, "text": hit.text}
        for hit in hits
    ]
    return json_line({"query": query, "hits": found}) + "\n"
