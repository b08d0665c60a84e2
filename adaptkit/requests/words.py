"""What the words behind a flag mean to the option whose flag it is; a file of options is read as such words too."""

from collections.abc import Sequence
from typing import Any, get_args

from adaptkit.annotations import Unfit, from_text, part_of
from adaptkit.errors import ConfigError
from adaptkit.options import Option
from adaptkit.terminal.asking import option_name


def read_words(name: str, kind: Any, words: str | Sequence[str]) -> object:  # noqa: ANN401 - types are values here
    """What the words behind a flag mean to an annotation; several are a tuple.

    Raises:
        ConfigError: They mean nothing there.
    """
    try:
        if isinstance(words, str):
            return from_text(kind, words)
        part = part_of(kind)
        kinds = get_args(kind) if part is None else [part] * len(words)
        return tuple(from_text(each, word) for each, word in zip(kinds, words, strict=True))
    except Unfit as right:
        said = words if isinstance(words, str) else " ".join(words)
        raise ConfigError(f"{option_name(name)} takes {right}, found {said!r:.80}.") from right


def as_python(option: Option, value: Any) -> object:  # noqa: ANN401
    """What Python would be given, from what typer reads behind the option's flag.

    Raises:
        ConfigError: It means nothing there.
    """
    if option.shell is not None:
        return option.shell.read(value)
    return value if isinstance(value, bool) else read_words(option.name, option.kind, value)
