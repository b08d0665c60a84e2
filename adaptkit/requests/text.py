"""What requests for adapters that learn from text say besides."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field
from typing import ClassVar

from adaptkit.config import Kind
from adaptkit.data.lexicon_source import LexiconSource
from adaptkit.data.mix import Parallels, Texts
from adaptkit.errors import ConfigError
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.shapes import BackboneShape
from adaptkit.methods import InvertibleConfig
from adaptkit.objectives import objective_of
from adaptkit.options import Options, Recorded, Shell, option, recorded
from adaptkit.requests.auto import AUTO, Auto
from adaptkit.requests.refusals import refuse
from adaptkit.requests.request import AdapterBelow, Request
from adaptkit.requests.written import parallels, texts
from adaptkit.terminal.asking import as_typed, option_name

MAX_TOKENS = 20_000_000


@dataclass(frozen=True, kw_only=True)
class TextRequest(Request):
    """A language or domain adapter that is asked for.

    Raises:
        ConfigError: Options that cannot be right, or that contradict each other.
    """

    kind: ClassVar[Kind]

    lang: str = option(MISSING, "language of the text: sw, swa, swh_Latn or Swahili")
    text: "Texts | None" = option(
        None,
        "text in the language: a file, several, an iterable, a data set, a hub id, or a list of these",
        recorded=False,
        shell=Shell(
            list[str],
            "text in the language: a file or a hub id, then ,licence=...,weight=...,name=...; may be repeated",
            metavar="<file>",
            read=texts,
        ),
    )
    parallel: "Parallels | None" = option(
        None,
        "sentences with translations: JSON lines, TSV, TMX, a pair of files, pairs, or a list of these",
        recorded=False,
        shell=Shell(
            list[str],
            "sentences with translations: JSON lines, TSV, TMX, or a pair of plain files (a.en,a.ha), then "
            ",licence=...,weight=...,name=...,source_lang=...; may be repeated",
            metavar="<file>",
            read=parallels,
        ),
    )
    lexicon: "LexiconSource | None" = option(
        None,
        "dictionary of the language, for text without translations: lines of word, tab, English; pairs, or a mapping",
        recorded=False,
        shell=Shell(
            list[str],
            "dictionary of the language, for text without translations: lines of word, tab, English; may be repeated",
            metavar="<file>",
            read=list,
        ),
    )
    source_lang: str | None = option(None, "language of the translations, where the file has several")
    column: str | None = option(None, "column of the text, where a file has several")
    max_tokens: int | None = option(MAX_TOKENS, "tokens of text that are read", least=1)
    invertible: bool = option(False, "add an invertible layer at the embeddings")
    force: bool = option(False, "train although triage advises against it", recorded=False)
    objective: Auto | Options = field(default=AUTO)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_text()

    @property
    def name(self) -> str | None:
        """The name of the adapter; None: that of its language."""
        return None

    def adapter_config(self, shape: BackboneShape, below: Sequence[AdapterBelow] = ()) -> AdapterConfig:
        """The adapter that is asked for on a backbone of these sizes, over these adapters.

        Raises:
            ConfigError: Options that cannot be right there.
        """
        method = self.method_config(shape, below)
        if self.invertible and method.fuses:
            refuse(["invertible"], f"method {self.method_row.name!r}")
        return AdapterConfig(method=method, invertible=InvertibleConfig() if self.invertible else None)

    def record(self, trained: Options | None = None) -> Mapping[str, Recorded]:
        """As of every request; with the options of the objective that is trained in the end."""
        asked = "auto" if isinstance(self.objective, Auto) else objective_of(self.objective).name
        return {**super().record(), "objective": asked, **({} if trained is None else recorded(trained))}

    def _check_text(self) -> None:
        """Text and objective go together."""
        if self.text is not None and self.parallel is not None:
            both = f"{option_name('text')} and {option_name('parallel')}"
            raise ConfigError(f"{both} are both given; give the one to train on.")
        if self.column is not None and self.parallel is not None:
            raise ConfigError(
                f"{option_name('column')} names a column of {as_typed(text=...)}; parallel text finds its columns by "
                "their languages."
            )
        if self.source_lang is not None and self.text is not None:
            raise ConfigError(
                f"{option_name('source_lang')} is the language of translations, and {as_typed(text=...)} has none; "
                "leave it out."
            )
        if self.lexicon is not None and self.text is None:
            raise ConfigError(
                f"{as_typed(lexicon=...)} goes with {as_typed(text=...)}, which is not given"
                f"{'' if self.parallel is None else ': translations say more than a dictionary, so leave it out'}."
            )
        if not isinstance(self.objective, Auto):
            objective_of(self.objective).require_text(translated=self.text is None, glossed=self.lexicon is not None)
        for options in self.objective.possible() if isinstance(self.objective, Auto) else [self.objective]:
            objective_of(options).require_steps(options, self.run.max_steps)
