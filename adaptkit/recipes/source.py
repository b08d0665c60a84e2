"""Where the text of a run comes from: what the caller named, Wikipedia from the hub, or the package's sample."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from adaptkit.data import sample
from adaptkit.data.corpus import open_corpus
from adaptkit.data.letters import normalized
from adaptkit.data.parallel import open_parallel
from adaptkit.data.sentence import Sentence
from adaptkit.errors import ConfigError, SourceNotFound
from adaptkit.objectives import BackboneKind, objective_for, objective_of
from adaptkit.options import Options
from adaptkit.requests import Auto, TextRequest
from adaptkit.terminal.asking import as_typed

WIKIPEDIA = "wikimedia/wikipedia"
WIKIPEDIA_DATE = "20231101"
TextKind: TypeAlias = Literal["corpus", "sample"]


@dataclass(frozen=True)
class TrainingSource:
    """Sentences in the language, and what is known of them.

    `n_skipped` says how many pairs the latest reading skipped because a side was empty.
    """

    translated: bool
    rows: Callable[[], Iterator[Sentence]]
    description: str
    licence: str
    repeatable: bool
    kind: TextKind = "corpus"
    reason: str = ""
    n_skipped: Callable[[], int] = lambda: 0


def choose_source(request: TextRequest, language: str, note: Callable[[str], None]) -> TrainingSource:
    """Open what was asked for, read in the form asked for; `note` is told what is chosen where that was left open.

    Raises:
        SourceNotFound: No such file, or neither the hub nor the sample has the language.
        ConfigError: An objective that the text cannot serve.
    """
    source = _chosen(request, language, note)
    form = request.normalize

    def rows() -> Iterator[Sentence]:
        for text, translation, document in source.rows():
            yield Sentence(
                normalized(text, form), None if translation is None else normalized(translation, form), document
            )

    return source if form is None else replace(source, rows=rows)


def _chosen(request: TextRequest, language: str, note: Callable[[str], None]) -> TrainingSource:
    if request.parallel is not None:
        return _parallel_source(request, language)
    if request.text is not None:
        return _text_source(request, request.text, request.output.licence)
    if isinstance(request.objective, Auto) or not objective_of(request.objective).needs_translations:
        try:
            note(f"no text given: asking the hub for Wikipedia ({WIKIPEDIA}, {WIKIPEDIA_DATE}.{language})")
            return _text_source(request, f"{WIKIPEDIA}:{WIKIPEDIA_DATE}.{language}", "CC BY-SA 4.0")
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
        return asked.decided(objective_for(translated=source.translated, kind=kind))
    objective_of(asked).require_backbone(kind)
    return asked


def _parallel_source(request: TextRequest, language: str) -> TrainingSource:
    corpus = open_parallel(request.parallel, target=language, source_language=request.source_lang)
    return TrainingSource(
        translated=True,
        rows=lambda: (Sentence(sentence, translation) for translation, sentence in corpus.pairs()),
        description=f"{corpus.description} ({corpus.source_language or 'unnamed'} to {language})",
        licence=request.output.licence,
        repeatable=corpus.repeatable,
        reason="parallel text was given",
        n_skipped=lambda: corpus.empty_pairs,
    )


def _text_source(request: TextRequest, text: object, licence: str) -> TrainingSource:
    corpus = open_corpus(text, column=request.column)
    return TrainingSource(
        translated=False,
        rows=lambda: (
            Sentence(line, document=document)
            for document, text in corpus.in_documents()
            for line in text.splitlines()
            if line.strip()
        ),
        description=corpus.description,
        licence=licence,
        repeatable=corpus.repeatable,
        reason="text without translations was given",
    )


def _sample_source(request: TextRequest, language: str) -> TrainingSource:
    pairs = sample.sample_pairs(language)
    if request.column is not None:
        raise ConfigError(f"column names a column of {as_typed(text=...)}, which is not given.")
    return TrainingSource(
        translated=True,
        rows=lambda: (Sentence(sentence, translation) for translation, sentence in pairs),
        description=sample.DESCRIPTION,
        licence=sample.LICENCE,
        repeatable=True,
        kind="sample",
        reason="the sample has translations",
    )
