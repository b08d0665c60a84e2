"""`adaptkit predict`."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from adaptkit.cli.arguments import (
    AnswersOption,
    BackboneOption,
    BitsOption,
    DeviceOption,
    EmbeddingsOption,
    NormalizeOption,
)
from adaptkit.cli.json_lines import input_of, json_line
from adaptkit.cli.lines_in import lines_in
from adaptkit.data.tasks import Example, TaskData
from adaptkit.errors import ConfigError
from adaptkit.holding import AUTO, require_bits
from adaptkit.labelled import examples_of, normalized_data
from adaptkit.requests import Pretrained
from adaptkit.task_types import AnyTaskType
from adaptkit.terminal.console import PlainConsole
from adaptkit.terminal.json_values import as_json as as_json_value


def predict(
    adapter: Annotated[Path, typer.Argument(help="folder of a task adapter")],
    on: Annotated[list[Path] | None, typer.Option(help="adapter below it, lowest first; may be repeated")] = None,
    backbone: BackboneOption = None,
    bits: BitsOption = 32,
    embeddings: EmbeddingsOption = None,
    device: DeviceOption = AUTO,
    batch_size: Annotated[int, typer.Option(help="inputs in a batch")] = 32,
    normalize: NormalizeOption = None,
    max_answer_tokens: AnswersOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the input in each line too")] = False,
) -> None:
    """Answer each line of standard input with a task adapter. A line is a JSON string or list, or has tabs.

    A line is a text, two texts, the words of a sentence, a question and its context, or a prompt and a list of choices.
    What is printed is JSON lines.
    """
    from adaptkit.recipes.foundation import foundation_of, standing
    from adaptkit.recipes.place import model_of
    from adaptkit.storage import load_adapter

    task = load_adapter(adapter)
    if task.config.head is None:
        raise ConfigError(f"{task.id} has no head, so it predicts nothing; give a task adapter.")
    given = _inputs(task.config.head.row)
    examples = [example for _, example in given]
    model = model_of(Pretrained(backbone, bits=require_bits(bits), embeddings=embeddings, device=device))
    below = foundation_of(on or ()).adapters
    model.attach(*below, task)
    stack = " > ".join([*(entry.id for entry in standing(below)), task.id])
    if task.below and not below:
        PlainConsole(stderr=True).print(
            f"{task.id} was trained on top of {' > '.join(task.below)}; no adapter is below it now (--on)"
        )
    asked = TaskData(task_type=task.config.head.task_type, examples=examples, labels=(), description="the input")
    predictions = model.predict(
        normalized_data(asked, normalize).examples,
        stack=stack,
        batch_size=batch_size,
        max_answer_tokens=max_answer_tokens,
    )
    for (read, _), prediction in zip(given, predictions, strict=True):
        sys.stdout.write(json_line(_with_input(read, prediction) if as_json else prediction) + "\n")


def _with_input(read: object, prediction: object) -> Mapping[str, object]:
    """What an input is answered, beside it."""
    answer = as_json_value(prediction)
    return {"input": read, **(answer if isinstance(answer, Mapping) else {"answer": answer})}


def _inputs(task_type: AnyTaskType) -> list[tuple[object, Example]]:
    """What each line of standard input holds, and the example that it is."""
    found: list[tuple[object, Example]] = []
    for number, line in enumerate(lines_in(None), start=1):
        where = f"line {number} of the input"
        try:
            given = input_of(task_type, line)
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from error
        found += [(given, example) for example in examples_of(task_type.name, [given], [where])]
    return found
