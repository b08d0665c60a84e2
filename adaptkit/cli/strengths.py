"""`adaptkit strengths`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from adaptkit.cli.answer import Answer
from adaptkit.cli.arguments import BackboneOption, BatchOption, BitsOption, DeviceOption, EmbeddingsOption
from adaptkit.cli.reading import (
    ColumnsOption,
    GroupOption,
    LabelsOption,
    LimitOption,
    NliOption,
    QuotedOption,
    ScoreRangeOption,
    SplitOption,
    reading_of,
)
from adaptkit.config import STRENGTHS
from adaptkit.errors import ConfigError
from adaptkit.holding import AUTO, require_bits
from adaptkit.requests import Pretrained, Selection


def strengths(
    task: Annotated[str, typer.Option(help="a benchmark (xnli, masakhaner, ...), or any name with a file as --data")],
    adapter: Annotated[list[Path], typer.Option(help="task adapter; repeat for each training seed")],
    language: Annotated[str, typer.Option(help="language of the examples, whose adapter is measured")],
    zoo: Annotated[list[Path], typer.Option(help="folder of the language adapter, or a zoo that has it")],
    data: Annotated[
        Path | None,
        typer.Option(help="labelled examples, or the folder of the benchmark (default: the benchmark from the hub)"),
    ] = None,
    values: Annotated[
        str, typer.Option("--strengths", help="strengths to measure beside none and 1; comma-separated")
    ] = ",".join(map(str, STRENGTHS)),
    split: SplitOption = "dev",
    limit: LimitOption = None,
    group: GroupOption = None,
    columns: ColumnsOption = None,
    labels: LabelsOption = None,
    nli: NliOption = None,
    score_range: ScoreRangeOption = (0, 1),
    quoted: QuotedOption = None,
    backbone: BackboneOption = None,
    bits: BitsOption = 32,
    embeddings: EmbeddingsOption = None,
    device: DeviceOption = AUTO,
    batch_size: BatchOption = 32,
    progress: Annotated[bool, typer.Option(help="tell each measurement on standard error")] = True,
) -> Answer:
    """Find how strongly an adapter should act below a task. Labelled examples tell."""
    from adaptkit.evaluation import compare_strengths
    from adaptkit.recipes.place import model_of

    of_benchmark = data is None or data.is_dir()
    found = compare_strengths(
        model_of(Pretrained(backbone, bits=require_bits(bits), embeddings=embeddings, device=device)),
        task=task,
        adapter=list(adapter),
        language=language,
        zoo=zoo[0] if len(zoo) == 1 else zoo,
        data=data if of_benchmark else {language: data},
        strengths=_numbers(values),
        reading=reading_of(columns, labels, nli, score_range, quoted),
        selection=Selection(split=split, limit=limit, group=group),
        batch_size=batch_size,
        progress=progress,
    )
    return Answer({**asdict(found), "stack": found.stack}, str(found))


def _numbers(values: str) -> list[float]:
    try:
        return [float(each) for each in values.split(",")]
    except ValueError as error:
        raise ConfigError(
            f"--strengths {values!r:.80} is to be numbers with commas between, such as 0.25,0.5,0.75."
        ) from error
