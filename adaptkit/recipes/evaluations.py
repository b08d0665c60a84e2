"""What the held-out evaluations of a run cost, measured on some of what is held out."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from adaptkit.recipes.heldout_scores import HeldoutExamples
from adaptkit.terminal.amounts import time_text
from adaptkit.terminal.asking import as_typed
from adaptkit.training import RunData, TrainingRun, TrainingSettings

_MEASURED_BATCHES = 3
_TOLD_FROM = 0.1
_MORE_THAN_THE_TRAINING = 0.5
EVALUATIONS_WITHOUT_STEPS = 3
"""Before, after, and of what is kept."""
EVALUATIONS_OF_A_START = 2
"""Of a head as it is made, and as a regression; their losses alone."""
EVALUATIONS_BEHIND_A_START = 2
"""Of a head that stays there: its losses and scores, and those that are kept."""
Each = TypeVar("Each")


def seconds_of_evaluations(
    n: int, run: TrainingRun, data: RunData, settings: TrainingSettings, answered: HeldoutExamples | None
) -> float:
    """What so many take: each the losses of all that is held out, and the answers that are scored, if any are.

    Behind the last one nothing that was read is kept, and the model reads again what it answers. A few batches are
    measured, and the others taken to cost as much a token, or an example.
    """
    batches = sorted(data.heldout_batches(settings.batch_size), key=data.n_tokens)
    few = _from_the_middles(batches, _MEASURED_BATCHES)
    share = sum(map(data.n_tokens, few)) / sum(map(data.n_tokens, batches))
    losses_s = sum(map(run.measure_heldout, few)) / share
    if answered is None:
        return n * losses_s
    answers_s = _seconds_of_answers(run, settings, answered)
    if answered.kept is None:
        return n * (losses_s + answers_s)
    return n * losses_s + (n - 1) * answers_s + _seconds_of_answers(run, settings, replace(answered, kept=None))


def _seconds_of_answers(run: TrainingRun, settings: TrainingSettings, answered: HeldoutExamples) -> float:
    some = answered.some(_MEASURED_BATCHES * settings.batch_size)
    # What the first answer makes, the others find made.
    run.measure_in_use(answered.some(1).answers)
    return run.measure_in_use(some.scored) * len(answered.examples) / len(some.examples)


def _from_the_middles(items: Sequence[Each], n: int) -> Sequence[Each]:
    """The middle one of each of so many equal parts; all where there are no more."""
    return [items[(2 * part + 1) * len(items) // (2 * n)] for part in range(n)] if len(items) > n else items


def evaluations_told(count: int, seconds: float, elapsed_s: float, settings: TrainingSettings) -> list[str]:
    """A line on so many evaluations that take so many seconds of a run, where they are more than a tenth of it."""
    share = seconds / elapsed_s
    if share <= _TOLD_FROM:
        return []
    told = (
        f"evaluations: measuring what is held out {count:,} times takes about {time_text(seconds)}, {share:.0%} of the "
        "training"
    )
    return [f"{told}{_what_to_do(settings) if share > _MORE_THAN_THE_TRAINING else ''}"]


def _what_to_do(settings: TrainingSettings) -> str:
    more = ", more than all steps"
    if settings.head_warmup_steps + settings.evaluate_every >= settings.max_steps:
        return f"{more}: so short a run is measured before and after it all the same"
    return f"{more}. A larger {as_typed(evaluate_every=...)} takes less; it is {settings.evaluate_every:,}"
