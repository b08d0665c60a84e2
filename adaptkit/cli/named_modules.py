"""Modules that a user names: imported before commands are made, so that what they register has its flags there.

Nothing is imported that is not named in the call itself; an adapter's folder is data, whatever lies in it.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from adaptkit.errors import ConfigError

FLAG = "--import"


def import_named(arguments: Sequence[str]) -> list[str]:
    """Import what `--import` names before or behind the command: files, or modules that Python finds.

    Gives the other arguments. What stands behind `--` is no option.

    Raises:
        ConfigError: There is no such file or module.
    """
    named, others = _parted(arguments)
    for name in named:
        if name.endswith(".py"):
            _import_file(Path(name))
        else:
            _import_module(name)
    return others


def _parted(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The names that `--import` has, and the other arguments."""
    named: list[str] = []
    others: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        flag, equals, value = argument.partition("=")
        if argument == "--":
            others += [argument, *rest]
        elif flag == FLAG:
            named.append(value if equals else next(rest, ""))
        else:
            others.append(argument)
    if "" in named:
        raise ConfigError(f"{FLAG} names nothing; write {FLAG} FILE.py, or {FLAG} MODULE.")
    return named, others


def _import_file(path: Path) -> None:
    spec = spec_from_file_location(path.stem, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise ConfigError(f"{FLAG} {path}: there is no such file.")
    if path.stem in sys.modules:
        raise ConfigError(f"{FLAG} {path}: a module {path.stem!r} is imported already; give the file another name.")
    sys.modules[path.stem] = module = module_from_spec(spec)
    spec.loader.exec_module(module)


def _import_module(name: str) -> None:
    try:
        import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # the module is there, and needs another one
        raise ConfigError(
            f"{FLAG} {name}: Python finds no such module. A file is given by its path, NAME.py."
        ) from error
