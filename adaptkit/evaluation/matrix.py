"""The measurements behind a transfer report: languages x conditions x seeds."""

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adaptkit.backbones.precision import bfloat16_blocks
from adaptkit.evaluation.attached import attached
from adaptkit.evaluation.by_class import ClassCounts, class_scores, grown_confusions
from adaptkit.evaluation.cell_progress import CellProgress
from adaptkit.evaluation.conditions import LanguageAdapters, need_languages, stack_for
from adaptkit.evaluation.environment import environment
from adaptkit.evaluation.measured import Kept, Measured
from adaptkit.evaluation.notes import leak_notes, left_out_note, one_answer_notes
from adaptkit.evaluation.repeats import by_text, repeated_in, text_numbers, without_verdict
from adaptkit.evaluation.results import (
    Cell,
    ClassScore,
    Condition,
    Confusion,
    Contrast,
    MeasuredAdapter,
    Repeated,
    TransferResults,
    TurnedExample,
)
from adaptkit.evaluation.subject import LanguageTest, Subject
from adaptkit.languages import family_for, nearest_relative, why_no_relative
from adaptkit.model import AdaptedModel
from adaptkit.scores import paired_metric_difference
from adaptkit.storage import Adapter


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Every language under every condition, as often as the subject is measured; the backbone is loaded once."""

    model: AdaptedModel
    subject: Subject
    task: str
    languages: tuple[str, ...]
    conditions: tuple[Condition, ...]
    zoo: LanguageAdapters
    source: str
    limit: int | None
    batch_size: int
    kept: Kept
    progress: CellProgress
    bf16: bool

    def run(self, texts: Mapping[str, Iterable[str]]) -> TransferResults:
        """Look for test sentences in the training texts, measure what is not kept yet, and compare."""
        subject = self.subject
        cells: list[Cell] = []
        tested: dict[str, MeasuredAdapter] = {}
        comparisons: list[Contrast] = []
        turned: list[TurnedExample] = []
        repeated: list[Repeated | None] = []
        classes: list[ClassScore] = []
        confusions: list[Confusion] = []
        tests = [subject.test(language) for language in self.languages]
        sentences = [text for test in tests for text in subject.texts(test)]
        notes = dict.fromkeys([*subject.notes(tests), *self._left_out(), *leak_notes(texts, sentences)])
        for note in notes:
            self.progress.note(note)
        self.progress.start(self._n_measurements())
        for test in tests:
            runs: dict[Condition, list[Measured]] = {}
            for condition in self.conditions:
                below = self._below(condition, test.language, notes)
                if condition in need_languages(self.conditions) and not below:
                    continue
                tested |= {adapter.id: _tested(adapter) for adapter in below}
                acting = [*below, *self._tops(condition)[0]]
                for note in subject.adapter_notes(test, acting):
                    if note not in notes:
                        self.progress.note(note)
                        notes[note] = None
                runs[condition] = self._runs(test, condition, below)
                notes.update(dict.fromkeys(one_answer_notes(test, f"the condition {condition!r}", runs[condition])))
                cells.append(self._cell(test, condition, below, runs[condition]))
                if condition != "none":
                    turned += self._turned(test, condition, below, runs)
            numbers = text_numbers(subject.key(example) for example in test.examples)
            comparisons += list(_compared(test, runs, subject.metrics[0], numbers))
            repeated.append(repeated_in(test.language, numbers))
            if (by_class := test.by_class) is not None:
                counts = {each: _counts_of(measured) for each, measured in runs.items()}
                classes += class_scores(by_class, test.language, counts, numbers)
                confusions += grown_confusions(by_class, test.language, counts)
        held = self.model.backbone
        return TransferResults(
            task=self.task,
            metrics=subject.metrics,
            source_language=self.source,
            adapters=subject.adapters,
            backbone=f"{held.name} ({held.release}), held as {held.held_as}",
            seeds=subject.seeds,
            limit=self.limit,
            cells=tuple(cells),
            comparisons=tuple(comparisons),
            notes=tuple(notes),
            environment=environment(self.model.backbone.device, bf16=self.bf16),
            language_adapters=tuple(tested.values()),
            majority=tuple(subject.majorities(tests)),
            turned=tuple(turned),
            repeated=tuple(each for each in repeated if each is not None),
            classes=tuple(classes),
            confusions=tuple(confusions),
            stack="" if subject.named is None else str(subject.named.answering),
        )

    def _n_measurements(self) -> int:
        """Of cells for which there is an adapter, as often as each is measured."""
        with_languages = need_languages(self.conditions)
        return sum(
            1 if self._is_one(condition) else len(self.subject.tops)
            for language in self.languages
            for condition in self.conditions
            if condition not in with_languages or self.zoo.below(condition, source=self.source, target=language)
        )

    def _left_out(self) -> Iterator[str]:
        """Say which glossaries do not lie below, though there are such."""
        asked = [(condition, language) for language in self.languages for condition in need_languages(self.conditions)]
        found = [
            adapter.id
            for condition, language in asked
            for adapter in self.zoo.left_out_below(condition, source=self.source, target=language)
        ]
        if found:
            yield left_out_note(dict.fromkeys(found))

    def _below(self, condition: Condition, language: str, notes: dict[str, None]) -> tuple[Adapter, ...]:
        """What lies below the task adapter, and what is in a named stack besides it."""
        if condition == "none":
            return ()
        if condition == "stack":
            return () if self.subject.named is None else self.subject.named.below
        below = self.zoo.below(condition, source=self.source, target=language)
        notes.update(dict.fromkeys(f"{language}: {note}." for note in _said_of(below, condition, language)))
        return below

    def _is_one(self, condition: Condition) -> bool:
        """Whether a named stack is the same with every seed, for the task adapter is not in it."""
        named = self.subject.named
        return condition == "stack" and named is not None and not named.has_task

    def _tops(self, condition: Condition) -> Sequence[tuple[Adapter, ...]]:
        """What acts for each seed besides what lies below."""
        if condition != "stack":
            return self.subject.tops
        return [() if self._is_one(condition) else top[-1:] for top in self.subject.tops]

    def _runs(self, test: LanguageTest, condition: Condition, below: Sequence[Adapter]) -> list[Measured]:
        """A measurement for each seed; the same one where no seed changes anything."""
        tops = self._tops(condition)
        if self._is_one(condition):
            return [self._measured(test, condition, below, tops[0])] * len(tops)
        return [self._measured(test, condition, below, top) for top in tops]

    def _measured(
        self, test: LanguageTest, condition: Condition, below: Sequence[Adapter], top: Sequence[Adapter]
    ) -> Measured:
        adapters, backbone = [*below, *top], self.model.backbone
        identity = repr(
            (
                self.task,
                [(adapter.weights_sha256, adapter.config, self._fused_by(adapter)) for adapter in adapters],
                (backbone.fingerprint.id, backbone.held_as, backbone.tokenizer_hash),
                (backbone.text_prefix, str(backbone.sentences), backbone.longest_sentence),
                [repr(example) for example in test.examples],
                sorted(test.metrics),
                (self.batch_size, self.bf16),
                *self.subject.identity(test, condition),
            )
        )
        found = self.kept.load(identity)
        if found is None:
            # Attached before: probes are replayed in the precision that the backbone was loaded in.
            with attached(self.model, *adapters), bfloat16_blocks(self.model.network, on=self.bf16):
                found = self.subject.measure(test, condition, below, top)
            self.kept.save(identity, found)
        what = "the stack" if condition == "stack" else stack_for(below, ()) or "none"
        self.progress.done(f"{test.language} {what}", len(test.examples), found.elapsed_s)
        return found

    def _turned(
        self,
        test: LanguageTest,
        condition: Condition,
        below: Sequence[Adapter],
        runs: Mapping[Condition, Sequence[Measured]],
    ) -> list[TurnedExample]:
        """Examples to show, answered as they were measured."""
        if not self.subject.shows_examples:
            return []
        # A domain adapter may be in a named stack too.
        adapters = {adapter.id: adapter for adapter in (*below, *self.subject.tops[0])}.values()
        with attached(self.model, *adapters), bfloat16_blocks(self.model.network, on=self.bf16):
            return list(self.subject.turned(test, condition, below, runs["none"], runs[condition]))

    def _fused_by(self, adapter: Adapter) -> list[Any]:
        """The weights that a fusion mixes, which are attached already, each with those that it mixes itself."""
        attached = [self.model.attached_adapter(name) for name in adapter.config.method.fuses]
        return [None if each is None else (each.weights_sha256, each.config, self._fused_by(each)) for each in attached]

    def _cell(
        self, test: LanguageTest, condition: Condition, below: Sequence[Adapter], runs: Sequence[Measured]
    ) -> Cell:
        stacked = [*below, *self._tops(condition)[0]]
        return Cell(
            language=test.language,
            condition=condition,
            stack=self.subject.stack(condition, below),
            scores={
                name: tuple(float(each.metric.score(run.statistics[name].sum(axis=0))) for run in runs)
                for name, each in test.metrics.items()
            },
            n_examples=len(test.examples),
            examples_per_s=len(test.examples) / statistics.median(run.elapsed_s for run in runs),
            peak_memory_bytes=max(run.peak_memory_bytes for run in runs),
            adapter_bytes=sum(adapter.size_bytes for adapter in stacked),
        )


_OTHER_PAIRS: tuple[tuple[Condition, Condition], ...] = (("target", "source"), ("stack", "target"))


def _counts_of(runs: Sequence[Measured]) -> list[ClassCounts]:
    return [run.by_class for run in runs if run.by_class is not None]


def _compared(
    test: LanguageTest, runs: Mapping[Condition, Sequence[Measured]], metric: str, texts: NDArray[np.int64]
) -> Iterator[Contrast]:
    """Each condition against `none`, then some against each other, by the numbers of rows' texts."""
    pairs: list[tuple[Condition, Condition]] = [(condition, "none") for condition in runs if condition != "none"]
    pairs += [(one, other) for one, other in _OTHER_PAIRS if {one, other} <= runs.keys()]
    for condition, against in pairs:
        ours, theirs = (by_text(_stacked(runs[each], metric), texts) for each in (condition, against))
        found = paired_metric_difference(test.metrics[metric].metric, ours, theirs)
        difference = without_verdict(found, ours.shape[1])
        yield Contrast(language=test.language, condition=condition, against=against, difference=difference)


def _stacked(runs: Sequence[Measured], metric: str) -> NDArray[np.float64]:
    return np.stack([run.statistics[metric] for run in runs])


def _tested(below: Adapter) -> MeasuredAdapter:
    card = below.card
    text = "text kept private" if card.private else card.source
    return MeasuredAdapter(id=below.id, weights_sha256=below.weights_sha256, text=text, licence=card.licence)


def _said_of(below: Sequence[Adapter], condition: Condition, language: str) -> Iterator[str]:
    """What a report notes of the adapters below a condition; nothing where it is the one to expect."""
    if not below:
        why = f": {why_no_relative(language)}" if condition == "relative" else ""
        yield f"no adapter for the condition {condition!r}{why}"
    yield from filter(None, dict.fromkeys(_said_of_one(adapter, condition, language) for adapter in below))
    if len(below) > 1:
        yield f"under the condition {condition!r}, {stack_for(below, ())} are measured together, and none of them alone"


def _said_of_one(below: Adapter, condition: Condition, language: str) -> str:
    if below.language is not None:
        return f"its nearest relative with an adapter is {below.language}" if condition == "relative" else ""
    trained = f"{below.id}, trained on {', '.join(below.languages)}"
    if condition != "relative":
        return f"the adapter for the condition {condition!r} is {trained}"
    if family_for(language, {below.id: below.languages}) is not None:
        return f"the adapter of its family is {trained}"
    return f"its nearest relative with an adapter is {nearest_relative(language, below.languages)}, in {trained}"
