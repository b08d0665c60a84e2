"""One source of a training text, with what its owner knows of it."""

import math
from dataclasses import KW_ONLY, dataclass

from adaptkit.data.licences import NOT_STATED
from adaptkit.errors import ConfigError
from adaptkit.languages import canonical_tag
from adaptkit.terminal.plain_text import is_one_line


@dataclass(frozen=True)
class Source:
    """A source: a file, a pair of files (a tuple), several files, sentences or pairs in memory, or a data set.

    A list of sources is a mix: `parallel=["en-ha.jsonl", Source("fr-ha.tmx", name="health", source_lang="fr")]`.

    Attributes:
        text: where the text is, as `text` or `parallel` of `train_adapter` take it.
        weight: how often one of its lines is drawn beside those of the others; 2 is twice as often.
        licence: that of the text, by its name: CC0-1.0, CC-BY-4.0; where it is not stated here, that of the output.
        name: what cards and messages call it (default: names of files without their folders).
        source_lang: the language of the translations, where the file has several.
        column: the column of a text without translations, where a file has several.

    Raises:
        ConfigError: a weight that is not above 0, a name or licence of no or several lines, or `UnknownLanguage` for
            `source_lang`.
    """

    text: object
    _: KW_ONLY
    weight: float = 1.0
    licence: str = NOT_STATED
    name: str | None = None
    source_lang: str | None = None
    column: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.text, Source):
            raise ConfigError("a Source is given a Source; give it the files or sentences.")
        if self.name is not None and not (self.name.strip() and is_one_line(self.name)):
            raise ConfigError(f"the name of a source is one line with something in it, found {self.name!r:.80}.")
        if not (isinstance(self.weight, int | float) and math.isfinite(self.weight) and self.weight > 0):
            raise ConfigError(f"the weight of a source is a number above 0, found {self.weight!r:.40}.")
        if not (self.licence.strip() and is_one_line(self.licence)):
            raise ConfigError(f"the licence of a source is the name of one, on one line, found {self.licence!r:.80}.")
        if self.source_lang is not None:
            canonical_tag(self.source_lang)
