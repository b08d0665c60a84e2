"""Stacks that a command names by the adapters of a zoo."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adaptkit.composition import Stack
from adaptkit.errors import ConfigError

if TYPE_CHECKING:
    from adaptkit.model import AdaptedModel, ResolvedEnsemble

StackZooOption = Annotated[
    Path | None, typer.Option("--zoo", help="folder or archive with the adapters that a stack names")
]


def named_stacks(model: "AdaptedModel", zoo: Path | None, *expressions: str | None) -> list[Stack | None]:
    """The stacks that a command was given; a bare name is that of an adapter in the zoo, where only one has it.

    Only the adapters that are named are read.

    Raises:
        ConfigError: A stack, and no zoo in which its adapters are, or no stack.
        UnknownAdapter, AmbiguousAdapter: A name that no adapter of the zoo has, or several have.
        SourceNotFound, AdapterFileError: The zoo is not there, or not sound.
        CompatibilityError: An adapter that is not for this backbone.
    """
    stacks = [None if text is None else Stack.parse(text) for text in expressions]
    _bring(model, zoo, [str(stack) for stack in stacks if stack is not None and stack.parts])
    return [None if stack is None else model.pinned(stack).stack for stack in stacks]


def named_ensemble(model: "AdaptedModel", zoo: Path | None, expression: str) -> "ResolvedEnsemble":
    """The stack that is to answer, or the stacks that are to answer together, as `named_stacks`.

    Raises:
        NoHead: A stack ends in no task adapter.
        ConfigError: As `named_stacks`; or the answers of an ensemble have no mean.
        AdaptkitError: As `named_stacks`.
    """
    _bring(model, zoo, [expression])
    return model.pinned_ensemble(expression)


def _bring(model: "AdaptedModel", zoo: Path | None, named: Sequence[str]) -> None:
    """Let stacks that name adapters find them in a zoo."""
    if zoo is not None:
        model.attach_zoo(zoo)
    elif named:
        raise ConfigError(
            f"the stack {named[0]!r} names adapters, and nothing says where they are: give --zoo FOLDER, such as "
            "the one that `adaptkit train --output FOLDER/sw` wrote into."
        )
