"""`adaptkit predict`."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from adaptkit.cli.named_stacks import StackZooOption, named_ensemble
from adaptkit.composition import Stack
from adaptkit.data.tasks import Example, TaskData
from adaptkit.errors import ConfigError
from adaptkit.holding import AUTO, require_bits
from adaptkit.labelled import examples_of, normalized_data
from adaptkit.requests import Pretrained
from adaptkit.task_types import AnyTaskType, HeadConfig
from adaptkit.terminal.console import PlainConsole
from adaptkit.terminal.json_values import as_json as as_json_value

if TYPE_CHECKING:
    from adaptkit.model import AdaptedModel, ResolvedEnsemble
    from adaptkit.storage import Adapter


def predict(
    adapter: Annotated[
        Path | None, typer.Argument(help="folder of a task adapter (or name one of a zoo: --stack)")
    ] = None,
    on: Annotated[list[Path] | None, typer.Option(help="adapter below it, lowest first; may be repeated")] = None,
    stack: Annotated[
        str | None,
        typer.Option(
            help="in place of a folder: adapters of a zoo, such as 'sw > topics', or stacks that answer together, such "
            "as 'topics | sw > topics'"
        ),
    ] = None,
    zoo: StackZooOption = None,
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
    What is printed is JSON lines. With --stack, adapters of a zoo answer: a stack, or several together.
    """
    from adaptkit.recipes.place import model_of

    _require_one_way(adapter, on or (), stack, zoo)
    held = Pretrained(backbone, bits=require_bits(bits), embeddings=embeddings, device=device)
    if adapter is not None:
        task, head = _task_adapter(adapter)
        given = _inputs(head.row)  # before a backbone is loaded for nothing
        model = model_of(held)
        under = _attached(model, task, on or ())
    else:
        model = model_of(held)
        under = named_ensemble(model, zoo, stack or "")
        head = under.head
        given = _inputs(head.row)
    examples = [example for _, example in given]
    asked = TaskData(task_type=head.task_type, examples=examples, labels=(), description="the input")
    predictions = model.predict(
        normalized_data(asked, normalize).examples,
        stack=under,
        batch_size=batch_size,
        max_answer_tokens=max_answer_tokens,
    )
    for (read, _), prediction in zip(given, predictions, strict=True):
        sys.stdout.write(json_line(_with_input(read, prediction) if as_json else prediction) + "\n")


def _require_one_way(adapter: Path | None, on: Sequence[Path], stack: str | None, zoo: Path | None) -> None:
    """Let either folders or a stack of a zoo say what answers."""
    if stack is None and adapter is None:
        raise ConfigError("nothing says what answers: give the folder of a task adapter, or --stack with --zoo.")
    if stack is None and zoo is not None:
        raise ConfigError(
            f"--zoo is where a --stack finds its adapters, and no stack is given: leave it out, or write --stack in "
            f"place of {adapter}."
        )
    if stack is not None and (folders := [*on, *([] if adapter is None else [adapter])]):
        raise ConfigError(
            f"--stack names all that acts, and the folder {folders[0]} is given too: leave out one of them."
        )


def _task_adapter(folder: Path) -> "tuple[Adapter, HeadConfig]":
    """A task adapter, and its head."""
    from adaptkit.storage import load_adapter

    task = load_adapter(folder)
    if task.config.head is None:
        raise ConfigError(f"{task.id} has no head, so it predicts nothing; give a task adapter.")
    return task, task.config.head


def _attached(model: "AdaptedModel", task: "Adapter", on: Sequence[Path]) -> "ResolvedEnsemble":
    """The stack of a task adapter and of what is below it."""
    from adaptkit.recipes.foundation import foundation_of, standing

    below = foundation_of(on).adapters
    model.attach(*below, task)
    if task.below and not below:
        PlainConsole(stderr=True).print(
            f"{task.id} was trained on top of {' > '.join(task.below)}; no adapter is below it now (--on)"
        )
    return model.pinned_ensemble(Stack(*(entry.id for entry in standing(below)), task.id))


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
