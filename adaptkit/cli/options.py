"""Command-line options made from the options of requests, so that they cannot drift from the Python names."""

import inspect
from collections.abc import Callable, Collection
from typing import Annotated, Any, Literal, get_args, get_origin

import typer

from adaptkit.annotations import part_of
from adaptkit.cli.answer import Answer
from adaptkit.options import Option, Options, options_of
from adaptkit.requests import AnyRequest, request_of
from adaptkit.requests.flags import flags
from adaptkit.requests.words import as_python


def request_options(
    command: Callable[[AnyRequest], Answer | None], *, left_out: Collection[str] = ()
) -> Callable[..., Answer | None]:
    """A typer command with one option for each flag of a training."""
    chosen = {flag.option.name: flag for flag in flags() if flag.option.name not in left_out}

    def run(**values: Any) -> Answer | None:  # noqa: ANN401 - whatever the options hold
        given = {name: value for name, value in values.items() if value is not None and value != []}
        return command(request_of({name: as_python(chosen[name].option, value) for name, value in given.items()}))

    run.__doc__ = command.__doc__
    run.__signature__ = inspect.Signature([parameter(flag.option) for flag in chosen.values()])  # type: ignore[attr-defined]
    return run


def with_options(
    command: Callable[..., Answer | None], name: str, values: type[Options]
) -> Callable[..., Answer | None]:
    """A typer command with a flag for each option of `values` in the place of its parameter `name`."""
    chosen = options_of(values)

    def run(**given: Any) -> Answer | None:  # noqa: ANN401 - whatever the options hold
        asked = {each: given.pop(each) for each in chosen}
        told = {each: value for each, value in asked.items() if value is not None and value != []}
        return command(
            **given, **{name: values(**{each: as_python(chosen[each], value) for each, value in told.items()})}
        )

    own = [each for each in inspect.signature(command).parameters.values() if each.name != name]
    flagged = [*own, *map(parameter, chosen.values())]
    run.__doc__ = command.__doc__
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in flagged]
    )
    return run


def parameter(option: Option) -> inspect.Parameter:
    """A flag for an option, as typer reads it off a signature."""
    declared = typer.Option(
        # Without a name, typer makes of it a flag that has an opposite.
        *([f"--{option.name.replace('_', '-')}"] if option.default is False else []),
        help=_help(option),
        show_default=False,
        metavar=_metavar(option),
    )
    annotation: Any = Annotated[_shell_kind(option) | None, declared]
    return inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _help(option: Option) -> str:
    """The sentence; what is taken where the option is left out, unless the sentence says it."""
    said = option.shell_help
    if option.shell is None and part_of(option.kind) is not None:
        choices = _choices(part_of(option.kind))
        said += f"{'; each is ' if choices else ''}{', '.join(choices)}; may be repeated"
    # Not by "in (False, ())": 0 is equal to False, and is said.
    if option.default is False or option.default == () or not isinstance(option.default, str | int | float | tuple):
        return said
    return f"{said}  [default: {_plain(option.default)}]"


def _plain(default: Any) -> str:  # noqa: ANN401
    if isinstance(default, tuple):
        return ", ".join(map(str, default))
    return str(default).lower() if isinstance(default, bool) else str(default)


def _metavar(option: Option) -> str | None:
    """What stands behind the flag in help: its choices, or what it takes; a flag that is a switch has nothing there."""
    if option.shell is not None or _is_switch(option):
        return None if option.shell is None else option.shell.metavar
    if part_of(option.kind) is not None:
        return _NAMES.get(part_of(option.kind), "<name>")
    several = get_args(option.kind) if get_origin(option.kind) is tuple else (option.kind,)
    choices = tuple(option.choices or _choices(option.kind))
    return f"<{'|'.join(choices)}>" if choices else " ".join(_name_of(each) for each in several)


def _name_of(kind: Any) -> str:  # noqa: ANN401
    return next(name for each, name in _NAMES.items() if each in (kind, *get_args(kind)))


_NAMES = {int: "<int>", float: "<float>", str: "<text>"}


def _choices(kind: Any) -> tuple[str, ...]:  # noqa: ANN401
    closed = [each for each in (kind, *get_args(kind)) if get_origin(each) is Literal]
    return tuple(str(choice) for each in closed for choice in get_args(each))


def _is_switch(option: Option) -> bool:
    return bool in (option.kind, *get_args(option.kind))


def _shell_kind(option: Option) -> Any:  # noqa: ANN401
    """What typer reads: words, so that what is wrong with one is said as it is elsewhere."""
    if option.shell is not None:
        return option.shell.kind
    if _is_switch(option):
        return bool
    if part_of(option.kind) is not None:
        return list[str]
    parts = get_args(option.kind) if get_origin(option.kind) is tuple else ()
    return tuple[tuple(str for _ in parts)] if parts else str  # type: ignore[misc]
