"""`adaptkit explain`."""

import sys
from typing import Annotated

import typer

from adaptkit.cli.arguments import (
    BackboneOption,
    BitsOption,
    DeviceOption,
    EmbeddingsOption,
    NormalizeOption,
)
from adaptkit.cli.json_lines import input_of, json_line
from adaptkit.cli.named_stacks import StackZooOption, named_stacks
from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError
from adaptkit.holding import AUTO, require_bits
from adaptkit.labelled import examples_of, normalized_data
from adaptkit.options import options_of
from adaptkit.requests import Explaining, Pretrained
from adaptkit.task_types import AnyTaskType

_SAID = {name: option.shell_help for name, option in options_of(Explaining).items()}
_DEFAULT = Explaining()


def explain(
    texts: Annotated[
        list[str], typer.Argument(help="a text; two for a pair, or a question and its context", metavar="<text>...")
    ],
    stack: Annotated[str, typer.Option(help="adapters that answer, such as language/sw > task/topics")],
    zoo: StackZooOption = None,
    target: Annotated[str | None, typer.Option(help="another answer to explain (default: the head's own)")] = None,
    word: Annotated[
        str | None, typer.Option(help="tagging, pos: the word whose tag is explained, or its number")
    ] = None,
    steps: Annotated[int, typer.Option(help=_SAID["steps"])] = _DEFAULT.steps,
    most_steps: Annotated[int, typer.Option(help=_SAID["most_steps"])] = _DEFAULT.most_steps,
    tolerance: Annotated[float, typer.Option(help=_SAID["tolerance"])] = _DEFAULT.tolerance,
    baseline: Annotated[str | None, typer.Option(help=_SAID["baseline"], metavar="<mask|pad|unk>")] = None,
    batch_size: Annotated[int, typer.Option(help=_SAID["batch_size"])] = _DEFAULT.batch_size,
    json: Annotated[bool, typer.Option("--json", help="print it as one line of JSON")] = False,
    normalize: NormalizeOption = None,
    backbone: BackboneOption = None,
    bits: BitsOption = 32,
    embeddings: EmbeddingsOption = None,
    device: DeviceOption = AUTO,
) -> None:
    """Explain why a head answers as it does. It shows what each word adds, and what each adapter changes."""
    from adaptkit.recipes.place import model_of

    how = Explaining(
        steps=steps,
        most_steps=most_steps,
        tolerance=tolerance,
        baseline=baseline,  # type: ignore[arg-type]  # checked there
        batch_size=batch_size,
    )
    model = model_of(Pretrained(backbone, bits=require_bits(bits), embeddings=embeddings, device=device))
    (under,) = named_stacks(model, zoo, stack)
    _, head = model.head_of(under)
    examples = examples_of(head.task_type, [_given(head.row, texts)])
    asked = TaskData(task_type=head.task_type, examples=examples, labels=(), description="the input")
    (found,) = model.explain(
        list(normalized_data(asked, normalize).examples),
        stack=under,
        target=_number_or_text(target) if head.task_type == "choice" else target,
        word=_number_or_text(word),
        how=how,
    )
    if json:
        sys.stdout.write(json_line(found.as_json()) + "\n")
    else:
        found.show()


def _given(row: AnyTaskType, texts: list[str]) -> object:
    """One text is read as a line of `predict` is, JSON included; several as one with tabs between."""
    if not "".join(texts).strip():
        raise ConfigError("the input is empty; give a text.")
    return input_of(row, texts[0]) if len(texts) == 1 else row.of_line("\t".join(texts))


def _number_or_text(given: str | None) -> str | int | None:
    return int(given) if given is not None and given.isdecimal() else given
