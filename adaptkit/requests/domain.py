"""The request for a domain adapter."""

from dataclasses import MISSING, dataclass
from typing import ClassVar

from adaptkit.config import Kind
from adaptkit.errors import ConfigError
from adaptkit.options import option
from adaptkit.requests.text import TextRequest
from adaptkit.terminal.asking import as_typed


@dataclass(frozen=True, kw_only=True)
class DomainRequest(TextRequest):
    """An adapter for a domain that is asked for, on text of that domain in a language.

    Raises:
        ConfigError: Options that cannot be right, or that contradict each other.
    """

    kind: ClassVar[Kind] = "domain"

    domain: str = option(MISSING, "train a domain adapter of this name on the text")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.text is None and self.parallel is None:
            raise ConfigError(f"domain {self.domain!r} needs text of that domain: give {as_typed(text=...)}.")

    @property
    def name(self) -> str:
        """The name of the adapter."""
        return self.domain
