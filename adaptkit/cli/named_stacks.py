"""Stacks that a command names by the adapters of a zoo."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adaptkit.composition import Fuse, Stack, resolved
from adaptkit.errors import ConfigError

if TYPE_CHECKING:
    from adaptkit.model import AdaptedModel

StackZooOption = Annotated[
    Path | None, typer.Option("--zoo", help="folder or archive with the adapters that a stack names")
]


def named_stacks(model: "AdaptedModel", zoo: Path | None, *expressions: str | None) -> list[Stack | None]:
    """The stacks that a command was given; a bare name is that of an adapter in the zoo, where only one has it.

    The zoo's adapters are read when they are first needed.

    Raises:
        ConfigError: A stack, and no zoo in which its adapters are, or no stack.
        UnknownAdapter, AmbiguousAdapter: A name that no adapter of the zoo has, or several have.
        SourceNotFound, AdapterFileError: The zoo is not there, or not sound.
    """
    from adaptkit.model.adapter_names import AdapterNames

    stacks = [None if text is None else Stack.parse(text) for text in expressions]
    if zoo is None:
        if named := [str(stack) for stack in stacks if stack is not None and stack.parts]:
            raise ConfigError(
                f"the stack {named[0]!r} names adapters, and nothing says where they are: give --zoo FOLDER, such as "
                "the one that `adaptkit train --output FOLDER/sw` wrote into."
            )
        return stacks
    names = AdapterNames()
    for adapter_id in model.attach_zoo(zoo):
        names.add(adapter_id)
    return [None if stack is None else _whole(stack, names.resolve) for stack in stacks]


def _whole(stack: Stack, name: Callable[[str], str]) -> Stack:
    whole = resolved(stack, name, _refused)
    assert isinstance(whole, Stack)  # noqa: S101 - a stack resolves to a stack
    return whole


def _refused(fuse: Fuse) -> str:
    raise ConfigError(f"{fuse} cannot be named here; name the fusion's own adapter by its id.")
