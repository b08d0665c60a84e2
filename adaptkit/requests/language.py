"""The request for a language adapter."""

from dataclasses import dataclass
from typing import ClassVar

from adaptkit.config import Kind
from adaptkit.requests.text import TextRequest


@dataclass(frozen=True, kw_only=True)
class LanguageRequest(TextRequest):
    """An adapter for a language that is asked for; without text, Wikipedia or the package's sample is taken.

    Raises:
        ConfigError: Options that cannot be right, or that contradict each other.
    """

    kind: ClassVar[Kind] = "language"
