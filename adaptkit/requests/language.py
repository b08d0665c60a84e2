"""The request for a language adapter."""

from dataclasses import dataclass
from typing import ClassVar

from adaptkit.config import Kind
from adaptkit.errors import ConfigError
from adaptkit.options import option
from adaptkit.requests.text import TextRequest
from adaptkit.terminal.asking import as_typed


@dataclass(frozen=True, kw_only=True)
class LanguageRequest(TextRequest):
    """An adapter for a language, or for several; without text, Wikipedia or the package's sample is taken.

    Raises:
        ConfigError: Options that cannot be right, or that contradict each other.
    """

    kind: ClassVar[Kind] = "language"

    name: str | None = option(None, "name of the adapter (default: that of its language; several languages need one)")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self._has_several and self.name is None:
            raise ConfigError(
                f"an adapter for {', '.join(self.languages)} needs a name, such as that of their family: give "
                f"{as_typed(name=...)}."
            )
