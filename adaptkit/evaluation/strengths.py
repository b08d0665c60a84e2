"""How strongly a language adapter should act below a task: each strength measured on the same examples."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adaptkit.backbones.precision import bfloat16_blocks, uses_bfloat16
from adaptkit.composition import Stack, at_strength
from adaptkit.config import STRENGTHS, Precision
from adaptkit.errors import ConfigError
from adaptkit.evaluation.attached import attached
from adaptkit.evaluation.cell_progress import open_progress
from adaptkit.evaluation.conditions import Adapters, gathered
from adaptkit.evaluation.given import (
    RETRIEVAL,
    AdapterLike,
    TestData,
    adapter_given,
    language_adapters,
    read_given,
    task_adapters,
)
from adaptkit.evaluation.head_answers import HeadAnswers
from adaptkit.evaluation.measured import Measured, measure
from adaptkit.evaluation.notes import one_answer_notes
from adaptkit.evaluation.repeats import by_text, repeated_in, repeats_told, text_numbers, without_verdict
from adaptkit.evaluation.subject import LanguageTest
from adaptkit.labelled import ReadingOptions
from adaptkit.languages import canonical_tag, language_name
from adaptkit.model import AdaptedModel
from adaptkit.requests import Measuring, Selection
from adaptkit.scores import Difference, paired_metric_difference
from adaptkit.storage import Adapter
from adaptkit.storage.of_language import glossaries_and_others
from adaptkit.terminal.asking import as_typed

_WITHOUT, _FULL = 0.0, 1.0
_OF_NAMES = 0.25
"""What helped names most in six languages (docs/how-to/strength.md)."""


@dataclass(frozen=True, kw_only=True)
class MeasuredStrength:
    """A strength with its stack, the score from 0 to 100, and the gain over the task without the adapter, if it acts.

    Several task adapters have the mean of their scores.
    """

    strength: float
    stack: str
    score: float
    gain: Difference | None

    def __str__(self) -> str:
        if self.gain is None:
            return f"  without the adapter: {self.score:.1f}"
        return f"  strength {self.strength:g}: {self.score:.1f}, {self.gain}"


@dataclass(frozen=True, kw_only=True)
class Strengths:
    """What each strength of a language adapter gives a task.

    Attributes:
        task: the name of the task.
        language: the language of the examples.
        metric: by what they were scored.
        n_examples: how many there were.
        measured: without the adapter, then every strength, from weak to strong.
        taken: the one to answer with.
        chosen: why that one, in a sentence.
        notes: what of the examples is not read or cannot be answered.
    """

    task: str
    language: str
    metric: str
    n_examples: int
    measured: tuple[MeasuredStrength, ...]
    taken: MeasuredStrength
    chosen: str
    notes: tuple[str, ...] = ()

    @property
    def stack(self) -> str:
        """What to answer with, for `model.predict(texts, stack=...)`."""
        return self.taken.stack

    def __str__(self) -> str:
        where = f"{self.task} in {language_name(self.language)} ({self.language})"
        head = f"{where}, {self.metric} on {self.n_examples:,} labelled examples:"
        return "\n".join([head, *map(str, self.measured), f"take: {self.stack}", f"  {self.chosen}", *self.notes])


def compare_strengths(
    model: AdaptedModel,
    *,
    task: str,
    adapter: AdapterLike | Sequence[AdapterLike],
    language: str,
    zoo: Adapters | None = None,
    data: TestData = None,
    strengths: Sequence[float] = STRENGTHS,
    reading: ReadingOptions | None = None,
    selection: Selection | None = None,
    batch_size: int = 32,
    precision: Precision = "auto",
    progress: bool = True,
) -> Strengths:
    """Measure a language adapter below a task at several strengths, and say which one to take.

    At strength 0.5 every site gives its own output and half of what the adapter adds, which lies halfway between the
    frozen backbone and the adapted one (interpolation of weights, Wortsman et al. 2022, arXiv:2109.01903). The stack is
    `average(language/ha: 0.5) > task/names`. What was best in other languages (0.25 below names, else 1) is taken
    unless others are better with a 95 % interval above zero: then the best of them. Where it gains nothing, the best
    that surely gains is taken, or no adapter.

    Args:
        model: the backbone; the adapters are attached for the time of the measurements where they are not yet.
        task: a benchmark of `adaptkit.TASKS`, or any name where `data` maps the language to examples.
        adapter: the task adapter, or several that differ in their training seed only.
        language: the language of the examples, whose adapter is measured.
        zoo: where that adapter is, as for `evaluate`. None: one that is attached. A glossary has no strengths, nor
            has an adapter with pieces of text of its own.
        data: labelled examples to choose by, as for `evaluate`.
        strengths: those to measure, above 0; 1, and below names 0.25, are always among them.
        reading: how labelled examples of one's own are read.
        selection: which of the examples count; of a benchmark, None is its split `dev`. One of your own has the split
            `test` unless you say another: `Selection(split="dev", limit=200)`.
        batch_size: examples in a batch.
        precision: in what numbers the backbone computes, as in `Measuring`.
        progress: whether each measurement is told.

    Raises:
        ConfigError: A strength that is none, no adapter of the language with layers, or one that brings pieces of text.
        DataError: Examples that are not there or malformed.
        CompatibilityError: An adapter that is not for this backbone.
    """
    if task == RETRIEVAL:
        raise ConfigError(
            f"{as_typed(task=task)} has no head and no labels to choose by. `evaluate` measures it with the language "
            "adapter, at full strength, and without."
        )
    tag = canonical_tag(language)
    tasks = task_adapters(model, adapter_given(adapter, task, names_stack=False), seeds=None)
    usual = _usual(tasks[0])
    asked = _asked(strengths, usual)
    how = Measuring(batch_size=batch_size, precision=precision, progress=progress)
    layers = _adapter_of(model, gathered(zoo), tag)
    subject = HeadAnswers(
        model=model,
        task=task,
        tasks=tasks,
        domains=(),
        data=read_given(data, reading or ReadingOptions(), tasks[0].config.head),
        selection=selection or Selection(split="dev"),
        measuring=how,
        normalize=None,
    )
    test, shown = subject.test(tag), open_progress(shown=progress)
    notes = dict.fromkeys([*subject.notes([test]), *subject.adapter_notes(test, [layers, tasks[0]])])
    shown.start(len(asked) * len(tasks))
    bf16 = uses_bfloat16(how.precision, model.backbone.device)
    metric, texts = subject.metrics[0], text_numbers(map(subject.key, test.examples))
    if (repeated := repeated_in(tag, texts)) is not None:
        notes[f"{tag}: {repeats_told(repeated)}"] = None
    runs: dict[float, list[Measured]] = {strength: [] for strength in asked}
    for each in tasks:
        with attached(model, layers, each), bfloat16_blocks(model.network, on=bf16):
            for strength, found in runs.items():
                one = measure(model, _stack(layers, strength, each), test.examples, test.metrics, batch_size=batch_size)
                shown.done(f"{tag} strength {strength:g}", len(test.examples), one.elapsed_s)
                found.append(one)
    stacks = {it: str(_stack(layers, it, tasks[0])) for it in asked}
    for strength, stack in stacks.items():
        notes.update(dict.fromkeys(one_answer_notes(test, stack, runs[strength])))
    statistics = {it: by_text(np.stack([one.statistics[metric] for one in each]), texts) for it, each in runs.items()}
    return _strengths(task, test, metric, statistics, stacks, usual, tuple(notes))


def _usual(task: Adapter) -> float:
    """The strength to take where nothing is surely better."""
    assert task.config.head is not None  # noqa: S101 - checked when it was given
    return _OF_NAMES if task.config.head.task_type == "tagging" else _FULL


def _asked(strengths: Sequence[float], usual: float) -> tuple[float, ...]:
    asked: object = strengths
    given = list(asked) if isinstance(asked, Sequence) and not isinstance(asked, str) else [asked]
    numbers = [float(it) for it in given if isinstance(it, int | float) and math.isfinite(it) and it > 0]
    if len(numbers) < len(given):
        raise ConfigError(
            f"{as_typed(strengths=asked)} is to be numbers above 0, such as 0.5 for half of what the adapter adds. "
            "Without the adapter is measured anyway."
        )
    return tuple(sorted({_WITHOUT, *numbers, usual, _FULL}))


def _adapter_of(model: AdaptedModel, zoo: Adapters | None, language: str) -> Adapter:
    """The adapter of the language that has layers."""
    known = language_adapters(model, zoo, reads_glosses=False)
    glossaries, others = glossaries_and_others(known.below("target", source="", target=language))
    if not others:
        there = ", ".join(it.id for it in (*known.adapters, *known.left_out)) or "none"
        only = f"{glossaries[0].id} is a glossary, which acts as it is or not at all. " if glossaries else ""
        raise ConfigError(
            f"there is no adapter of {language_name(language)} ({language}) with layers to measure. {only}Given as "
            f"{as_typed(zoo=...)}, or attached: {there}. Give its folder, or a zoo that has it."
        )
    if others[0].config.pieces is not None:
        raise ConfigError(
            f"{others[0].id} brings pieces of text of its own, by which the text is read: it acts at full strength or "
            f"not at all. {as_typed(compare=['none', 'target'])} of an evaluation measures both."
        )
    return others[0]


def _stack(layers: Adapter, strength: float, task: Adapter) -> Stack:
    if strength == _WITHOUT:
        return Stack(task.id)
    return Stack(at_strength(layers.id, strength), task.id)


def _strengths(
    task: str,
    test: LanguageTest,
    metric: str,
    found: Mapping[float, NDArray[np.float64]],
    stacks: Mapping[float, str],
    usual: float,
    notes: tuple[str, ...],
) -> Strengths:
    scored = test.metrics[metric].metric

    def over(strength: float, other: float) -> Difference:
        difference = paired_metric_difference(scored, found[strength], found[other])
        return without_verdict(difference, found[strength].shape[1])

    measured = {
        strength: MeasuredStrength(
            strength=strength,
            stack=stacks[strength],
            score=float(np.mean([scored.score(run.sum(axis=0)) for run in statistics])),
            gain=None if strength == _WITHOUT else over(strength, _WITHOUT),
        )
        for strength, statistics in found.items()
    }
    taken, chosen = taken_of(measured, usual, over)
    return Strengths(
        task=task,
        language=test.language,
        metric=metric,
        n_examples=len(test.examples),
        measured=tuple(measured.values()),
        taken=taken,
        chosen=chosen,
        notes=notes,
    )


def taken_of(
    measured: Mapping[float, MeasuredStrength], usual: float, over: Callable[[float, float], Difference]
) -> tuple[MeasuredStrength, str]:
    """The strength to take, and why; `over` is what one gains over another."""
    without, known = measured[_WITHOUT], measured[usual]
    called = "full strength" if usual == _FULL else f"strength {usual:g}, which was best for names in other languages"
    more = {strength: over(strength, usual) for strength in measured if strength != usual}
    best = _best(measured[strength] for strength, gain in more.items() if gain.low > 0)
    if best is not None and (best is without or best.score > without.score):
        return best, _chosen(more[best.strength], called)
    if known.gain is not None and known.score > without.score:
        sure = (
            "" if known.gain.low > 0 else "; nor is it surely better than no adapter: more labelled examples would tell"
        )
        return known, f"nothing is surely better here than {called}{sure}"
    helping = _best(it for it in measured.values() if it.gain is not None and it.gain.low > 0)
    if helping is not None and helping.gain is not None:
        return helping, f"{_chosen(helping.gain, 'no adapter')}; nothing is gained here at {called}"
    return without, f"the adapter gains nothing here at {called}, and surely at no other strength, so leave it out"


def _best(measured: Iterable[MeasuredStrength]) -> MeasuredStrength | None:
    """Of the highest score; of equal ones no adapter, else the strongest."""
    return max(measured, key=lambda it: (it.score, it.strength == _WITHOUT, it.strength), default=None)


def _chosen(gain: Difference, over: str) -> str:
    better = f"{gain.mean:.1f} points better here than {over} ({gain.low:.1f} to {gain.high:.1f})"
    return f"{better}; it was chosen by these examples, so its score is a little too good"
