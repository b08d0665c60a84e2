"""Adapter ids and the stack of them."""

import re
from dataclasses import dataclass

from adaptkit.config import KINDS
from adaptkit.errors import ConfigError

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")


@dataclass(frozen=True, order=True)
class AdapterId:
    """`kind/name`, for example `language/sw`.

    Raises:
        ConfigError: An unknown kind, or a name with characters that a file or an expression cannot hold.
    """

    kind: str
    name: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f"adapter kind {self.kind!r} is unknown; it is one of {', '.join(KINDS)}.")
        if not _NAME.fullmatch(self.name):
            raise ConfigError(
                f"adapter name {self.name!r} cannot be used; give up to 64 letters, digits, '.', '_' or '-', "
                "beginning and ending with a letter or digit."
            )

    @classmethod
    def parse(cls, text: str) -> "AdapterId":
        """Read `kind/name`.

        Raises:
            ConfigError: Anything else.
        """
        kind, slash, name = text.partition("/")
        if not slash:
            raise ConfigError(f"{text!r} is no adapter id; an id is kind/name, for example language/sw.")
        return cls(kind, name)

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, init=False)
class Stack:
    """Adapters in the order in which they act: language, then domain, then task.

    LoRA layers at one site are additive (`Wx + dA x + dB x`); bottlenecks are sequential (the later one reads the
    earlier one's output). `any_order=True` lifts the check of the order.

    Raises:
        ConfigError: An id that is none, the same id twice, or kinds out of order.
    """

    ids: tuple[str, ...]

    def __init__(self, *ids: str, any_order: bool = False) -> None:
        object.__setattr__(self, "ids", tuple(ids))
        if len(set(ids)) != len(ids):
            raise ConfigError(f"the stack names an adapter twice: {self}.")
        whole = [AdapterId.parse(name) for name in ids if "/" in name]
        ranks = [KINDS.index(adapter.kind) for adapter in whole]
        if not any_order and ranks != sorted(ranks):
            raise ConfigError(
                f"the stack {self} is out of order: language adapters come first, then domain, then task, because each "
                "was trained on what lies below it. Reorder it, or say any_order=True."
            )

    @classmethod
    def parse(cls, text: str) -> "Stack":
        """Read what `str(stack)` prints: `language/sw > domain/biomedical > task/nli`."""
        return cls(*(part.strip() for part in text.split(">") if part.strip()), any_order=True)

    def __str__(self) -> str:
        return " > ".join(self.ids)
