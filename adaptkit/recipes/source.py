"""Where the text of a run comes from: what the caller named, Wikipedia from the hub, or the package's sample."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from adaptkit.data import sample
from adaptkit.data.letters import NormalForm
from adaptkit.data.lexicon import Lexicon
from adaptkit.data.lexicon_source import open_lexicon
from adaptkit.data.licences import NOT_STATED, Combined, combined
from adaptkit.data.mix import Parallels, Texts, parallel_sources, text_sources
from adaptkit.data.part import Part, in_words, parallel_part, read_parts, text_part
from adaptkit.data.sentence import Sentence
from adaptkit.data.source import Source
from adaptkit.errors import ConfigError, SourceNotFound
from adaptkit.objectives import BackboneKind, Objective, objective_for, objective_of
from adaptkit.options import Options
from adaptkit.requests import Auto, TextRequest
from adaptkit.terminal.asking import as_typed

WIKIPEDIA = "wikimedia/wikipedia"
WIKIPEDIA_DATE = "20231101"
TextKind: TypeAlias = Literal["corpus", "sample"]


@dataclass(frozen=True)
class TrainingSource:
    """Sentences in the language, of one source or of several, and what is known of them.

    `lexicon` is the dictionary that came with them: to gloss them with, or for new pieces to start from.
    """

    translated: bool
    parts: Sequence[Part]
    kind: TextKind = "corpus"
    reason: str = ""
    form: NormalForm | None = None
    lexicon: Lexicon | None = None

    def rows(self) -> Iterator[Sentence]:
        """Start a reading of all parts, one after the other."""
        return read_parts(self.parts, self.form)

    @property
    def description(self) -> str:
        """What its sentences are, for messages."""
        return in_words(self.parts)

    def described(self, objective: Objective) -> str:
        """What it is and what its dictionary is for where an objective trains on it, for card and plan."""
        if self.lexicon is None:
            return self.description
        use = "glossed by" if objective.needs_lexicon else "new pieces started from"
        return f"{self.description}, {use} {self.lexicon.description}"

    @property
    def glossed(self) -> bool:
        """Whether a dictionary stands for the translations that it has not."""
        return self.lexicon is not None and not self.translated

    @property
    def licence(self) -> Combined:
        """What an adapter of it is under, as far as that follows from its parts."""
        licences = [part.licence for part in self.parts]
        return combined(licences if self.lexicon is None else [*licences, self.lexicon.licence])

    @property
    def repeatable(self) -> bool:
        """Whether it can be read again."""
        return all(part.repeatable for part in self.parts)

    def kept(self) -> "TrainingSource":
        """The same, so that it can be read again: what of it can be read once is kept in memory."""
        return replace(self, parts=[part.kept() for part in self.parts])

    def n_skipped(self) -> int:
        """How many pairs the latest reading skipped because a side was empty."""
        return sum(part.n_skipped() for part in self.parts)


def choose_source(request: TextRequest, note: Callable[[str], None]) -> TrainingSource:
    """Open what was asked for, read in the form asked for; `note` is told what is chosen where that was left open.

    Of several languages, the parts of one come after those of another.

    Raises:
        SourceNotFound: No such file, or neither the hub nor the sample has a language.
        ConfigError: An objective that the text cannot serve, or text of which some has translations and some has none.
    """
    lexicon = None if request.lexicon is None else open_lexicon(request.lexicon, licence=request.output.licence)
    found = [
        _chosen(request, language, text, parallel, note)
        for language, (text, parallel) in request.texts_by_language().items()
    ]
    if len({source.translated for source in found}) > 1:
        raise ConfigError(
            f"of {', '.join(request.languages)}, some have text with translations and others without; give all of them "
            "the one kind."
        )
    kind: TextKind = "sample" if any(source.kind == "sample" for source in found) else "corpus"
    parts = [part for source in found for part in source.parts]
    return replace(found[0], parts=parts, kind=kind, form=request.normalize, lexicon=lexicon)


def _chosen(
    request: TextRequest,
    language: str,
    text: "Texts | None",
    parallel: "Parallels | None",
    note: Callable[[str], None],
) -> TrainingSource:
    if parallel is not None:
        return _parallel_source(request, parallel, language)
    if text is not None:
        return _text_source(request, text, language, request.output.licence)
    if isinstance(request.objective, Auto) or not objective_of(request.objective).needs_translations:
        try:
            note(f"no text given: asking the hub for Wikipedia ({WIKIPEDIA}, {WIKIPEDIA_DATE}.{language})")
            return _text_source(request, f"{WIKIPEDIA}:{WIKIPEDIA_DATE}.{language}", language, "CC BY-SA 4.0")
        except SourceNotFound:
            taken = "the hub does not answer, or has no Wikipedia in this language: taking the package's own sample"
            note(taken)
            if not request.run.progress:  # notes are not shown then, and this must not pass unseen
                logging.getLogger(__name__).warning(taken)
    return _sample_source(request, language)


def trained_options(asked: Auto | Options, source: TrainingSource, *, causal: bool) -> Options:
    """What a source trains on a backbone, a decoder where it is `causal`: what was asked for, or what suits both.

    Raises:
        ConfigError: An objective that was asked for, and is not the backbone's; or an option that the one that suits
            does not have.
    """
    kind: BackboneKind = "decoder" if causal else "encoder"
    if isinstance(asked, Auto):
        return asked.decided(objective_for(translated=source.translated, kind=kind, glossed=source.glossed))
    objective_of(asked).require_backbone(kind)
    return asked


def _parallel_source(request: TextRequest, parallel: Parallels, language: str) -> TrainingSource:
    sources = (
        replace(source, source_lang=source.source_lang or request.source_lang) for source in parallel_sources(parallel)
    )
    return TrainingSource(
        translated=True,
        parts=[parallel_part(_licensed(source, request.output.licence), language) for source in sources],
        reason="parallel text was given",
    )


def _text_source(request: TextRequest, text: Texts, language: str, licence: str) -> TrainingSource:
    sources = (replace(source, column=source.column or request.column) for source in text_sources(text))
    return TrainingSource(
        translated=False,
        parts=[text_part(_licensed(source, licence), language) for source in sources],
        reason="text without translations was given" if request.lexicon is None else "text was given with a dictionary",
    )


def _licensed(source: Source, licence: str) -> Source:
    return replace(source, licence=licence) if source.licence == NOT_STATED else source


def _sample_source(request: TextRequest, language: str) -> TrainingSource:
    pairs = sample.sample_pairs(language)
    if request.column is not None:
        raise ConfigError(f"column names a column of {as_typed(text=...)}, which is not given.")
    return TrainingSource(
        translated=True,
        parts=[
            Part(
                name=sample.DESCRIPTION,
                rows=lambda: (Sentence(ours, theirs) for theirs, ours in pairs),
                licence=sample.LICENCE,
                language=language,
            )
        ],
        kind="sample",
        reason="the sample has translations",
    )
