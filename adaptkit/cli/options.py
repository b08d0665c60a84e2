"""Command-line options made from the options of requests, so that they cannot drift from the Python names."""

import inspect
from collections.abc import Callable, Collection
from typing import Annotated, Any, get_args, get_origin

import typer

from adaptkit.options import Option
from adaptkit.requests import AnyRequest, request_of
from adaptkit.requests.flags import flags


def request_options(command: Callable[[AnyRequest], None], *, left_out: Collection[str] = ()) -> Callable[..., None]:
    """A typer command with one option for each flag of a training."""
    chosen = {flag.option.name: flag for flag in flags() if flag.option.name not in left_out}

    def run(**values: Any) -> None:  # noqa: ANN401 - whatever the options hold
        given = {name: value for name, value in values.items() if value is not None and value != []}
        command(request_of({name: _as_python(chosen[name].option, value) for name, value in given.items()}))

    run.__doc__ = command.__doc__
    run.__signature__ = inspect.Signature([_parameter(flag.option) for flag in chosen.values()])  # type: ignore[attr-defined]
    return run


def _parameter(option: Option) -> inspect.Parameter:
    declared = typer.Option(
        # Without a name, typer makes of it a flag that has an opposite.
        *([f"--{option.name.replace('_', '-')}"] if option.default is False else []),
        help=_help(option),
        show_default=False,
        metavar=None if option.shell is None else option.shell.metavar,
    )
    annotation: Any = Annotated[_shell_kind(option) | None, declared]
    return inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _help(option: Option) -> str:
    """The sentence; what is taken where the option is left out, unless the sentence says it."""
    said = option.shell_help
    if option.shell is None and _repeated(option.kind) is not None:
        said += "; may be repeated"
    # Not by "in (False, ())": 0 is equal to False, and is said.
    if option.default is False or option.default == () or not isinstance(option.default, str | int | float | tuple):
        return said
    return f"{said}  [default: {_plain(option.default)}]"


def _plain(default: Any) -> str:  # noqa: ANN401
    if isinstance(default, tuple):
        return ", ".join(map(str, default))
    return str(default).lower() if isinstance(default, bool) else str(default)


def _shell_kind(option: Option) -> Any:  # noqa: ANN401
    """What typer reads; a tuple of any length is a flag that may be repeated."""
    if option.shell is not None:
        return option.shell.kind
    element = _repeated(option.kind)
    if element is None:
        return option.kind
    return list[int] if element is int else list[str]


def _repeated(kind: Any) -> Any:  # noqa: ANN401
    """Of what a tuple of any length is, alone or where nothing may stand for it."""
    tuples = [each for each in (kind, *get_args(kind)) if get_origin(each) is tuple and get_args(each)[-1] is ...]
    return get_args(tuples[0])[0] if tuples else None


def _as_python(option: Option, value: Any) -> object:  # noqa: ANN401
    if option.shell is not None:
        return option.shell.read(value)
    return tuple(value) if isinstance(value, list) else value
