"""Train a language or domain adapter: choose the text, look at it, say what it will cost, train, record."""

import logging
import math
from collections import Counter
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.backbones.precision import run_type, uses_bfloat16
from adaptkit.composition import Stack
from adaptkit.data.fullness import FULL
from adaptkit.data.repeats import repeated_share, repeats_in_words
from adaptkit.data.tokens import TokenStore
from adaptkit.errors import ConfigError
from adaptkit.objectives.alignment import ALIGNMENT
from adaptkit.options import Recorded
from adaptkit.recipes.estimate import Estimate, machine_notes, measure
from adaptkit.recipes.fitting import Fitting
from adaptkit.recipes.languages_drawn import mixture_of
from adaptkit.recipes.settings import settings_of
from adaptkit.recipes.source_facts import source_facts, sources_in_words
from adaptkit.recipes.starting import STEPS_SHARE, copy_weights, recorded_start
from adaptkit.recipes.text_look import TextLook
from adaptkit.requests import Auto, TextRequest
from adaptkit.storage import Adapter
from adaptkit.terminal.amounts import bytes_text, counted
from adaptkit.terminal.asking import as_typed
from adaptkit.terminal.console import notes_are_hidden
from adaptkit.training import CheckpointFolder, Display, TrainingRun, TrainingSettings
from adaptkit.training.frozen_vectors import frozen_vectors
from adaptkit.training.tokenized_text import TokenizedText

_MIN_STEPS = 100
_SHOWN_SOURCES = 3
_log = logging.getLogger("adaptkit")


class TextTraining(TextLook):
    """A request with everything in place to train it: text read, objective built, fresh adapter attached.

    Raises:
        AdaptkitError: Whatever is wrong with request, text or backbone; before anything is trained or written.
    """

    def __init__(self, request: TextRequest, display: Display) -> None:
        super().__init__(request, display)
        self._mixture = mixture_of(self._text.parts, self._text.counts, request.drawing_alpha)
        self._trained_text = self._taken()
        self.data = self._training.data(self._trained_text)
        self._require_drawn()
        if (repeats := self._repeats()) is not None:
            self.data = replace(self.data, doubt=repeats)
            self._problems.append(f"{repeats}.")
        self.settings = self._settings()
        asked = request.adapter_config(self.model.backbone.shape, self.foundation.adapters, self._pieces)
        self._fitting_config = self._training.config(asked)
        self._fitting = Fitting(
            request.run,
            request.output,
            self.model,
            self.foundation,
            self.id,
            self._fitting_config,
            asked={**request.record(self._training.options), **self._glossed(), **recorded_start(self._start)},
            content=self.data.sha256,
            make_run=self._training_run,
            kept=self._training.kept,
        )

    def estimate(self) -> Estimate:
        """Measure a few batches and say what the whole run will cost. Trains nothing."""
        return measure(
            self._fitting,
            self.data,
            settings=self.settings,
            objective=self.objective.name,
            n_sentences=len(self._text.tokens),
            triage=self.triage,
            problems=self._problems,
        )

    def describe(self, estimate: Estimate) -> list[str]:
        """The plan of the run in a few lines."""
        source, found, licence = self.source, self.triage, self.source.licence
        reason = f", because {source.reason}" if isinstance(self.request.objective, Auto) else ""
        below, said = "" if self._fuses else " > ".join(self._below), self._training.in_words()
        size, swapped = bytes_text(estimate.adapter_bytes), self._swapped
        lines = [
            f"cost: {estimate.cost(self.request.run.batch_size)}",
            *estimate.evaluations(self.settings),
            f"{self.id} ({self.request.method_row.name}, {size}) on {self.model.backbone.name}",
            *([f"trained on top of {below}"] if below else []),
            *([f"starts from the weights of {self._start.id}"] if self._start is not None else []),
            *self.foundation.in_other_forms(self.request.normalize),
            f"text: {source.described(self.objective)}, {counted(estimate.n_sentences, 'sentence')}",
            *self._of_unstated_languages(),
            *(self._of_words() or self._of_glossaries()),
            *self._pairs_shown(),
            *(f"text: {note}" for note in self._notes),
            f"triage: {found.tokens:,} tokens, {found.tokens_per_word:.1f} a word, {found.unknown_share:.1%} unknown; "
            f"{found.overlong_lines / found.lines:.1%} of the lines are cut",
            *([f"pieces: {self._own}"] if self._own is not None else []),
            *([f"triage: {known}"] if (known := found.known_words()) else []),
            f"triage: half of the lines have {found.median_words:.0f} words or fewer, nine of ten "
            f"{found.p90_words:.0f}; {found.full_sentences:.0%} are full sentences ({FULL})",
            *(f"triage: {line}" for line in sources_in_words(source.parts, found, self._shares)),
            *(f"triage: {problem}" for problem in self._problems if problem not in swapped),
            *([f"licence: {licence.licence}: {licence.problem}"] if licence.problem else []),
            f"objective: {self.objective.name}{reason}{said and f'; {said}'}",
            *(self._steps_told() if estimate.n_steps else []),
        ]
        lines += machine_notes(self.model.backbone, self.request.run.precision, estimate)
        if source.kind == "sample":
            lines.append("this is the small sample that comes with adaptkit: good for a trial, not for real use")
        # Last, where nothing stands between it and the training.
        return [*lines, *(f"warning: {problem}" for problem in swapped)]

    def _steps_told(self) -> list[str]:
        tokens = f"text: an epoch has {self.data.sentences.n_tokens:,} tokens, with prefix and special tokens"
        return [tokens, *([f"the run ends early where there is {self.settings.flat}"] if self.settings.flat else [])]

    def train(self) -> Adapter:
        """Train, save where an output folder was given, and return the adapter."""
        if not self.request.run.progress or notes_are_hidden():
            for problem in self._swapped:
                _log.warning("warning: %s: %s", self.id, problem)
        return self._fitting.train(
            self._display,
            kind=self.request.kind,
            languages=set(self.languages),
            n_lines_of=self._lines_of() if self.language is None else {},
            objective=self.objective.name,
            source=self.source.described(self.objective),
            text_kind=self.source.kind,
            licence=self.source.licence.licence,
            n_lines=len(self._text.tokens),
            n_tokens=self._text.tokens.n_tokens,
            text_sha256=self._text.tokens.sha256(),
            sources=source_facts(self.source.parts, self.triage, self._shares, private=self.request.output.private),
            shared=self.triage.shared,
        )

    def _lines_of(self) -> dict[str, int]:
        """The sentences of each language."""
        counts = Counter[str]()
        for part, count in zip(self._text.parts, self._text.counts, strict=True):
            counts[part.language] += count
        return {language: counts[language] for language in self.languages}

    @property
    def _shares(self) -> tuple[float, ...]:
        return () if self._mixture is None else self._mixture.shares

    def close(self) -> None:
        """Take off the model what was attached for this run."""
        self._fitting.close()

    def _training_run(self, layers: AdapterLayers, top: str, checkpoint: CheckpointFolder | None) -> TrainingRun:
        if self._own is not None and layers.piece_rows is not None:
            layers.piece_rows.start_from(self._own.starts)
        if self._start is not None:
            copy_weights(self._start, self._fitting_config, layers)
        # A fusion lets the adapters below act itself.
        run: type[TrainingRun] = self.objective.run()
        return run(
            self.model,
            layers,
            self._training.loss(layers, self.data, run_type(self.request.run.precision, self.model.backbone.device)),
            self.data,
            self.settings,
            stack=Stack(top) if self._fuses else self.foundation.stack_under(top, self.language),
            checkpoint=checkpoint,
        )

    def _taken(self) -> TokenizedText:
        """The text, or as much of it as the objective takes."""
        whole = TokenizedText(
            tokens=self._text.tokens,
            rows=self._text.rows,
            max_length=self.request.run.max_length,
            seed=self.request.run.seed,
            encode=self._encode,
            note=self._notes.append,
            lexicon=self._lexicon,
            mixture=self._mixture,
            reader=None if self._reader is self.model.backbone else self._reader,
            source_languages=[part.source_language for part in self._text.parts],
            of_words=self._words,
        )
        most = self._training.most_rows
        taken = whole if most is None else whole.at_most(most)
        if taken is not whole:
            self._notes.append(
                f"{len(taken.tokens):,} of its sentences are taken by chance, so that there are {most:,} to train on"
            )
        return taken

    def _glossed(self) -> dict[str, Recorded]:
        """What the dictionary has and knows of the text, where there is one."""
        lexicon, known = self._lexicon, self.triage.known_word_share
        return (
            {}
            if lexicon is None or known is None
            else {"lexicon_entries": len(lexicon), "known_words": round(known, 3)}
        )

    def _require_drawn(self) -> None:
        """See that sources are drawn as was asked for.

        Raises:
            ConfigError: The objective makes rows of the text and does not say of which source each is.
        """
        if self._mixture is not None and not self._mixture.as_they_are and self.data.mixture is None:
            raise ConfigError(
                f"objective {self.objective.name!r} does not draw sources by weight: leave out the weights and "
                f"{as_typed(sampling_alpha=...)}, and its text is drawn as it is."
            )

    def _repeats(self) -> str | None:
        """Whether held-out sentences are trained on too, where a row of the data is a sentence of the text."""
        if self.data.n_measured != len(self._trained_text.tokens):
            return None
        # Words come back in many names.
        words = (
            number
            for number, row in enumerate(self._trained_text.rows() if self._words else ())
            if row.part in self._words
        )
        heldout = set(self.data.heldout).difference(words)
        return repeats_in_words(repeated_share((row.text for row in self._trained_text.rows()), heldout))

    def _of_unstated_languages(self) -> list[str]:
        """What to say of translations whose language nobody has named."""
        if not any(part.source_language is None for part in self._text.parts if self.source.translated):
            return []
        return [
            "note: no file says which language the translations are in; name it "
            f"({as_typed(source_lang='en')}), so that the card has it and swapped columns are found more surely"
        ]

    def _of_glossaries(self) -> list[str]:
        """What to say where a glossary could be learned of the same text, and lies not below."""
        glossed = self.objective.name == ALIGNMENT.name or self.foundation.reading_for(self.language).glossary
        plain = self.request.kind == "language" and self.language is not None and self.source.kind == "corpus"
        if not (plain and self.source.translated) or glossed or self.model.backbone.architecture.generates:
            return []
        return [
            f"note: for topics and search, a glossary of the same text is learned in seconds, and may bring as much "
            f"({as_typed(method='glossary')}); measure both"
        ]

    def _of_words(self) -> list[str]:
        """What to say where layers are to learn of a dictionary or of names."""
        words = [self._text.parts[number].name for number in sorted(self._words)]
        if not words or self.objective.name == ALIGNMENT.name:
            return []
        return [
            f"note: {', '.join(words)} has words and names, no sentences; what layers learned of a dictionary alone "
            f"has brought topics nothing sure so far. A glossary learns of it ({as_typed(method='glossary')})"
        ]

    def _pairs_shown(self) -> list[str]:
        """A pair of each of the first sources, unless nothing of the text is to be seen."""
        if self.request.output.private:
            return []
        return [f"text: {direction}" for _, direction in self._directions[:_SHOWN_SOURCES]]

    def _encode(
        self,
        texts: TokenStore,
        what: str,
        *,
        blocks: tuple[int, ...] = (),
        first_lengths: NDArray[np.int32] | None = None,
    ) -> Tensor:
        return frozen_vectors(
            self.model,
            texts,
            blocks=blocks,
            first_lengths=first_lengths,
            bf16=uses_bfloat16(self.request.run.precision, self.model.backbone.device),
            keep=not self.request.output.private,
            what=what,
            note=self._display.note,
        )

    def _settings(self) -> TrainingSettings:
        objective, run = self.objective, self.request.run
        n_rows = min(len(self.data.training), self._training.most_rows or len(self.data.training))
        per_epoch = math.ceil(n_rows / run.batch_size)
        by_text = min(max(per_epoch * objective.epochs, _MIN_STEPS), objective.most_steps)
        # What reads every row once and computes no gradient has no more steps than batches.
        by_text = per_epoch if objective.closed_form else by_text
        by_text = by_text if self._start is None else math.ceil(by_text * STEPS_SHARE)
        return settings_of(
            run,
            self.request.output,
            max_steps=by_text,
            learning_rate=objective.learning_rate * self.request.method_row.text_rate,
            head_warmup_steps=self._training.warmup_steps(by_text if run.max_steps is None else run.max_steps),
        )
