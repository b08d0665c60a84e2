"""The commands. Each one is a call of the Python package and what it prints."""

import sys
import time
from typing import Annotated

import typer
from rich.text import Text

from adaptkit.cli.backbone import backbone_app
from adaptkit.cli.demo import demo
from adaptkit.cli.diff import diff
from adaptkit.cli.evaluate import evaluate
from adaptkit.cli.export_adapter import export_adapter
from adaptkit.cli.grouped import GroupedCommand
from adaptkit.cli.import_adapter import import_adapter
from adaptkit.cli.inspect_adapter import inspect_adapter
from adaptkit.cli.list_adapters import list_adapters
from adaptkit.cli.merge import merge_adapters
from adaptkit.cli.mine import mine
from adaptkit.cli.named_modules import FLAG, import_named
from adaptkit.cli.options import request_options
from adaptkit.cli.plain_command import PlainCommand
from adaptkit.cli.predict import predict
from adaptkit.cli.project import project
from adaptkit.cli.pull import pull
from adaptkit.cli.push import push
from adaptkit.cli.sign import sign_place
from adaptkit.cli.train import OF_WHAT_IS_WRITTEN, estimate_command, train_command
from adaptkit.cli.verify import verify
from adaptkit.cli.write_index import write_index
from adaptkit.errors import AdaptkitError, DivergedTraining, ProcessFailed, TrainingInterrupted
from adaptkit.terminal.asking import shell_words
from adaptkit.terminal.console import PlainConsole
from adaptkit.terminal.launched import process_index
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
    with shell_words():
        try:
            arguments = import_named(sys.argv[1:])
            commands()(arguments)
        except SystemExit as end:
            if end.code == EXIT_INTERRUPTED:
                _say(
                    "interrupted. What was saved before is as it was. An evaluation with --output goes on from what it "
                    "has measured; all else begins again"
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
    """All commands, with flags for what is registered now."""
    app = typer.Typer(
        name="adaptkit",
        help="Language, domain and task adapters for languages that big models hardly know.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # rich's help would squeeze the many options into five narrow columns
    )
    app.callback()(common)
    app.command("train", cls=GroupedCommand)(request_options(train_command))
    app.command("estimate", cls=GroupedCommand)(request_options(estimate_command, left_out=OF_WHAT_IS_WRITTEN))
    app.command("mine", cls=PlainCommand)(mine)
    app.command("demo", cls=PlainCommand)(demo)
    app.command("evaluate", cls=PlainCommand)(evaluate)
    app.command("predict", cls=PlainCommand)(predict)
    app.command("project", cls=PlainCommand)(project)
    app.command("list", cls=PlainCommand)(list_adapters)
    app.command("index", cls=PlainCommand)(write_index)
    app.command("sign", cls=PlainCommand)(sign_place)
    app.command("diff", cls=PlainCommand)(diff)
    app.command("inspect", cls=PlainCommand)(inspect_adapter)
    app.command("verify", cls=PlainCommand)(verify)
    app.command("merge", cls=PlainCommand)(merge_adapters)
    app.command("import", cls=PlainCommand)(import_adapter)
    app.command("export", cls=PlainCommand)(export_adapter)
    app.command("push", cls=PlainCommand)(push)
    app.command("pull", cls=PlainCommand)(pull)
    app.add_typer(backbone_app, name="backbone")
    app.command("version", cls=PlainCommand)(version)
    return app


def version() -> None:
    """Print the version."""
    _out.print(__version__)
