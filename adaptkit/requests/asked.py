"""From what a caller asks for to the request: `lang`, `domain` and `task` say which one it is."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeAlias

from adaptkit.config import Kind
from adaptkit.errors import ConfigError
from adaptkit.labelled import ReadingOptions
from adaptkit.methods import options_named
from adaptkit.regularisers import regularisers_named
from adaptkit.requests.auto import objective_named
from adaptkit.requests.domain import DomainRequest
from adaptkit.requests.language import LanguageRequest
from adaptkit.requests.output import Output
from adaptkit.requests.pretrained import Pretrained
from adaptkit.requests.refusals import refuse, refuse_misplaced
from adaptkit.requests.run import Run
from adaptkit.requests.task import TaskRequest
from adaptkit.terminal.asking import as_typed, option_name

AnyRequest: TypeAlias = LanguageRequest | DomainRequest | TaskRequest
REQUESTS: Mapping[Kind, type[AnyRequest]] = {
    "language": LanguageRequest,
    "domain": DomainRequest,
    "task": TaskRequest,
}
_DEFAULTS = {
    entry.name: None if entry.default is MISSING else entry.default
    for asked in REQUESTS.values()
    for entry in fields(asked)
}


def kind_asked_for(asked: Mapping[str, object]) -> Kind:
    """The kind of adapter, of which there must be one.

    Raises:
        ConfigError: There is none, or two, or it lacks what it cannot be trained without.
    """
    lang, domain, task = (asked.get(name) for name in ("lang", "domain", "task"))
    if task is not None and domain is not None:
        raise ConfigError(
            f"{option_name('task')} and {option_name('domain')} are both given; an adapter is for one of them."
        )
    if task is not None and asked.get("data") is None:
        raise ConfigError(f"task {task!r} needs labelled examples: give {as_typed(data=...)}.")
    if domain is not None and lang is None:
        raise ConfigError(f"domain {domain!r} needs the language of its text: give {as_typed(lang=...)}.")
    if task is None and lang is None:
        raise ConfigError(
            f"nothing says what to train: give {as_typed(lang=...)}, or {as_typed(domain=...)} with its text, or "
            f"{as_typed(task=...)}."
        )
    return "task" if task is not None else "language" if domain is None else "domain"


def request_for(asked: Mapping[str, object]) -> AnyRequest:
    """The request for what `train_adapter` is given; names, folders and None stand for values with their defaults.

    Raises:
        ConfigError: Something that does not go with the kind of adapter, or cannot be right.
    """
    refuse_misplaced((name for name in asked if name not in _DEFAULTS), _DEFAULTS)
    kind = kind_asked_for(asked)
    given = {name: value for name, value in _values(asked).items() if value is not _DEFAULTS[name]}
    request = REQUESTS[kind]
    refuse_kind([name for name in given if name not in {entry.name for entry in fields(request)}], kind)
    return request(**given)


def _values(asked: Mapping[str, object]) -> dict[str, Any]:
    return {name: _MADE_OF[name](value) if name in _MADE_OF else value for name, value in asked.items()}


def _several(on: Any) -> tuple[object, ...]:  # noqa: ANN401 - one or several
    return (on,) if isinstance(on, _PATHS) or not isinstance(on, Iterable) else tuple(on)


_PATHS = (str, os.PathLike)


def _of(kind: type, given: object, name: str) -> object:
    if not isinstance(given, kind):
        raise ConfigError(f"{name} takes adaptkit.{kind.__name__}(...), found {given!r:.80}.")
    return given


_MADE_OF: Mapping[str, Callable[[Any], object]] = {
    "on": _several,
    "method": options_named,
    "objective": objective_named,
    "backbone": lambda given: Pretrained(given) if given is None or isinstance(given, _PATHS) else given,
    "regularisers": regularisers_named,
    "reading": lambda given: _DEFAULTS["reading"] if given is None else _of(ReadingOptions, given, "reading"),
    "run": lambda given: Run() if given is None else _of(Run, given, "run"),
    "output": lambda given: (
        Output(given) if given is None or isinstance(given, _PATHS) else _of(Output, given, "output")
    ),
}


def refuse_kind(names: list[str], kind: Kind) -> None:
    """Say that options do not go with a kind of adapter; nothing where none is given.

    Raises:
        ConfigError: One or more are given.
    """
    refuse(
        names, "a task adapter" if kind == "task" else f"a {kind} adapter (say {as_typed(task=...)} for a task adapter)"
    )
