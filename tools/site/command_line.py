"""The page of the command line: what `adaptkit COMMAND --help` prints, for every command."""

from collections.abc import Iterator
from typing import Any

import typer

from adaptkit.cli.app import commands

_WIDTH = 88
_NAME = "adaptkit"
Command = Any  # of the click that typer comes with


def command_line_page() -> str:
    """The page."""
    helps = _helps(typer.main.get_command(commands()), None, _NAME)
    return "\n\n".join(["# Command line", *(f"## {name}\n\n```text\n{text.rstrip()}\n```" for name, text in helps)])


def _helps(command: Command, above: Command, name: str) -> Iterator[tuple[str, str]]:
    """The name and the help of a command, then those of its own commands."""
    here = command.make_context(
        name, [], parent=above, resilient_parsing=True, terminal_width=_WIDTH, max_content_width=_WIDTH
    )
    yield here.command_path, command.get_help(here)
    for below in command.list_commands(here) if hasattr(command, "list_commands") else []:
        _, called, _ = command.resolve_command(here, [below])
        yield from _helps(called, here, below)
