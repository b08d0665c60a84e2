"""The text that a language or domain adapter is to learn from, read and looked at."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from functools import cached_property

from adaptkit.composition import AdapterId
from adaptkit.data.direction import Direction, direction_of
from adaptkit.data.kept_text import kept_text
from adaptkit.data.lexicon import Lexicon
from adaptkit.data.sentence import Sentence
from adaptkit.data.survey import Survey
from adaptkit.data.swapped_parts import swapped_in
from adaptkit.data.triage import Triage, triage
from adaptkit.errors import CheckpointError, ConfigError
from adaptkit.methods import GLOSSARY, NGRAMS, Reading
from adaptkit.objectives import objective_of
from adaptkit.options import Options
from adaptkit.recipes.enough_text import require_enough
from adaptkit.recipes.foundation import foundation_of
from adaptkit.recipes.own_pieces import OwnPieces, own_pieces, require_room_for_pieces
from adaptkit.recipes.place import model_of
from adaptkit.recipes.source import choose_source, trained_options
from adaptkit.recipes.starting import start_of
from adaptkit.requests import LanguageRequest, TextRequest
from adaptkit.terminal.amounts import counted
from adaptkit.terminal.asking import as_typed
from adaptkit.training import Display
from adaptkit.training.objectives import ObjectiveTraining


class TextLook:
    """A request with its text read, the objective chosen, and what is worth a look in the text found.

    Nothing is encoded or attached yet.

    Raises:
        AdaptkitError: Whatever is wrong with request, text or backbone.
    """

    def __init__(self, request: TextRequest, display: Display) -> None:
        self.request = request
        self.languages = request.languages
        self.language = self.languages[0] if len(self.languages) == 1 else None
        self.foundation = foundation_of(request.on)
        self._fuses = bool(request.method_config(below=self.foundation.adapters).fuses)
        self.id = AdapterId(request.kind, request.name or "-".join([*self.languages, *self._name_behind()]))
        self._display = display
        self.source = choose_source(request, display.note)
        if request.output.resumes and not self.source.repeatable:
            raise CheckpointError(
                f"{self.source.description} can be read only once, so an interrupted run cannot read the same text "
                "again. Write it to a file and give that, then resume works."
            )
        require_enough(self.source)  # before a backbone is loaded for nothing
        self.model = model_of(request.backbone)
        options = trained_options(request.objective, self.source, causal=self.model.backbone.architecture.causal)
        self.objective = objective_of(options)
        self._training: ObjectiveTraining[Options] = self.objective.training()(options, self.model, display.note)
        self.foundation.require_for(self.id, self.model, fused=self._fuses)
        self._require_one_below()
        self._start = start_of(request.start, request.kind, self.model.backbone, below=self._below)
        self._own = self._brought()
        given = None if self._start is None else self._start.config.pieces
        self._pieces = given if self._own is None else self._own.pieces
        self._require_readable()
        below = self.foundation.reading_for(self.language)
        self._reader = self.model.backbone.reader(Reading(self._pieces or below.pieces, below.glossary))
        self._text = kept_text(self.source.parts, request.normalize, self._tokenize, max_tokens=request.max_tokens)
        self.triage = self._looked_at()
        self.triage.require(force=request.force)
        self._notes = self._unread()
        self._problems = self._problems_found()
        self._directions = self._directions_taken()
        self._swapped = self._swapped_found()
        self._problems += self._swapped

    @property
    def problems(self) -> tuple[str, ...]:
        """What is worth a look before a training, a sentence each."""
        return tuple(self._problems)

    def _name_behind(self) -> list[str]:
        """What a name that was left open says of the method, where the adapter goes on top of a language's own."""
        row = self.request.method_row
        return ["fused"] if self._fuses else [row.name] if row.closed_form else []

    @property
    def _lexicon(self) -> Lexicon | None:
        """The dictionary that the objective reads the text with."""
        return self.source.lexicon if self.objective.needs_lexicon else None

    @property
    def _below(self) -> tuple[str, ...]:
        """What lies under every batch."""
        return self.foundation.below(set(self.languages))

    def _require_one_below(self) -> None:
        """See that several languages have the same below them.

        Raises:
            ConfigError: There are language adapters of several languages.
        """
        if self.language is None and self.foundation.differs_by_language and not self._fuses:
            raise ConfigError(
                f"an adapter for several languages has the same below all of them, and {as_typed(on=...)} "
                f"names {', '.join(adapter.id for adapter in self.foundation.languages)}."
            )

    def _require_readable(self) -> None:
        """See that the text, as what lies below reads it, is one that can be learned from so.

        Raises:
            ConfigError: An adapter below reads text by pieces of its own or a glossary, which do not go with this.
        """
        row, below = self.request.method_row, self.foundation.reading_for(self.language)
        named = " > ".join(adapter.id for adapter in self.foundation.adapters if adapter.config.reading.changes_words)
        if below.changes_words and row is NGRAMS:
            raise ConfigError(
                f"{named} has text read by {below}, whose letters method {row.name!r} does not know, so it would learn "
                f"nothing from them. Train by another method, such as {as_typed(method='lora')}."
            )
        if below.glossary and row is GLOSSARY:
            raise ConfigError(
                f"{named} brings a glossary already, and a text is read by one: leave it out of {as_typed(on=...)}."
            )
        if below.glossary and not self.objective.needs_translations:
            raise ConfigError(
                f"{named} has the gloss of a text read behind it, which tells objective {self.objective.name!r} what "
                f"it is to find out. Leave it out of {as_typed(on=...)}, or train by {as_typed(objective='distill')}."
            )

    def _brought(self) -> OwnPieces | None:
        """The pieces that the adapter is to bring, where it is; the text is read for them first."""
        request, backbone = self.request, self.model.backbone
        if not isinstance(request, LanguageRequest) or request.new_pieces is None:
            return None
        require_room_for_pieces(self.id, backbone, self.foundation, self._start)
        self.source = self.source.kept()
        return own_pieces(request.new_pieces, self.source, backbone, seed=request.run.seed, note=self._display.note)

    def _looked_at(self) -> Triage:
        """Triage of what is trained on: a large source is not read to its end for it."""
        survey = Survey(len(self._text.parts)) if len(self._text.parts) > 1 else None
        rows = self._text.rows() if survey is None else survey.watched(self._text.rows())
        found = self._triage(rows, self.language, self._lexicon)
        return found if survey is None else replace(found, sources=survey.sources(), shared=survey.shared())

    def _triage(self, rows: Iterable[Sentence], language: str | None, lexicon: Lexicon | None = None) -> Triage:
        return triage(
            (row.text for row in rows),
            self._reader.tokenizer,
            max_length=self._reader.room(self.request.run.max_length),
            language=language,
            lexicon=lexicon,
        )

    @cached_property
    def _words(self) -> frozenset[int]:
        """The numbers of the sources that have words and names, and no sentences."""
        parts = enumerate(self._text.parts) if self.source.translated else ()
        return frozenset(number for number, part in parts if part.of_words)

    def _problems_found(self) -> list[str]:
        """What triage finds worth a look; of several languages, in each by itself.

        Raises:
            UnsuitableText: Nothing useful can be trained on the text of one.
        """
        if self.language is not None:
            return self._problems_in(self.triage, self.language, set(range(len(self._text.parts))))
        problems = []
        for language in self.languages:
            numbers = {number for number, part in enumerate(self._text.parts) if part.language == language}
            found = self._triage(self._text.rows(numbers), language)
            found.require(force=self.request.force)
            problems += [f"{language}: {problem}" for problem in self._problems_in(found, language, numbers)]
        return problems

    def _problems_in(self, found: Triage, language: str, numbers: Set[int]) -> list[str]:
        """Those of the sources with these numbers; how much there is and how often is asked of sentences alone."""
        sentences = numbers - self._words
        if sentences != numbers:
            amounts = [self._triage(self._text.rows(sentences), language)] if sentences else []
            told = [note for each in amounts for note in each.amount_problems(enough=self.objective.enough)]
            return [*told, *found.reading_problems()]
        return found.problems(enough=self.objective.enough)

    def _directions_taken(self) -> list[tuple[str, Direction]]:
        """Of each source with translations, its name and which side is the sentence."""
        found = (
            (
                part.name,
                direction_of(self._text.rows({number}), part.language, part.source_language, order=part.order),
            )
            for number, part in enumerate(self._text.parts)
            if self.source.translated
        )
        return [(name, direction) for name, direction in found if direction is not None]

    def _swapped_found(self) -> list[str]:
        """Sources, or their files, whose two sides look swapped."""
        if not self.source.translated:
            return []
        parts = enumerate(self._text.parts)
        # Files that a budget of tokens leaves out are not read.
        read = ((number, replace(part, pieces=()) if self._text.is_cut else part) for number, part in parts)
        found = (swapped_in(part, self._text.rows({number})) for number, part in read)
        return [said for said in found if said is not None]

    def _unread(self) -> list[str]:
        """Say what of the text is not trained on at all."""
        notes = []
        if skipped := self.source.n_skipped():
            notes.append(f"{counted(skipped, 'pair was', 'pairs were')} skipped, because one side was empty")
        if self._text.is_cut:
            budget = self.request.max_tokens
            notes.append(f"what comes behind the first {budget:,} tokens is not read ({as_typed(max_tokens=...)})")
        return notes

    def _tokenize(self, lines: Sequence[str]) -> list[list[int]]:
        return self._reader.tokenize(lines, max_length=self.request.run.max_length)
