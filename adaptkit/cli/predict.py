"""`adaptkit predict`."""

import sys
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
    inputs = _inputs(task.config.head.row)
    model = model_of(Pretrained(backbone, bits=require_bits(bits), embeddings=embeddings, device=device))
    below = foundation_of(on or ()).adapters
    model.attach(*below, task)
    stack = " > ".join([*(entry.id for entry in standing(below)), task.id])
    if task.below and not below:
        PlainConsole(stderr=True).print(
            f"{task.id} was trained on top of {' > '.join(task.below)}; no adapter is below it now (--on)"
        )
    asked = TaskData(task_type=task.config.head.task_type, examples=inputs, labels=(), description="the input")
    for prediction in model.predict(
        normalized_data(asked, normalize).examples,
        stack=stack,
        batch_size=batch_size,
        max_answer_tokens=max_answer_tokens,
    ):
        sys.stdout.write(json_line(prediction) + "\n")


def _inputs(task_type: AnyTaskType) -> list[Example]:
    """One example for each line of standard input."""
    examples: list[Example] = []
    for number, line in enumerate(lines_in(None), start=1):
        where = f"line {number} of the input"
        try:
            given = input_of(task_type, line)
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from error
        examples += examples_of(task_type.name, [given], [where])
    return examples
