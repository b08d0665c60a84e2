"""Modules that a user names: imported so that what they register is there, in this process and in those it starts."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from adaptkit.errors import ConfigError

FLAG = "--import"
_imported: tuple[str, ...] = ()


def import_each(names: Sequence[str]) -> None:
    """Import files, given as `NAME.py`, or modules that Python finds.

    Raises:
        ConfigError: There is no such file or module.
    """
    global _imported  # a process has one command
    for name in names:
        if name.endswith(".py"):
            _import_file(Path(name))
        else:
            _import_module(name)
    _imported = tuple(names)


def imported_names() -> tuple[str, ...]:
    """What was imported so: what a process that this one starts needs too."""
    return _imported


def _import_file(path: Path) -> None:
    spec = spec_from_file_location(path.stem, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise ConfigError(f"{FLAG} {path}: there is no such file.")
    if path.stem in sys.modules and path.samefile(getattr(sys.modules[path.stem], "__file__", None) or os.devnull):
        return  # by this process already
    if path.stem in sys.modules:
        raise ConfigError(f"{FLAG} {path}: a module {path.stem!r} is imported already; give the file another name.")
    sys.modules[path.stem] = module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[path.stem]  # what has failed is not imported
        raise


def _import_module(name: str) -> None:
    try:
        import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # the module is there, and needs another one
        raise ConfigError(
            f"{FLAG} {name}: Python finds no such module. A file is given by its path, NAME.py."
        ) from error
