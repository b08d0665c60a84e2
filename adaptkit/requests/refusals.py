"""How options are refused that do not go with others, and to what they belong."""

from collections.abc import Iterable, Iterator, Sequence

from adaptkit.errors import ConfigError
from adaptkit.methods import METHODS
from adaptkit.objectives import OBJECTIVES
from adaptkit.options import options_of


def refuse(given: Iterable[str], what: str) -> None:
    """Say that options do not go with something, and to what they belong; nothing where none is given.

    Raises:
        ConfigError: One or more are given.
    """
    names = tuple(given)
    if not names:
        return
    verb, them = ("does", "it") if len(names) == 1 else ("do", "them")
    where = _where_they_belong(names)
    rest = f": {where}. Leave {them} out." if where else f"; leave {them} out."
    raise ConfigError(f"{', '.join(names)} {verb} not go with {what}{rest}")


def _where_they_belong(names: Sequence[str]) -> str:
    owned: dict[str, list[str]] = {}
    for name in names:
        owned.setdefault(owners_of(name), []).append(name)
    owned.pop("", None)
    return "; ".join(
        f"{' and '.join(having)} {'belongs' if len(having) == 1 else 'belong'} to {owner}"
        for owner, having in owned.items()
    )


def owners_of(name: str) -> str:
    """The methods or objectives that have an option, in words; empty where it is of neither."""
    return " and ".join(_owners(name))


def _owners(name: str) -> Iterator[str]:
    for method in METHODS.values():
        if method.options is not None and name in options_of(method.options):
            yield f"method {method.name!r}"
    for objective in OBJECTIVES.values():
        if name in options_of(objective.options):
            yield f"objective {objective.name!r}"
