"""Options in a file, as TOML: each under the name of its flag, as in `max_steps = 300`."""

import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeAlias, get_args, get_origin

from adaptkit.annotations import part_of
from adaptkit.errors import ConfigError
from adaptkit.options import Option
from adaptkit.requests.flags import flags
from adaptkit.requests.words import as_python
from adaptkit.terminal.asking import option_name

Words: TypeAlias = bool | str | list[str]
_MOST_BYTES = 2**20


def read_options_file(path: str | os.PathLike[str]) -> dict[str, object]:
    """What the file says, as TOML has it. Paths in it are meant from the working directory, as in a shell.

    Raises:
        ConfigError: It is not there, is larger than 1 MiB, or is no TOML.
    """
    file = Path(path)
    try:
        with file.open("rb") as opened:
            content = opened.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise ConfigError(f"{file} is larger than 1 MiB; a file of options has some lines of TOML.")
        return tomllib.loads(content.decode())
    except OSError as error:
        raise ConfigError(f"{file} cannot be read ({error.strerror}); name a file of options in TOML.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{file} is no TOML ({error}); an option is written as in: max_steps = 300.") from error


def options_in(table: Mapping[str, object], path: str | os.PathLike[str]) -> dict[str, object]:
    """The options of a training that a table of that file gives, as `request_of` takes them, by their flat names.

    Raises:
        ConfigError: There is no such option, or its value cannot be right.
    """
    known = {flag.option.name: flag.option for flag in flags()}
    found = {known_name(name, known, path): words_of(name, value) for name, value in table.items()}
    return {name: as_python(known[name], _as_read(known[name], words)) for name, words in found.items()}


def known_name(name: str, known: Mapping[str, object], path: str | os.PathLike[str] = "") -> str:
    """The option that a name in a file means; dashes may stand for underscores, as in a shell.

    Errors begin with `path`, unless their place is told already.

    Raises:
        ConfigError: There is none.
    """
    found = name.replace("-", "_")
    if found in known:
        return found
    near = get_close_matches(found, known, n=1)
    where = f"{path}: " if path else ""
    raise ConfigError(f"{where}there is no option {name!r:.80}.{f' Did you mean {near[0]}?' if near else ''}")


def words_of(name: str, value: object) -> Words:
    """A value of TOML as the words behind a flag: a list is a flag that is repeated, a table says KEY=VALUE.

    Raises:
        ConfigError: A date, or a list or table inside another one.
    """
    if isinstance(value, list):
        return [_word(name, each) for each in value]
    if isinstance(value, Mapping):
        each = {key: part if isinstance(part, list) else [part] for key, part in value.items()}
        return [f"{key}={_word(name, part)}" for key, parts in each.items() for part in parts]
    return value if isinstance(value, bool) else _word(name, value)


def _word(name: str, value: object) -> str:
    if not isinstance(value, str | int | float):
        raise ConfigError(f"{name} in a file of options is a text, a number or a list of these, found {value!r:.80}.")
    return str(value).lower() if isinstance(value, bool) else str(value)


def in_shape(words: Words, *, several: bool) -> Words:
    """The words for a flag that takes `several`, or one; of one, several are written with commas between."""
    if several:
        return words if isinstance(words, list) else [str(words)]
    return ",".join(words) if isinstance(words, list) else words


def _as_read(option: Option, words: Words) -> object:
    """The words as typer would give them."""
    kind: Any = option.kind if option.shell is None else option.shell.kind
    given = in_shape(words, several=get_origin(kind) in (list, tuple) or part_of(kind) is not None)
    if bool in (kind, *get_args(kind)) and not isinstance(given, bool):
        raise ConfigError(f"{option_name(option.name)} takes true or false, found {given!r:.80}.")
    if Path in (kind, *get_args(kind)):
        return [Path(each) for each in given] if isinstance(given, list) else Path(str(given))
    return given
