"""`adaptkit strengths`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from adaptkit.cli.answer import Answer
from adaptkit.cli.arguments import BackboneOption, BatchOption, BitsOption, DeviceOption, EmbeddingsOption
from adaptkit.config import STRENGTHS
from adaptkit.errors import ConfigError
from adaptkit.holding import AUTO, require_bits
from adaptkit.labelled import ReadingOptions
from adaptkit.labelled.reading_options import columns_of
from adaptkit.options import options_of
from adaptkit.requests import Pretrained, Selection

_SAID = {
    name: option.shell_help for values in (ReadingOptions, Selection) for name, option in options_of(values).items()
}


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
    split: Annotated[str, typer.Option(help=_SAID["split"])] = "dev",
    limit: Annotated[int | None, typer.Option(help=_SAID["limit"])] = None,
    group: Annotated[str | None, typer.Option(help=_SAID["group"])] = None,
    columns: Annotated[list[str] | None, typer.Option(help=_SAID["columns"], metavar="<role=name>")] = None,
    labels: Annotated[list[str] | None, typer.Option(help=_SAID["labels"], metavar="<label>")] = None,
    nli: Annotated[bool | None, typer.Option(help=_SAID["nli"])] = None,
    score_range: Annotated[tuple[float, float], typer.Option(help=_SAID["score_range"])] = (0, 1),
    quoted: Annotated[bool | None, typer.Option(help=_SAID["quoted"])] = None,
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
        reading=ReadingOptions(
            columns=columns_of(columns or []),
            labels=tuple(labels or ()),
            nli=nli,
            score_range=score_range,
            quoted=quoted,
        ),
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
