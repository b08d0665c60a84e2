"""The commands. Each one is a call of the Python package and what it prints."""

import sys
import time
from typing import Annotated

import typer
from rich.text import Text

from adaptkit.cli.commands import Commands
from adaptkit.cli.named_modules import import_named
from adaptkit.errors import AdaptkitError, DivergedTraining, ProcessFailed, TrainingInterrupted
from adaptkit.named_modules import FLAG
from adaptkit.terminal.asking import shell_words
from adaptkit.terminal.console import PlainConsole
from adaptkit.terminal.launched import process_index
from adaptkit.terminal.waiting import let_waiting_threads_sleep
from adaptkit.version import __version__

EXIT_ERROR = 1
EXIT_INTERRUPTED = 130

_out = PlainConsole()


def _print_version(asked: bool) -> None:
    if asked:
        _out.print(__version__)
        raise typer.Exit


def common(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="print the version")
    ] = False,
    modules: Annotated[
        list[str] | None,
        typer.Option(
            FLAG, metavar="<file or module>", help="Python of your own that registers methods, objectives or task types"
        ),
    ] = None,  # imported by `main`, before there are commands
) -> None:
    """Language, domain and task adapters for languages that big models hardly know."""


def main() -> None:
    """Run the command line; an error of ours is one message and exit status 1, not a traceback."""
    let_waiting_threads_sleep()
    with shell_words():
        try:
            arguments = import_named(sys.argv[1:])
            commands()(arguments)
        except SystemExit as end:
            if end.code == EXIT_INTERRUPTED:
                _say(
                    "interrupted. What was saved before is unchanged. Run the same again: an evaluation with --output "
                    "continues from what it has measured, a plan or a transfer from what it has trained, and with "
                    "--resume a training from the checkpoint beside its output, if there is one. Everything else "
                    "starts again."
                )
            raise
        except TrainingInterrupted as error:
            _fail(error, 128 + error.signal_number)
        except AdaptkitError as error:
            _fail(error, EXIT_ERROR)


_KNOWN_TO_ALL = (DivergedTraining, ProcessFailed, TrainingInterrupted)
"""Of several processes that train together, all end with these, and the main one says it."""

_MAIN_SAYS_IT_S = 5.0


def _fail(error: AdaptkitError, status: int) -> None:
    if process_index():
        # A launcher ends all processes as soon as one has ended: not before the main one has said why, and then only
        # what it does not know.
        time.sleep(_MAIN_SAYS_IT_S)
        if isinstance(error, _KNOWN_TO_ALL):
            sys.exit(status)
    PlainConsole(stderr=True).print(Text(type(error).__name__, "bold red"), end=": ")
    _say(str(error))
    sys.exit(status)


def _say(message: str) -> None:
    PlainConsole(stderr=True).print(message)


def commands() -> typer.Typer:
    """All commands."""
    app = typer.Typer(
        name="adaptkit",
        cls=Commands,
        help="Language, domain and task adapters for languages that big models hardly know.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # rich's help would squeeze the many options into five narrow columns
    )
    app.callback()(common)
    return app
