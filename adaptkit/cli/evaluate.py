"""`adaptkit evaluate`."""

import json
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adaptkit.cli.answer import Answer
from adaptkit.cli.arguments import (
    AnswersOption,
    BackboneOption,
    BitsOption,
    DeviceOption,
    EmbeddingsOption,
    NormalizeOption,
)
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
from adaptkit.errors import ConfigError
from adaptkit.holding import AUTO, require_bits
from adaptkit.options import options_of
from adaptkit.requests import Measuring, Pretrained, Selection
from adaptkit.requests.task import labelled

if TYPE_CHECKING:
    from adaptkit.evaluation.results import TransferResults

_COMMA = "comma-separated"
_SAID = {name: option.shell_help for name, option in options_of(Measuring).items()}


def evaluate(
    task: Annotated[
        str,
        typer.Option(
            help="a benchmark (xnli, mlqa, xquad, sib200, masakhaner, ...), retrieval, or any name with LANG=FILE"
        ),
    ],
    languages: Annotated[str, typer.Option(help=f"test languages, {_COMMA}")],
    adapter: Annotated[
        list[Path] | None, typer.Option(help="task adapter; repeat for each training seed (retrieval has none)")
    ] = None,
    compare: Annotated[str, typer.Option(help=f"none, source, target, relative; {_COMMA}")] = "none,source,target",
    stack: Annotated[
        str | None,
        typer.Option(
            help="measure this too: adapters of the zoo, such as 'sw > topics', or stacks that answer together, such "
            "as 'topics | sw > topics'"
        ),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="folder or hub id of the benchmark (default: the hub), or LANG=FILE, repeated; for retrieval, a "
            "folder of parallel files by language"
        ),
    ] = None,
    zoo: Annotated[
        list[Path] | None,
        typer.Option(
            help="zoo with the language adapters; repeat for adapter folders, which come before what the zoo has"
        ),
    ] = None,
    domain: Annotated[
        list[Path] | None, typer.Option(help="domain adapter between language and task; may be repeated")
    ] = None,
    source_language: Annotated[
        str | None,
        typer.Option(help="language that the task was trained in; of retrieval, of the translations (default: en)"),
    ] = None,
    seeds: Annotated[int | None, typer.Option(help="how many task adapters must be given")] = None,
    split: SplitOption = "test",
    limit: LimitOption = None,
    group: GroupOption = None,
    normalize: NormalizeOption = None,
    max_answer_tokens: AnswersOption = None,
    columns: ColumnsOption = None,
    labels: LabelsOption = None,
    nli: NliOption = None,
    score_range: ScoreRangeOption = (0, 1),
    quoted: QuotedOption = None,
    examples: Annotated[int, typer.Option(help=_SAID["examples"])] = 0,
    explain: Annotated[bool, typer.Option("--explain", help=_SAID["explain"])] = False,
    training_text: Annotated[
        list[Path] | None, typer.Option(help="training text in which test sentences are looked for")
    ] = None,
    backbone: BackboneOption = None,
    bits: BitsOption = 32,
    embeddings: EmbeddingsOption = None,
    device: DeviceOption = AUTO,
    output: Annotated[Path | None, typer.Option(help="folder for the report")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace a report that is there")] = False,
    batch_size: Annotated[int, typer.Option(help=_SAID["batch_size"])] = 32,
    progress: Annotated[bool, typer.Option(help=_SAID["progress"])] = True,
) -> Answer:
    """Measure whether language adapters help. In several languages, a task adapter is scored with and without them."""
    from adaptkit.evaluation import evaluate as run_evaluation
    from adaptkit.evaluation.report import check_place
    from adaptkit.evaluation.report.markdown import render_markdown
    from adaptkit.evaluation.report.results_file import results_json
    from adaptkit.recipes.place import model_of

    if output is not None:
        check_place(output, overwrite=overwrite)
    report = run_evaluation(
        model_of(Pretrained(backbone, bits=require_bits(bits), embeddings=embeddings, device=device)),
        task=task,
        adapter=list(adapter) if adapter else None,
        languages=languages,
        compare=compare,
        stack=stack,
        data=_data(data),
        zoo=zoo[0] if zoo and len(zoo) == 1 else zoo or None,
        domain=domain or (),
        source_language=source_language,
        seeds=seeds,
        normalize=normalize,
        training_text=training_text or (),
        reading=reading_of(columns, labels, nli, score_range, quoted),
        selection=Selection(split=split, limit=limit, group=group),
        measuring=Measuring(
            batch_size=batch_size,
            max_answer_tokens=max_answer_tokens,
            examples=examples,
            explain=explain,
            keep=None if output is None else output.with_name(f"{output.name}.measurements"),
            progress=progress,
        ),
    )
    report = replace(report, results=_with_command(report.results))
    lines = [render_markdown(report.results)]
    if output is not None:
        report.save(output, overwrite=overwrite)
        lines.append(f"the report is in {output}; open {output / 'report.html'}")
    return Answer(json.loads(results_json(report.results)), "\n".join(lines))


def _with_command(results: "TransferResults") -> "TransferResults":
    """The results with the command that made them."""
    command = shlex.join(["adaptkit", *sys.argv[1:]])
    return replace(results, environment={**results.environment, "command": command})


def _data(values: list[str] | None) -> str | dict[str, Any] | None:
    """A benchmark's folder or hub id, or files of one's own by language."""
    if not values:
        return None
    found: list[str] | dict[str, Any] = labelled(values)
    if isinstance(found, list) and len(found) > 1:
        raise ConfigError("--data is given twice; give one folder of a benchmark, or LANG=FILE for each language.")
    return found[0] if isinstance(found, list) else found
