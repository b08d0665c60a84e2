"""How options are refused that do not go with others, and to what they belong."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import TypeAlias

from adaptkit.errors import ConfigError
from adaptkit.labelled import ReadingOptions
from adaptkit.methods import METHODS
from adaptkit.objectives import OBJECTIVES
from adaptkit.options import options_of
from adaptkit.regularisers import REGULARISERS
from adaptkit.requests.output import Output
from adaptkit.requests.pretrained import Pretrained
from adaptkit.requests.run import Run
from adaptkit.terminal.asking import option_name


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
    raise ConfigError(f"{', '.join(map(option_name, names))} {verb} not go with {what}{rest}")


def _where_they_belong(names: Sequence[str]) -> str:
    owned: dict[str, list[str]] = {}
    for name in names:
        owned.setdefault(owners_of(name), []).append(name)
    owned.pop("", None)
    return "; ".join(
        f"{' and '.join(map(option_name, having))} {'belongs' if len(having) == 1 else 'belong'} to {owner}"
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


Owners: TypeAlias = Sequence[tuple[str, type]]
"""Keywords of a call with the classes of options that they take."""


def refuse_misplaced(names: Iterable[str], known: Iterable[str], owners: Owners | None = None) -> None:
    """Say of keywords that are none of a call in which value they stand; nothing where there is none.

    `known` are those that it has, and `owners` those of them that take options; None: those of a training.

    Raises:
        ConfigError: There is one.
    """
    for name in names:
        places = list(_places(_of_training() if owners is None else owners))
        if where := [place for option, place in places if option == name]:
            raise ConfigError(f"{name} is not an option of the call itself: give it in {' or '.join(where)}.")
        near = get_close_matches(name, [*known, *(option for option, _ in places)], n=1)
        raise ConfigError(f"there is no option {name!r}.{f' Did you mean {near[0]!r}?' if near else ''}")


def _of_training() -> Owners:
    owners: list[tuple[str, type]] = [("method", row.options) for row in METHODS.values() if row.options is not None]
    owners += [("objective", row.options) for row in OBJECTIVES.values()]
    owners += [("regularisers", row.options) for row in REGULARISERS.values()]
    return [*owners, ("reading", ReadingOptions), ("run", Run), ("backbone", Pretrained), ("output", Output)]


def _places(owners: Owners) -> Iterator[tuple[str, str]]:
    """Each option with the value that has it, as Python writes it."""
    return (
        (option.name, f"{keyword}={owner.__name__}({option.field}=...)")
        for keyword, owner in owners
        for option in options_of(owner).values()
    )
