"""`--plan` of `adaptkit train` and `adaptkit estimate`."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adaptkit.cli.answer import Answer
from adaptkit.cli.options import parameter
from adaptkit.errors import ConfigError
from adaptkit.options import options_of
from adaptkit.requests import Planning
from adaptkit.requests.flags import plan_flags
from adaptkit.requests.words import as_python
from adaptkit.terminal.asking import option_name

_PLAN = "plan"


def or_plan(
    training: Callable[..., Answer | None], planned: Callable[[Path, Planning], Answer]
) -> Callable[..., Answer | None]:
    """A command of one training that takes a plan of several in its place, with the flags that it lacks for one."""
    theirs = inspect.signature(training).parameters
    both = {**{flag.option.name: flag.option for flag in plan_flags()}, **options_of(Planning)}
    # A training has some of them itself, such as `--overwrite`; an estimate has not.
    own = {name: option for name, option in both.items() if name not in theirs}

    def run(**values: Any) -> Answer | None:  # noqa: ANN401 - whatever the options hold
        given = {name: value for name, value in values.items() if value is not None and value != []}
        plan = given.pop(_PLAN, None)
        if plan is None:
            _require_none([name for name in given if name in own])
            return training(**given)
        _require_in_plan([name for name in given if name not in both], plan)
        asked: dict[str, Any] = {name: as_python(both[name], value) for name, value in given.items()}
        return planned(Path(plan), Planning(**asked))

    run.__doc__ = training.__doc__
    parameters = [*map(parameter, own.values()), *theirs.values()]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run


def train_plan_command(plan: Path, planning: Planning) -> Answer:
    """Train all adapters of a plan; status 1 where one is missing at the end."""
    from adaptkit.plans import train_plan

    summary = train_plan(plan, planning)
    told = f"{summary}\nsummary: {summary.folder / 'summary.html'}"
    return Answer(summary.as_json(), told, confirms=not summary.failed, status=1 if summary.failed else 0)


def estimate_plan_command(plan: Path, planning: Planning) -> Answer:
    """Say what all trainings of a plan would cost."""
    from adaptkit.plans import estimate_plan

    found = estimate_plan(plan, planning)
    return Answer(found.as_json(), str(found))


def _require_none(names: list[str]) -> None:
    if names:
        raise ConfigError(f"{option_name(names[0])} belongs to a training plan: give {option_name(_PLAN)} FILE too.")


def _require_in_plan(names: list[str], plan: Path) -> None:
    if names:
        raise ConfigError(
            f"{', '.join(map(option_name, names))} and {option_name(_PLAN)} are both given; options of trainings stand "
            f"in the plan: write {names[0]} = ... at the top of {plan}."
        )
