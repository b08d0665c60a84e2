"""The settings on a card as a file of options, with which the same training is asked for again."""

from collections.abc import Mapping

from adaptkit.annotations import part_of
from adaptkit.config import Kind
from adaptkit.format.card import TrainingFacts
from adaptkit.methods import METHODS
from adaptkit.objectives import OBJECTIVES
from adaptkit.options import Option, Recorded, options_of
from adaptkit.regularisers import REGULARISERS
from adaptkit.requests.asked import REQUESTS
from adaptkit.requests.flags import flags
from adaptkit.requests.output import Output
from adaptkit.requests.pretrained import Pretrained
from adaptkit.requests.run import Run
from adaptkit.requests.toml_text import toml
from adaptkit.terminal.plain_text import one_line

_OF_THE_MACHINE = ("device",)
"""Options that say where a training ran: another machine may have no such device."""
_NEEDS = {"task": "data", "language": "text or parallel", "domain": "text or parallel"}


def settings_file(adapter_id: str, kind: Kind, backbone: str, facts: TrainingFacts) -> str:
    """TOML that `adaptkit train --config` takes; the text is not in it, as no card holds its place.

    What a card holds beside options, such as facts of a dictionary, stands in comments, and so does the device.
    """
    settings = {name: value for name, value in facts.settings.items() if value is not None}
    if kind != "task" and facts.objective in OBJECTIVES:
        settings["objective"] = facts.objective
    known = _options_of(kind, settings)
    asked = {name: value for name, value in settings.items() if name in known and name not in _OF_THE_MACHINE}
    rest = {name: value for name, value in settings.items() if name not in known}
    return "\n".join(
        [
            f"# The settings of {adapter_id}, trained on {one_line(backbone)}. Give {_NEEDS[kind]} besides.",
            *(f"{name} = {_toml(known[name], value)}" for name, value in asked.items()),
            *(f"# {name}: {one_line(str(settings[name]))}, there" for name in _OF_THE_MACHINE if name in settings),
            *(
                f"# {one_line(name)}: {one_line(str(value))} (no option of such a training)"
                for name, value in rest.items()
            ),
            "",
        ]
    )


def _options_of(kind: Kind, settings: Mapping[str, Recorded]) -> Mapping[str, Option]:
    """What can be asked for with this method, objective and these regularisers, and decides the result."""
    method, objective = METHODS.get(str(settings.get("method"))), OBJECTIVES.get(str(settings.get("objective")))
    owners = [
        REQUESTS[kind],
        Run,
        Pretrained,
        Output,
        *([method.options] if method is not None and method.options is not None else []),
        *([objective.options] if objective is not None and kind != "task" else []),
        *(row.options for name, row in REGULARISERS.items() if name in settings and kind == "task"),
    ]
    recorded = {name: option for owner in owners for name, option in options_of(owner).items() if option.recorded}
    named = {flag.option.name: flag.option for flag in flags() if flag.option.name in ("method", "objective")}
    return {**recorded, **{name: option for name, option in named.items() if kind != "task" or name == "method"}}


def _toml(option: Option, value: Recorded) -> str:
    """A recorded value as TOML; what was several is written with commas on a card, and is a list again."""
    if isinstance(value, str) and part_of(option.kind) is not None and option.shell is None:
        return toml(value.split(","))
    return toml(value)
