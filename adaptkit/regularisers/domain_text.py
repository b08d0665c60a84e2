"""Text of a target domain without labels, which losses of domain adaptation read beside the labelled source domain."""

from dataclasses import dataclass
from pathlib import Path

from adaptkit.data.corpus import TextSource
from adaptkit.errors import ConfigError
from adaptkit.options import Shell, option
from adaptkit.regularisers.regulariser import Weighed
from adaptkit.terminal.asking import as_typed


def _texts(given: list[str]) -> str | list[Path]:
    """One may be a hub id; several are files, whatever they are called."""
    return given[0] if len(given) == 1 else [Path(part) for part in given]


@dataclass(frozen=True, kw_only=True)
class DomainText(Weighed):
    """What a regulariser of two domains is asked with: its weight, and text of the target domain.

    Raises:
        ConfigError: No text.
    """

    unlabelled: "TextSource | None" = option(
        None,
        "text of the target domain without labels, an input a line: a file, several, an iterable or a hub id",
        recorded=False,
        shell=Shell(
            list[str],
            "text of the target domain without labels, an input a line: a file or a hub id; may be repeated",
            metavar="<file>",
            read=_texts,
        ),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.unlabelled is None:
            raise ConfigError(
                f"{type(self).__name__} makes two domains alike, that of the labelled data and another one: give text "
                f"of the other, without labels, in {as_typed(unlabelled=...)}."
            )
