"""How a message names an option: as Python takes it, or as a shell does."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

_in_shell = False


@contextmanager
def shell_words() -> Iterator[None]:
    """While open, messages are for somebody who typed a command."""
    with _said_in_shell(True):
        yield


@contextmanager
def python_words() -> Iterator[None]:
    """While open, messages name options as Python and files do, also where a command was typed."""
    with _said_in_shell(False):
        yield


@contextmanager
def _said_in_shell(so: bool) -> Iterator[None]:
    # A process is one command, whatever threads it has.
    global _in_shell
    before, _in_shell = _in_shell, so
    try:
        yield
    finally:
        _in_shell = before


def as_typed(**option: object) -> str:
    """An option with a value, for a message; `...` stands for a value that is the reader's to choose.

    `as_typed(overwrite=True)` is `overwrite=True` or `--overwrite`, `as_typed(objective="mlm")` is `objective='mlm'` or
    `--objective mlm`, and `as_typed(columns={"text": ...})` is `columns={'text': ...}` or `--columns text=NAME`. Of a
    list, each entry has its flag: `as_typed(zoo=["a", "b"])` is `zoo=['a', 'b']` or `--zoo a --zoo b`.
    """
    return ", ".join(
        _in_shell_words(name, value) if _in_shell else f"{name}={_shown(value)}" for name, value in option.items()
    )


def files_as_typed(name: str, keys: Iterable[str]) -> str:
    """A file for each of these, for a message: `text={'ha': ..., 'sw': ...}` or `--text ha=FILE --text sw=FILE`."""
    if _in_shell:
        return " ".join(f"{option_name(name)} {key}=FILE" for key in keys)
    return as_typed(**{name: dict.fromkeys(keys, ...)})


def option_name(name: str, flag: str | None = None) -> str:
    """What an option is called, for a message: `rank`, or `--rank`; a flag may have another name than its field."""
    return f"--{(flag or name).replace('_', '-')}" if _in_shell else name


def for_reader(in_python: str, *, in_shell: str) -> str:
    """What to do, for a message, where a shell does it otherwise than by an option of the same name."""
    return in_shell if _in_shell else in_python


def the_same_again() -> str:
    """What goes on where it was interrupted, or tries again: the beginning of a sentence."""
    return for_reader("The same call", in_shell="The same command")


def how_to_bring_own() -> str:
    """How a method or another row of one's own comes to be known, for a message."""
    return f" For one of your own, {for_reader('import its file first', in_shell='name its file: --import FILE.py')}."


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {_shown(part)}" for key, part in value.items()) + "}"
    return "..." if value is ... else repr(value)


def _in_shell_words(name: str, value: object) -> str:
    flag = option_name(name)
    if isinstance(value, Mapping):
        return " ".join(f"{flag} {key}={'NAME' if part is ... else part}" for key, part in value.items())
    if isinstance(value, list):
        return " ".join(f"{flag} {part}" for part in value)
    return flag if value is True or value is ... else f"{flag} {value}"
