"""Requests from flat options, as a command line has them: every option of every value, by one name."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from adaptkit.config import Kind
from adaptkit.errors import ConfigError
from adaptkit.labelled import ReadingOptions
from adaptkit.methods import METHODS, options_named
from adaptkit.objectives import OBJECTIVES
from adaptkit.options import options_of
from adaptkit.regularisers import REGULARISERS, Weighed
from adaptkit.requests.asked import REQUESTS, AnyRequest, kind_asked_for, refuse_kind, request_for
from adaptkit.requests.auto import AUTO, Auto, objective_named
from adaptkit.requests.flags import flags
from adaptkit.requests.output import Output
from adaptkit.requests.pretrained import Pretrained
from adaptkit.requests.refusals import refuse
from adaptkit.requests.run import Run
from adaptkit.terminal.asking import as_typed

Made = TypeVar("Made")


def request_of(flat: Mapping[str, object]) -> AnyRequest:
    """The request for options by their flat names, `method` and `objective` among them; the others have their defaults.

    Raises:
        ConfigError: An option that the kind of adapter, the method or the objective does not have, or that cannot be
            right; or a name that no option has.
    """
    kind, left = kind_asked_for(flat), dict(flat)
    _require_known(flat)
    asked: dict[str, object] = {
        "backbone": _taken(Pretrained, left),
        "run": _taken(Run, left),
        "output": _taken(Output, left),
        "method": _method(left),
    }
    if kind == "task":
        asked["reading"] = _taken(ReadingOptions, left)
        asked["regularisers"] = _regularisers(left)
    else:
        asked["objective"] = _objective(left)
    asked |= {name: left.pop(name) for name in options_of(REQUESTS[kind]) if name in left}
    _refuse_rest(list(left), kind, method=flat.get("method", "lora"), objective=flat.get("objective", "auto"))
    return request_for(asked)


def _taken(made: type[Made], left: dict[str, Any]) -> Made:
    """A value of those of its options that are left, which are then taken."""
    return made(**{entry.field: left.pop(name) for name, entry in options_of(made).items() if name in left})


def _method(left: dict[str, Any]) -> object:
    return _taken(type(options_named(left.pop("method", "lora"))), left)


def _objective(left: dict[str, Any]) -> object:
    named = objective_named(left.pop("objective", "auto"))
    if named is not AUTO:
        return _taken(type(named), left)
    having = {name: None for row in OBJECTIVES.values() for name in options_of(row.options)}
    given = {name: left.pop(name) for name in having if name in left}
    return Auto(given) if given else AUTO


def _regularisers(left: dict[str, Any]) -> list[Weighed]:
    """Those whose weight is given; what several have goes to each of them."""
    having = {row: options_of(row.options) for row in REGULARISERS.values()}
    chosen = [row for row in having if row.name in left]
    for name in [name for options in having.values() for name in options if name in left]:
        owners = [row for row in having if name in having[row]]
        if not any(row in chosen for row in owners):
            weights = " or ".join(as_typed(**{row.name: ...}) for row in owners)
            raise ConfigError(f"{name} does nothing by itself: give a weight too, {weights}.")
    made = [_taken(row.options, dict(left)) for row in chosen]
    for name in {name for row in chosen for name in having[row]}:
        left.pop(name, None)
    return made


def _refuse_rest(names: list[str], kind: Kind, *, method: object, objective: object) -> None:
    """Refuse what nothing has taken."""
    of_methods = {name for row in METHODS.values() if row.options for name in options_of(row.options)}
    of_objectives = {name for row in OBJECTIVES.values() for name in options_of(row.options)}
    if kind == "task":
        of_objectives = set()
    refuse_kind([name for name in names if name not in of_methods | of_objectives], kind)
    refuse([name for name in names if name in of_methods], f"method {method!r}")
    refuse([name for name in names if name in of_objectives], f"objective {objective!r}")


def _require_known(names: Iterable[str]) -> None:
    known = [flag.option.name for flag in flags()]
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise ConfigError(f"there is no option {name!r}.{f' Did you mean {near[0]!r}?' if near else ''}")
