"""`adaptkit encode`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adaptkit.cli.answer import Answer
from adaptkit.cli.arguments import BackboneOption, BatchOption, BitsOption, DeviceOption, EmbeddingsOption
from adaptkit.cli.json_lines import json_line
from adaptkit.cli.lines_in import lines_in
from adaptkit.errors import ConfigError
from adaptkit.holding import AUTO, require_bits
from adaptkit.requests import Pretrained
from adaptkit.terminal.asking import as_typed
from adaptkit.terminal.console import PlainConsole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FORMS = (".npy", ".jsonl")


def encode(
    texts: Annotated[Path | None, typer.Argument(help="file with a text a line (default: standard input)")] = None,
    on: Annotated[
        list[Path] | None, typer.Option(help="adapter that acts, lowest first; may be repeated (default: none)")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="file for the vectors: .npy (float32) or .jsonl (default: JSON lines, printed)")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace a file that is there")] = False,
    prefix: Annotated[
        str | None, typer.Option(help="what is put before every text (default: the backbone's own, such as 'query: ')")
    ] = None,
    normalize_embeddings: Annotated[
        bool, typer.Option("--normalize-embeddings", help="vectors of length 1, so that a product is a cosine")
    ] = False,
    backbone: BackboneOption = None,
    bits: BitsOption = 32,
    embeddings: EmbeddingsOption = None,
    device: DeviceOption = AUTO,
    batch_size: BatchOption = 32,
    progress: Annotated[bool | None, typer.Option(help="show progress (default: of 1,000 lines and more)")] = None,
) -> Answer | None:
    """Write the sentence vector of each line. With --on, adapters act; rows are in the order of the lines."""
    from adaptkit.recipes.foundation import foundation_of, standing
    from adaptkit.recipes.place import model_of

    _check_place(output, overwrite=overwrite)
    lines = _whole(lines_in(texts))
    model = model_of(Pretrained(backbone, bits=require_bits(bits), embeddings=embeddings, device=device))
    adapters = foundation_of(on or ()).adapters
    model.attach(*adapters)
    stack = " > ".join(adapter.id for adapter in standing(adapters)) or None
    vectors = model.encode(
        lines,
        stack=stack,
        batch_size=batch_size,
        prefix=prefix,
        normalize_embeddings=normalize_embeddings,
        progress=progress,
    ).numpy()
    if output is None:
        sys.stdout.write(_json_lines(vectors))
        return None
    _write(vectors, output)
    told = f"{len(vectors):,} vectors of width {vectors.shape[1]} are in {output}"
    facts = {"file": str(output), "vectors": len(vectors), "width": vectors.shape[1]}
    return Answer(facts, lambda: PlainConsole(stderr=True).print(told), confirms=True)


def _check_place(output: Path | None, *, overwrite: bool) -> None:
    if output is None:
        return
    if output.suffix not in _FORMS:
        raise ConfigError(f"{as_typed(output=output)} ends in no known form; it is {' or '.join(_FORMS)}.")
    if output.exists() and not overwrite:
        raise ConfigError(f"{output} exists; nothing was written. Give another file, or {as_typed(overwrite=True)}.")


def _whole(lines: list[str]) -> list[str]:
    """Lines that each have a vector of their own."""
    if not lines:
        raise ConfigError("there is no line to encode; give a file with a text a line.")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            raise ConfigError(f"line {number} is empty; each line gets one vector, so remove it.")
    return lines


def _json_lines(vectors: "NDArray[np.float32]") -> str:
    return "".join(f"{json_line([round(float(value), 7) for value in row])}\n" for row in vectors)


def _write(vectors: "NDArray[np.float32]", output: Path) -> None:
    """Write the whole file or nothing."""
    import numpy as np

    from adaptkit.format.folder import whole_file

    with whole_file(output) as partial:
        if output.suffix == ".jsonl":
            partial.write_text(_json_lines(vectors), encoding="utf-8")
        else:
            with partial.open("wb") as file:
                np.save(file, vectors, allow_pickle=False)
