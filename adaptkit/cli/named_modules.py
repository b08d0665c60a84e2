"""Modules that a user names: imported before commands are made, so that what they register has its flags there.

Nothing is imported that is not named in the call itself; an adapter's folder is data, whatever lies in it.
"""

from collections.abc import Sequence

from adaptkit.errors import ConfigError
from adaptkit.named_modules import FLAG, import_each


def import_named(arguments: Sequence[str]) -> list[str]:
    """Import what `--import` names before or behind the command: files, or modules that Python finds.

    Gives the other arguments. What stands behind `--` is no option.

    Raises:
        ConfigError: There is no such file or module.
    """
    named, others = _parted(arguments)
    import_each(named)
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
