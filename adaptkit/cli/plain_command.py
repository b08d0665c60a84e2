"""A command whose help says in plain words what a flag takes."""

from typing import Any

from typer.core import TyperCommand, TyperOption

_IN_WORDS = {"<str>": "<text>", "<list[str]>": "<text>", "<list[int]>": "<int>", "<list[Path]>": "<path>"}
"""What typer shows, which are types of Python."""


class PlainCommand(TyperCommand):
    """A command, as far as help is concerned: of a flag that may be repeated, what it takes once."""

    def get_params(self, ctx: Any) -> Any:  # noqa: ANN401 - of the click that typer comes with
        """Its parameters, whose types are in words."""
        parameters = super().get_params(ctx)
        for parameter in parameters:
            if isinstance(parameter, TyperOption) and parameter.metavar is None:
                parameter.metavar = _IN_WORDS.get(parameter.display_type(ctx))
        return parameters
