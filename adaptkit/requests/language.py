"""The request for a language adapter."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from adaptkit.config import MAX_PIECES, Kind
from adaptkit.errors import ConfigError
from adaptkit.format.shapes import BackboneShape
from adaptkit.methods import MethodConfig
from adaptkit.options import option
from adaptkit.requests.refusals import refuse
from adaptkit.requests.request import AdapterBelow
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
    new_pieces: int | None = option(
        None,
        "pieces to learn from the text, for a script that the tokenizer does not know (some thousands)",
        least=2,
        most=MAX_PIECES,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.draws_languages and self.name is None:
            raise ConfigError(
                f"an adapter for {', '.join(self.languages)} needs a name, such as that of their family: give "
                f"{as_typed(name=...)}."
            )

    def method_config(
        self, shape: BackboneShape | None = None, below: Sequence[AdapterBelow] = (), *, decodes: bool = False
    ) -> MethodConfig:
        """As of every request; a fusion brings no pieces, which is said before any work."""
        method = super().method_config(shape, below, decodes=decodes)
        if self.new_pieces is not None and method.fuses:
            refuse(["new_pieces"], f"method {self.method_row.name!r}")
        return method

    @property
    def brings_pieces(self) -> bool:
        """Whether the adapter is to bring pieces of text of its own."""
        return self.new_pieces is not None
