"""`adaptkit transfer`."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from adaptkit.cli.answer import Answer
from adaptkit.cli.arguments import (
    BackboneOption,
    BitsOption,
    DeviceOption,
    EmbeddingsOption,
    LexiconOption,
    WordsOption,
)
from adaptkit.holding import AUTO, require_bits
from adaptkit.labelled import ReadingOptions
from adaptkit.labelled.reading_options import columns_of
from adaptkit.requests import Planning, Pretrained


def transfer(
    task: Annotated[str, typer.Option(help="name of the task, such as topics")],
    data: Annotated[Path, typer.Option(help="file of labelled examples", metavar="<file>")],
    lang: Annotated[str, typer.Option(help="language to bring the task to")],
    parallel: WordsOption,
    output: Annotated[Path, typer.Option(help="folder for all adapters, the plan and the result")],
    dev: Annotated[
        Path | None,
        typer.Option(help="labelled examples in the language, to choose by and to measure on", metavar="<file>"),
    ] = None,
    adapter: Annotated[
        Path | None, typer.Option(help="folder of an adapter of the language that is there (default: train one)")
    ] = None,
    source_lang: Annotated[str, typer.Option(help="language of the labelled examples")] = "en",
    task_type: Annotated[str | None, typer.Option(help="task type (default: recognised from the columns)")] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(help="ROLE=NAME, where a column's name is not recognised", metavar="<role=name>"),
    ] = None,
    max_steps: Annotated[int | None, typer.Option(help="steps of the language adapter (default: the usual)")] = None,
    task_steps: Annotated[int | None, typer.Option(help="steps of each task adapter (default: the usual)")] = None,
    licence: Annotated[str | None, typer.Option(help="licence of the parallel text, for the cards")] = None,
    backbone: BackboneOption = None,
    bits: BitsOption = 32,
    embeddings: EmbeddingsOption = None,
    device: DeviceOption = AUTO,
    processes: Annotated[int | None, typer.Option(help="trainings at the same time (default: one per GPU)")] = None,
    lexicon: LexiconOption = None,  # noqa: ARG001 - it is refused as it is read
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="train again what was trained with other options")
    ] = False,
) -> Answer:
    """Bring a task to another language. All that helps is trained, and measured where you have labels."""
    from adaptkit.transfers import transfer_task

    found = transfer_task(
        task=task,
        data=data,
        lang=lang,
        parallel=parallel,
        output=output,
        dev=dev,
        adapter=adapter,
        source_lang=source_lang,
        task_type=task_type,
        reading=ReadingOptions(columns=columns_of(columns or [])),
        max_steps=max_steps,
        task_steps=task_steps,
        licence=licence,
        backbone=Pretrained(backbone, bits=require_bits(bits), embeddings=embeddings, device=device),
        planning=Planning(processes=processes, overwrite=overwrite),
    )
    named = {"--backbone": backbone, "--bits": None if bits == 32 else bits, "--embeddings": embeddings}
    given = [part for flag, value in named.items() if value is not None for part in (flag, str(value))]
    use = shlex.join(["adaptkit", "predict", "--zoo", str(output), "--stack", found.stack, *given]) + " < texts.txt"
    return Answer({**asdict(found), "folder": str(found.folder)}, f"{found}\n{use}")
