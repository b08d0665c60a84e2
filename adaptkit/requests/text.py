"""What requests for adapters that learn from text say besides."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field
from pathlib import Path
from typing import ClassVar

from adaptkit.config import Kind
from adaptkit.data.lexicon_source import LexiconSource
from adaptkit.data.mix import Parallels, Texts
from adaptkit.errors import ConfigError
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.shapes import BackboneShape
from adaptkit.methods import METHODS, InvertibleConfig, PiecesConfig
from adaptkit.objectives import OBJECTIVES, Objective, objective_of
from adaptkit.options import Options, Recorded, Shell, option, options_of, recorded
from adaptkit.requests.auto import AUTO, Auto
from adaptkit.requests.by_language import by_language, each_language, languages_in
from adaptkit.requests.refusals import refuse
from adaptkit.requests.request import AdapterBelow, On, Request
from adaptkit.requests.run import Run
from adaptkit.requests.written import parallels, texts
from adaptkit.terminal.asking import as_typed, option_name

MAX_TOKENS = 20_000_000


@dataclass(frozen=True, kw_only=True)
class TextRequest(Request):
    """A language or domain adapter that is asked for. Of several languages, each has its own text.

    Raises:
        ConfigError: Options that cannot be right, or that contradict each other.
    """

    kind: ClassVar[Kind]

    lang: str | tuple[str, ...] = option(
        MISSING,
        "language of the text: sw, swa, swh_Latn or Swahili; several in a list, or with commas between",
        shell=Shell(
            str,
            "language of the text: sw, swa, swh_Latn or Swahili; several with commas between",
            metavar="<text>",
            read=str,
        ),
    )
    text: "Texts | Mapping[str, Texts] | None" = option(
        None,
        "text in the language: a file, several, an iterable, a data set, a hub id, or a list of these; of several "
        "languages, a mapping of each to its own",
        recorded=False,
        shell=Shell(
            list[str],
            "text in the language: a file or a hub id, then ,licence=...,weight=...,name=...; of several languages, "
            "LANG=FILE; may be repeated",
            metavar="<file>",
            read=by_language(texts),
        ),
    )
    parallel: "Parallels | Mapping[str, Parallels] | None" = option(
        None,
        "sentences with translations: JSON lines, TSV, TMX, a pair of files, pairs, a folder of CLDR's names, or a "
        "list of these; of several languages, a mapping of each to its own",
        recorded=False,
        shell=Shell(
            list[str],
            "sentences with translations: JSON lines, TSV, TMX, or a pair of plain files (a.en,a.ha), then "
            ",licence=...,weight=...,name=...,source_lang=...; or a folder of CLDR's names; of several languages, "
            "LANG=FILE; may be repeated",
            metavar="<file>",
            read=by_language(parallels),
        ),
    )
    lexicon: "LexiconSource | None" = option(
        None,
        "dictionary of the language, for text without translations or new_pieces: lines of word, tab, English; pairs, "
        "or a mapping",
        recorded=False,
        shell=Shell(
            list[str],
            "dictionary of the language, for text without translations or new_pieces: lines of word, tab, English; may "
            "be repeated",
            metavar="<file>",
            read=list,
        ),
    )
    source_lang: str | None = option(
        None, "language of the translations, where the file has several; for translation, of the texts to translate"
    )
    start: On | None = option(
        None,
        "adapter whose weights the training starts from, such as that of the language's family: a value or a folder",
        recorded=False,
        shell=Shell(
            Path,
            "folder of an adapter whose weights the training starts from, such as that of the language's family",
            metavar="<folder>",
            read=Path,
        ),
    )
    column: str | None = option(None, "column of the text, where a file has several")
    max_tokens: int | None = option(MAX_TOKENS, "most tokens of text that are read", least=1)
    invertible: bool = option(False, "add an invertible layer at the embeddings")
    force: bool = option(False, "train although triage advises against it", recorded=False)
    objective: Auto | Options = field(default=AUTO)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.method_row.closed_form and isinstance(self.objective, Auto):
            closed = OBJECTIVES[self.method_row.closed_form]
            object.__setattr__(self, "objective", self.objective.decided(closed))
        self._check_closed_form()
        self._check_text()
        self._check_languages()

    @property
    def languages(self) -> tuple[str, ...]:
        """The canonical tags of its languages.

        Raises:
            UnknownLanguage: One is none.
            ConfigError: One is named twice.
        """
        return languages_in(self.lang)

    def texts_by_language(self) -> "Mapping[str, tuple[Texts | None, Parallels | None]]":
        """Of each of its languages, the text and the text with translations, of which one is given at most.

        Raises:
            ConfigError: It is not said what is whose, or a language has none.
        """
        text, parallel = (
            each_language(name, given, self.languages)
            for name, given in (("text", self.text), ("parallel", self.parallel))
        )
        return {language: (text[language], parallel[language]) for language in self.languages}

    @property
    def name(self) -> str | None:
        """The name of the adapter; None: that of its language."""
        return None

    @property
    def brings_pieces(self) -> bool:
        """Whether the adapter is to bring pieces of text of its own."""
        return False

    def adapter_config(
        self, shape: BackboneShape, below: Sequence[AdapterBelow] = (), pieces: PiecesConfig | None = None
    ) -> AdapterConfig:
        """The adapter that is asked for on a backbone of these sizes, over these adapters, with these pieces of text.

        Raises:
            ConfigError: Options that cannot be right there.
        """
        method = self.method_config(shape, below)
        if self.invertible and method.fuses:
            refuse(["invertible"], f"method {self.method_row.name!r}")
        invertible = InvertibleConfig() if self.invertible else None
        return AdapterConfig(method=method, invertible=invertible, pieces=pieces)

    def record(self, trained: Options | None = None) -> Mapping[str, Recorded]:
        """As of every request; with the options of the objective that is trained in the end."""
        asked = "auto" if isinstance(self.objective, Auto) else objective_of(self.objective).name
        return {
            **super().record(),
            **(self._recorded_languages() if self.draws_languages else {}),
            "objective": asked,
            **({} if trained is None else recorded(trained)),
        }

    def _recorded_languages(self) -> Mapping[str, Recorded]:
        return {"lang": ",".join(self.languages), "sampling_alpha": self.drawing_alpha}

    @property
    def draws_languages(self) -> bool:
        """Whether several languages are named; one is looked at when it is asked for."""
        return (not isinstance(self.lang, str) or "," in self.lang) and len(self.languages) > 1

    def _check_languages(self) -> None:
        """Each of several languages has its own text."""
        if self.draws_languages or isinstance(self.text, Mapping) or isinstance(self.parallel, Mapping):
            self.texts_by_language()
        if self.draws_languages and self.lexicon is not None:
            raise ConfigError(
                f"{as_typed(lexicon=...)} is the dictionary of one language, and lang names {len(self.languages)}; "
                "leave it out, or train each language by itself."
            )

    def _check_text(self) -> None:
        """Text and objective go together."""
        if self.text is not None and self.parallel is not None:
            both = f"{option_name('text')} and {option_name('parallel')}"
            raise ConfigError(
                f"{both} are both given, and a training reads one of them. Leave {as_typed(text=...)} out: "
                "translations teach more than text alone."
            )
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
        if not isinstance(self.objective, Auto):
            glossed = self.lexicon is not None
            objective_of(self.objective).require_text(translated=self.text is None, glossed=glossed)
        if self.lexicon is not None:
            self._check_lexicon(None if isinstance(self.objective, Auto) else objective_of(self.objective))
        for options in self.objective.possible() if isinstance(self.objective, Auto) else [self.objective]:
            objective_of(options).require_steps(options, self.run.max_steps)

    def _check_closed_form(self) -> None:
        """What is found in closed form is all that there is to the adapter."""
        method, objective = self.method_row, None if isinstance(self.objective, Auto) else objective_of(self.objective)
        if objective is None or not (objective.closed_form or (method.closed_form and method.layer is None)):
            return
        named = f"objective {objective.name!r}"
        if method.closed_form != objective.name and objective.closed_form:
            (own,) = (name for name, row in METHODS.items() if row.closed_form == objective.name)
            raise ConfigError(
                f"{named} finds without gradients what an adapter of method {own!r} is, and method {method.name!r} was "
                f"asked for: give {as_typed(method=own)}, or another objective."
            )
        if method.closed_form != objective.name:
            raise ConfigError(
                f"method {method.name!r} has no weights that {named} could train: it is learned by "
                f"{as_typed(objective=method.closed_form)}, which is taken where no objective is asked for."
            )
        refuse([name for name in ("invertible", "new_pieces") if getattr(self, name, None)], named)
        if self.start is not None:
            refuse(["start"], named)
        defaults = options_of(Run)
        refuse([name for name in objective.idle if getattr(self.run, name) != defaults[name].default], named)

    def _check_lexicon(self, objective: Objective | None) -> None:
        """A dictionary is for an objective that glosses text without translations, or for new pieces to start from."""
        if self.text is None and not self.brings_pieces:
            raise ConfigError(
                f"{as_typed(lexicon=...)} goes with {as_typed(text=...)}, which is not given"
                f"{'' if self.parallel is None else ': translations say more than a dictionary, so leave it out'}."
            )
        if objective is not None and not objective.needs_lexicon and not self.brings_pieces:
            raise ConfigError(
                f"{objective.title} makes no use of a dictionary: leave {as_typed(lexicon=...)} out, or give "
                f"{as_typed(objective='gloss')}."
            )
        if objective is not None and objective.needs_lexicon and self.parallel is not None:
            raise ConfigError(
                f"{objective.title} is for text without translations: give {as_typed(text=...)} instead of "
                f"{as_typed(parallel=...)}, or {as_typed(objective='distill')}."
            )
