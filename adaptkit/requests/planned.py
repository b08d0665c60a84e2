"""One training of a plan: an adapter's id with the options that a plan has for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from adaptkit.config import Kind
from adaptkit.requests.asked import AnyRequest
from adaptkit.requests.flat import request_of
from adaptkit.requests.options_file import options_in

BY_THE_PLAN = ("resume", "resume_or_start", "overwrite", "progress")
"""Options of a training that a plan decides: it always continues where it stopped, and shows how far it is itself."""
_RESULT_IS_THE_SAME = frozenset({"log_with", "checkpoint_every", "checkpoint_minutes", "device", "output", "force"})


@dataclass(frozen=True)
class PlannedTraining:
    """A training of a plan. `id` is its table, such as `language/sw`; `needs` are those whose adapters it builds on.

    `options` are those of its table and what is shared, by flat name, as TOML has them: plain values, lists, mappings.
    """

    id: str
    options: Mapping[str, Any]
    needs: tuple[str, ...] = ()

    @cached_property
    def request(self) -> AnyRequest:
        """What is asked for.

        Raises:
            ConfigError: An option that cannot be right.
        """
        return planned_request(self.options)

    @property
    def folder(self) -> Path:
        """Where its adapter goes."""
        return Path(self.options["output"])

    @property
    def kind(self) -> Kind:
        """language, domain or task."""
        return self.request.kind

    @property
    def deciding(self) -> Mapping[str, Any]:
        """The options that decide what comes out."""
        return {name: value for name, value in sorted(self.options.items()) if name not in _RESULT_IS_THE_SAME}


def planned_request(options: Mapping[str, Any]) -> AnyRequest:
    """The request for options as a plan has them.

    Raises:
        ConfigError: An option that cannot be right.
    """
    return request_of(options_in(options, "the plan"))
