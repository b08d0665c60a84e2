"""`adaptkit evaluate` and `predict`."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from adaptkit.backbones.device import AUTO, DEVICES
from adaptkit.cli.options import SHELL_HELP, columns_of, labelled
from adaptkit.config import TaskType
from adaptkit.data.letters import NormalForm
from adaptkit.data.tasks import Example, TaskData
from adaptkit.data.tasks.spelling import normalized_data
from adaptkit.errors import ConfigError
from adaptkit.evaluation import evaluate as run_evaluation
from adaptkit.evaluation.report import check_place
from adaptkit.evaluation.report.markdown import render_markdown
from adaptkit.heads import examples_of
from adaptkit.recipes.foundation import Foundation, standing
from adaptkit.recipes.place import loaded
from adaptkit.storage import load_adapter
from adaptkit.terminal.console import PlainConsole
from adaptkit.terminal.plain_text import printable

_out = PlainConsole()
_COMMA = "comma-separated"
_BITS = typer.Option(help="bits of the backbone's linear layers: 32, 16, 8 or 4")
_EMBEDDINGS = typer.Option(help="how its word embeddings are held: resident, paged, int8, nf4")
_NORMALIZE = typer.Option(help="form in which all text is read: NFC, NFD, NFKC, NFKD (default: as it is)")
_ANSWERS = typer.Option(help="qa: tokens of the longest answer (default: what the adapter says)")
_DEVICE = typer.Option(help=DEVICES)


def evaluate(
    task: Annotated[
        str, typer.Option(help="a benchmark (xnli, mlqa, xquad, sib200, masakhaner, ...), or any name with LANG=FILE")
    ],
    adapter: Annotated[list[Path], typer.Option(help="task adapter; repeat for each training seed")],
    languages: Annotated[str, typer.Option(help=f"test languages, {_COMMA}")],
    compare: Annotated[str, typer.Option(help=f"none, source, target, relative; {_COMMA}")] = "none,source,target",
    data: Annotated[
        list[str] | None,
        typer.Option(help="folder or hub id of the benchmark (default: the hub), or LANG=FILE, repeated"),
    ] = None,
    zoo: Annotated[Path | None, typer.Option(help="folder of adapter folders with the language adapters")] = None,
    domain: Annotated[list[Path] | None, typer.Option(help="domain adapter between; may be repeated")] = None,
    source_language: Annotated[str | None, typer.Option(help="language that the task was trained in")] = None,
    seeds: Annotated[int | None, typer.Option(help="task adapters that must be given")] = None,
    split: Annotated[str, typer.Option(help="split of the benchmark")] = "test",
    limit: Annotated[int | None, typer.Option(help="first examples of each language, for a quick look")] = None,
    group: Annotated[str | None, typer.Option(help="only examples of this group (an XNLI genre)")] = None,
    normalize: Annotated[NormalForm | None, _NORMALIZE] = None,
    max_answer_tokens: Annotated[int | None, _ANSWERS] = None,
    columns: Annotated[list[str] | None, typer.Option(help=SHELL_HELP["columns"], metavar="<role=name>")] = None,
    labels: Annotated[list[str] | None, typer.Option(help=SHELL_HELP["labels"], metavar="<label>")] = None,
    nli: Annotated[bool | None, typer.Option(help="labels are those of inference, numbers included")] = None,
    score_range: Annotated[tuple[float, float], typer.Option(help="lowest and highest score of similarity")] = (0, 1),
    quoted: Annotated[bool | None, typer.Option(help="cells of a TSV are quoted as in CSV")] = None,
    training_text: Annotated[list[Path] | None, typer.Option(help="text to search for test sentences")] = None,
    backbone: Annotated[str | None, typer.Option(help="hub id or folder (default: the embedded one)")] = None,
    bits: Annotated[int, _BITS] = 32,
    embeddings: Annotated[str | None, _EMBEDDINGS] = None,
    device: Annotated[str, _DEVICE] = AUTO,
    output: Annotated[Path | None, typer.Option(help="folder for the report")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace a report that is there")] = False,
    batch_size: Annotated[int, typer.Option(help="examples in a batch")] = 32,
    progress: Annotated[bool, typer.Option(help="show progress")] = True,
) -> None:
    """Score a task adapter in several languages, with and without language adapters, and report which helped."""
    if output is not None:
        check_place(output, overwrite=overwrite)
    report = run_evaluation(
        loaded(backbone, bits=bits, embeddings=embeddings, device=device),
        task=task,
        adapter=list(adapter),
        languages=languages,
        compare=compare,
        data=_data(data),
        zoo=zoo,
        domain=domain or (),
        source_language=source_language,
        seeds=seeds,
        split=split,
        limit=limit,
        group=group,
        normalize=normalize,
        max_answer_tokens=max_answer_tokens,
        columns=columns_of(columns or []),
        labels=labels or (),
        nli=nli,
        score_range=score_range,
        quoted=quoted,
        training_text=training_text or (),
        keep=None if output is None else output.with_name(f"{output.name}.measurements"),
        batch_size=batch_size,
        progress=progress,
    )
    _out.print(render_markdown(report.results))
    if output is not None:
        report.save(output, overwrite=overwrite)
        _out.print(f"the report is in {output}; open {output / 'report.html'}")


def predict(
    adapter: Annotated[Path, typer.Argument(help="folder of a task adapter")],
    on: Annotated[list[Path] | None, typer.Option(help="adapter below it, lowest first; may be repeated")] = None,
    backbone: Annotated[str | None, typer.Option(help="hub id or folder (default: the embedded one)")] = None,
    bits: Annotated[int, _BITS] = 32,
    embeddings: Annotated[str | None, _EMBEDDINGS] = None,
    device: Annotated[str, _DEVICE] = AUTO,
    batch_size: Annotated[int, typer.Option(help="inputs in a batch")] = 32,
    normalize: Annotated[NormalForm | None, _NORMALIZE] = None,
    max_answer_tokens: Annotated[int | None, _ANSWERS] = None,
) -> None:
    """Predict what stands on standard input, a line each: a JSON string or list, or tab-separated; prints JSON lines.

    A line is a text, two texts, the words of a sentence, a question and its context, or a prompt and a list of choices.
    """
    task = load_adapter(adapter)
    if task.config.head is None:
        raise ConfigError(f"{task.id} has no head, so it predicts nothing; give a task adapter.")
    inputs = _inputs(task.config.head.task_type, sys.stdin.buffer.read())
    model = loaded(backbone, bits=bits, embeddings=embeddings, device=device)
    below = Foundation(tuple(load_adapter(folder) for folder in on or ())).adapters
    model.attach(*below, task)
    stack = " > ".join([*(entry.id for entry in standing(below)), task.id])
    if task.below and not below:
        PlainConsole(stderr=True).print(
            f"{task.id} was trained on top of {' > '.join(task.below)}; nothing lies below it now (--on)"
        )
    asked = TaskData(task_type=task.config.head.task_type, examples=inputs, labels=(), description="the input")
    for prediction in model.predict(
        normalized_data(asked, normalize).examples,
        stack=stack,
        batch_size=batch_size,
        max_answer_tokens=max_answer_tokens,
    ):
        sys.stdout.write(_json(_plain(prediction)) + "\n")


def _data(values: list[str] | None) -> str | dict[str, Any] | None:
    """A benchmark's folder or hub id, or files of one's own by language."""
    if not values:
        return None
    found: list[str] | dict[str, Any] = labelled(values)
    if isinstance(found, list) and len(found) > 1:
        raise ConfigError("--data is given twice; give one folder of a benchmark, or LANG=FILE for each language.")
    return found[0] if isinstance(found, list) else found


def _inputs(task_type: TaskType, given: bytes) -> list[Example]:
    """One example for each line."""
    try:
        text = given.decode("utf-8-sig").replace("\r\n", "\n").removesuffix("\n")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"the input is not UTF-8 (byte {error.start:,}). Convert it, for example with: iconv -f UTF-16 -t UTF-8"
        ) from error
    examples: list[Example] = []
    # Not splitlines: a JSON string may hold other separators of lines.
    for number, line in enumerate(text.split("\n") if text else [], start=1):
        try:
            examples += examples_of(task_type, [_input(task_type, line)])
        except ConfigError as error:
            raise ConfigError(f"line {number} of the input: {error}") from error
    return examples


def _input(task_type: TaskType, line: str) -> object:
    """A JSON value as it is; else cells of a line: words of a sentence for tagging, one text, or a pair."""
    if not line.strip():
        raise ConfigError("it is empty; predictions are printed line by line, so remove it.")
    if line[:1] in '[{"':
        try:
            return json.loads(line)
        except ValueError as error:
            raise ConfigError(f"it is broken JSON ({error}): {line[:80]}") from error
    if task_type == "tagging":
        return line.split()
    cells = line.split("\t")
    return cells[0] if len(cells) == 1 else tuple(cells)


def _json(value: object) -> str:
    """JSON that a person can read; what a terminal would obey is written as a number, which is the same JSON."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(sign if sign == printable(sign) else json.dumps(sign)[1:-1] for sign in text)


def _plain(prediction: object) -> object:
    fields = getattr(prediction, "__dataclass_fields__", None)
    if fields is None:
        return [_plain(part) for part in prediction] if isinstance(prediction, tuple | list) else prediction
    return {name: _plain(getattr(prediction, name)) for name in fields}
