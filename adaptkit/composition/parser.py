"""Read a composition back from what it prints.

whole   = stack ( "|" stack )*
stack   = part ( ">" part )*
part    = name | "average(" stack ":" number ("," stack ":" number)* ")" | "fuse(" name ("," name)* ")"
"""

import re
from collections.abc import Callable
from typing import TypeVar

from adaptkit.composition.ensemble import Ensemble, one_stack
from adaptkit.composition.expression import Average, Fuse, Part, Stack
from adaptkit.errors import ConfigError

Item = TypeVar("Item")

_MOST_LEVELS = 16
_TOKEN = re.compile(r"\s*(-?[A-Za-z0-9][\w./+-]*|[>(),:|])", re.ASCII)


def parse_stack(text: str, *, any_order: bool) -> Stack:
    """Read a stack, or a single part as a stack of one.

    Raises:
        ConfigError: As `parse_composition`; or the text of an ensemble.
    """
    return one_stack(parse_composition(text, any_order=any_order))


def parse_composition(text: str, *, any_order: bool = False) -> Stack | Ensemble:
    """Read a stack, or several that are an ensemble.

    Raises:
        ConfigError: Text that is no composition; it says where reading stopped.
    """
    reader = _Reader(text, any_order=any_order)
    stacks = reader.stacks() if reader.upcoming else [Stack()]
    reader.require_end()
    return Ensemble(*stacks) if len(stacks) > 1 else stacks[0]


class _Reader:
    def __init__(self, text: str, *, any_order: bool) -> None:
        self._text = text
        self._any_order = any_order
        self._tokens: list[str] = []
        self._level = 0
        end = 0
        while match := _TOKEN.match(text, end):
            self._tokens.append(match[1])
            end = match.end()
        if text[end:].strip():
            raise ConfigError(f"{text!r} is not a stack: {text[end:].strip()!r} cannot be read. {_EXAMPLE}")

    @property
    def upcoming(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def require_end(self) -> None:
        if self._tokens:
            raise ConfigError(f"{self._text!r} is not a stack: it goes on with {self.upcoming!r}. {_EXAMPLE}")

    def stacks(self) -> list[Stack]:
        found = [self.stack()]
        while self.upcoming == "|":
            self._take("|")
            found.append(self.stack())
        return found

    def stack(self) -> Stack:
        parts = [self._part()]
        while self.upcoming == ">":
            self._take(">")
            parts.append(self._part())
        return Stack(*parts, any_order=self._any_order)

    def _part(self) -> Part:
        name = self._take_name()
        if self.upcoming != "(":
            return name
        if name == "average":
            return self._average()
        if name == "fuse":
            return Fuse(*self._listed(self._take_name))
        raise ConfigError(f"{self._text!r} has {name}(...), which is unknown; known are average(...) and fuse(...).")

    def _average(self) -> Average:
        self._level += 1
        if self._level > _MOST_LEVELS:
            raise ConfigError(f"{self._text!r} has averages within averages, deeper than {_MOST_LEVELS} levels.")
        weighted = self._listed(self._weighted)
        self._level -= 1
        return Average(*(part for part, _ in weighted), weights=tuple(weight for _, weight in weighted))

    def _weighted(self) -> tuple[Part, float]:
        inner = self.stack()
        part = inner.parts[0] if len(inner.parts) == 1 else inner
        self._take(":")
        number = self._take_name()
        try:
            return part, float(number)
        except ValueError as error:
            raise ConfigError(f"{self._text!r}: the weight of {part} is {number!r}, expected a number.") from error

    def _listed(self, read: Callable[[], Item]) -> list[Item]:
        self._take("(")
        items = [read()]
        while self.upcoming == ",":
            self._take(",")
            items.append(read())
        self._take(")")
        return items

    def _take(self, expected: str) -> None:
        if self.upcoming == "|" != expected:
            raise ConfigError(
                f"{self._text!r} has '|' within average(...) or fuse(...), and an ensemble stands alone: write '|' "
                "between whole stacks, as in 'topics | sw > topics'."
            )
        if self.upcoming != expected:
            found = repr(self.upcoming) if self._tokens else "the end"
            raise ConfigError(f"{self._text!r} is not a stack: expected {expected!r}, found {found}. {_EXAMPLE}")
        self._tokens.pop(0)

    def _take_name(self) -> str:
        if not self._tokens or self.upcoming in ">(),:|":
            found = repr(self.upcoming) if self._tokens else "the end"
            raise ConfigError(f"{self._text!r} is not a stack: expected a name, found {found}. {_EXAMPLE}")
        return self._tokens.pop(0)


_EXAMPLE = "A stack reads: language/sw > domain/biomedical > task/nli."
