"""What an adapter is called."""

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
            raise ConfigError(f"{text!r} is not an adapter id; an id is kind/name, for example language/sw.")
        return cls(kind, name)

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"
