"""The options of a training as flags: every option of every value that a request is made of, by group."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from adaptkit.labelled import ReadingOptions
from adaptkit.methods import METHODS
from adaptkit.objectives import OBJECTIVES
from adaptkit.options import Option, Shell, options_of
from adaptkit.regularisers import REGULARISERS
from adaptkit.requests.asked import REQUESTS
from adaptkit.requests.output import Output
from adaptkit.requests.planning import Planning
from adaptkit.requests.pretrained import Pretrained
from adaptkit.requests.run import Run

_METHOD = "kind of adapter, such as lora or bottleneck; head: no layers, only the head of a task"
_OBJECTIVE = "what training optimises; auto: chosen by text and backbone"
_NAMES = ("lang", "domain", "task")
_OF_TEXT = ("language", "domain")
WHAT, TEXT, TASK = "What is trained", "Language and domain adapters", "Task adapters"
PLAN = "A training plan"
_PLAN = "TOML file of several adapters, each with these options; all are trained, and interrupted ones resume"


@dataclass(frozen=True)
class Flag:
    """An option as the command has it, and the group of what has it, such as "The run" or "Method bottleneck".

    `kinds` of adapters have it, and of what is chosen `by` another flag, such as the method, these `choices`; empty:
    all.
    """

    option: Option
    group: str
    kinds: tuple[str, ...] = ()
    by: str = ""
    choices: tuple[str, ...] = ()


def flags() -> tuple[Flag, ...]:
    """All of them in the order of help, those of registered methods and objectives included."""
    asked = [Flag(option, _group_of(name), _kinds_of(name)) for name, option in _asked().items()]
    of_group = {group: [flag for flag in asked if flag.group == group] for group in (WHAT, TEXT, TASK)}
    return (
        *of_group[WHAT],
        Flag(_choice("method", _METHOD, "lora", _trained()), WHAT),
        *of_group[TEXT],
        Flag(_choice("objective", _OBJECTIVE, "auto", ("auto", *OBJECTIVES)), TEXT, _OF_TEXT),
        *of_group[TASK],
        *(replace(flag, kinds=("task",)) for flag in _of(TASK, ReadingOptions)),
        *_shared("Method", {name: row.options for name, row in METHODS.items() if row.options is not None}),
        *_shared("Objective", {name: row.options for name, row in OBJECTIVES.items()}, _OF_TEXT),
        *map(_off, _shared("Regulariser", {name: row.options for name, row in REGULARISERS.items()}, ("task",))),
        *_of("The run", Run),
        *_of("The backbone", Pretrained),
        *_of("What is written", Output),
    )


def plan_flags() -> tuple[Flag, ...]:
    """Those of a training plan; one that a training has too has its name and place."""
    plan = Option("plan", str, None, _PLAN, field="plan", shell=Shell(Path, metavar="<file>", read=Path))
    of_a_training = {flag.option.name for flag in flags()}
    return (Flag(plan, PLAN), *(flag for flag in _of(PLAN, Planning) if flag.option.name not in of_a_training))


def _trained() -> tuple[str, ...]:
    return tuple(name for name, row in METHODS.items() if row.options is not None)


def _asked() -> Mapping[str, Option]:
    """What requests ask themselves; where several have an option, the language's comes first."""
    every = chain.from_iterable(options_of(request).items() for request in REQUESTS.values())
    found: dict[str, Option] = {}
    for name, option in every:
        found.setdefault(name, option)
    return {**{name: found[name] for name in _NAMES}, **found}


def _group_of(name: str) -> str:
    kinds = _kinds_of(name)
    if not kinds:
        return WHAT
    return TASK if kinds == ("task",) else TEXT


def _kinds_of(name: str) -> tuple[str, ...]:
    """The kinds of adapters that have a flag, where not all have it."""
    having = tuple(kind for kind, request in REQUESTS.items() if name in options_of(request))
    return () if name in _NAMES or len(having) == len(REQUESTS) else having


def _of(group: str, owner: type) -> Iterator[Flag]:
    return (Flag(option, group) for option in options_of(owner).values())


def _shared(what: str, owners: Mapping[str, type], kinds: tuple[str, ...] = ()) -> Iterator[Flag]:
    """Of each owner what it alone has, and then what several have; where their defaults differ, the flag has none."""
    found: dict[str, Option] = {}
    having: dict[str, list[str]] = {}
    for owner, made in owners.items():
        for name, option in options_of(made).items():
            first = found.setdefault(name, option)
            if first.default != option.default:
                found[name] = replace(first, default=None)
            having.setdefault(name, []).append(owner)
    groups = sorted({tuple(names): None for names in having.values()}, key=len)
    for group in groups:
        title = f"{what}{'s' if len(group) > 1 else ''} {', '.join(group)}"
        of_group = (option for name, option in found.items() if tuple(having[name]) == group)
        yield from (Flag(option, title, kinds, by=what.lower(), choices=group) for option in of_group)


def _off(flag: Flag) -> Flag:
    """What is off where its weight is not given has no default there."""
    return replace(flag, option=replace(flag.option, default=None)) if flag.option.name in REGULARISERS else flag


def _choice(name: str, text: str, default: str, choices: tuple[str, ...]) -> Option:
    """A field that a shell fills with a name, where Python may give options."""
    return Option(name, str, default, text, field=name, choices=choices)
