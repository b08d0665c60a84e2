"""What a run will cost on this machine, measured on a few of its batches."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from adaptkit.backbones import Backbone
from adaptkit.backbones.hardware import hardware_name
from adaptkit.backbones.linear_speed import speed_beside_16_bits
from adaptkit.backbones.networks import blocks_of
from adaptkit.backbones.out_of_memory import gpu_bytes
from adaptkit.backbones.precision import run_type
from adaptkit.config import Precision
from adaptkit.data.triage import Triage
from adaptkit.recipes.evaluations import (
    EVALUATIONS_BEHIND_A_START,
    EVALUATIONS_OF_A_START,
    EVALUATIONS_WITHOUT_STEPS,
    evaluations_told,
    seconds_of_evaluations,
)
from adaptkit.recipes.fitting import Fitting
from adaptkit.recipes.heldout_scores import HeldoutExamples
from adaptkit.terminal.amounts import shown_seconds, time_text
from adaptkit.terminal.busy_cores import busy_cores
from adaptkit.terminal.waiting import POLICY, threads_that_wait_sleep
from adaptkit.training import RunData, TrainingRun, TrainingSettings

_MEASURED_BATCHES = 5
_SAFE_SHARE = 0.9
_AS_FAST = 0.9
"""Of so large a share of a speed nothing is said: the next measurement may say otherwise."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a training would cost: times in seconds, sizes in bytes.

    `n_sentences` are sentences, or labelled examples; those have no triage. `n_steps` is 0 where all is learned before
    the first step. `elapsed_s` is the time of the training, of which `evaluations_s` go to its `n_evaluations` of what
    is held out, and `begun_s` to what was done as the training does it, to know the rest: reading what a head alone
    reads once, and looking whether it starts as a regression. `preparation_s` is that of all before: reading, looking
    at and encoding the text, loading the backbone, and measuring. `plan` says in a few lines what would be trained, on
    what, and what it would cost, and `problems` what is worth a look before.
    """

    triage: Triage | None
    objective: str
    n_sentences: int
    n_steps: int
    elapsed_s: float
    peak_memory_bytes: int
    adapter_bytes: int
    n_evaluations: int = 0
    evaluations_s: float = 0.0
    begun_s: float = 0.0
    preparation_s: float = 0.0
    plan: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join(self.plan)

    def cost(self, batch_size: int) -> str:
        """A line that says it."""
        # What a reader adds up is what is shown.
        shown = self.preparation_s, self.begun_s, self.elapsed_s - self.begun_s
        together = sum(map(shown_seconds, shown))
        preparation, begun, rest = map(time_text, shown)
        parts = [f"{preparation} of preparation"]
        if self.begun_s:
            found = "" if self.n_steps else " and to find a regression"
            parts.append(f"{begun} to read the examples once{found}")
        elif not self.n_steps:
            parts.append("in which all is learned")
        steps = f"for {self.n_steps:,} steps of {batch_size}"
        parts.append(f"{rest} {steps if self.n_steps else 'to measure what is held out'}")
        return (
            f"about {time_text(together)}: {', '.join(parts[:-1])}, and {parts[-1]}; peak memory about "
            f"{self.peak_memory_bytes / 2**30:.1f} GiB (measured on a few batches)"
        )

    def evaluations(self, settings: TrainingSettings) -> list[str]:
        """A line on what its evaluations take, where they are much of a run of steps."""
        if not self.n_steps:
            return []
        return evaluations_told(self.n_evaluations, self.evaluations_s, self.elapsed_s, settings)


def machine_notes(backbone: Backbone, precision: Precision, estimate: Estimate) -> list[str]:
    """Where a run computes and in what type, and what may go wrong or slow there."""
    device, dtype = backbone.device, run_type(precision, backbone.device)
    named = "" if device.type == "cpu" else f"{device}, "
    asleep = (
        f" (threads that wait sleep: {POLICY}=passive)" if device.type == "cpu" and threads_that_wait_sleep() else ""
    )
    lines = [f"device: {named}{hardware_name(device)}, in {str(dtype).removeprefix('torch.')}{asleep}"]
    held = gpu_bytes(device)
    if held is not None and estimate.peak_memory_bytes > _SAFE_SHARE * held:
        lines.append(
            f"note: the run needs nearly all of the {held / 2**30:.1f} GiB that it can have of this GPU. If they are "
            "not enough: a smaller batch_size, gradient_checkpointing, a smaller max_length, or fewer bits."
        )
    busy = busy_cores() if device.type == "cpu" else None
    return lines + slower_bits(backbone) + ([busy] if busy else [])


def slower_bits(backbone: Backbone) -> list[str]:
    """A line where a backbone of few bits is slower in use than one of 16 bits, which is measured."""
    share = speed_beside_16_bits(blocks_of(backbone.network)[0], backbone.network.dtype)
    if share is None or share > _AS_FAST:
        return []
    return [
        f"note: {backbone.bits} bits save memory and not time: outside of training, the linear layers of a block run "
        f"at {share:.0%} of the speed of 16 bits (measured here)"
    ]


def measure(
    fitting: Fitting,
    data: RunData,
    *,
    settings: TrainingSettings,
    objective: str,
    n_sentences: int,
    answered: HeldoutExamples | None = None,
    triage: Triage | None = None,
    problems: Sequence[str] = (),
) -> Estimate:
    """Run some batches of all sizes, and the largest one; no more than the run has, where it has very few.

    Some of what is held out is measured as well, and of the examples that are `answered` beside each held-out loss.
    What a head alone reads once is read, and whether it starts as a regression is looked at, as the run would do, which
    then does not do so again. Trains nothing. Of several processes, the memory is that of the one that needs most.
    """
    run = fitting.run
    tried = run.tried_start()
    is_learned = tried is not None and tried.ends_the_run
    steps_s = 0.0 if is_learned else _seconds_of_steps(run, data, settings)
    n_evaluations = _evaluations_to_come(run, settings, is_learned=is_learned)
    to_come_s = seconds_of_evaluations(n_evaluations, run, data, settings, answered)
    begun_s = run.read_once_s + (0.0 if tried is None else tried.finding_s + tried.evaluating_s)
    start_s = run.measure_start()
    n_of_start = 0 if run.start is None else EVALUATIONS_OF_A_START
    if tried is None and n_of_start:
        to_come_s += seconds_of_evaluations(n_of_start, run, data, settings, None)
    kept_s = run.measure_anchor_states()
    if not is_learned:
        # The largest last: memory that smaller ones have left in pieces does not serve it, as in a long run.
        run.measure_step(max(data.batches(settings.batch_size, 0), key=data.n_tokens))
    return Estimate(
        triage=triage,
        objective=objective,
        n_sentences=n_sentences,
        n_steps=settings.max_steps if run.takes_steps and not is_learned else 0,
        elapsed_s=begun_s + start_s + steps_s + to_come_s + kept_s,
        n_evaluations=n_evaluations + n_of_start,
        evaluations_s=to_come_s + (0.0 if tried is None else tried.evaluating_s),
        begun_s=begun_s,
        peak_memory_bytes=run.peak_memory_bytes() + run.anchor_bytes,
        problems=tuple(problems),
        adapter_bytes=_bytes_of(fitting),
    )


def _seconds_of_steps(run: TrainingRun, data: RunData, settings: TrainingSettings) -> float:
    """Of all of them, by some of all sizes."""
    batches = sorted(data.batches(settings.batch_size, 0), key=data.n_tokens)
    n_measured = min(_MEASURED_BATCHES, max(1, settings.max_steps - 1))
    step = max(1, len(batches) // n_measured)
    seconds = [run.measure_step(rows) for rows in batches[step // 2 :: step][:n_measured]]
    return statistics.median(seconds) * settings.max_steps


def _evaluations_to_come(run: TrainingRun, settings: TrainingSettings, *, is_learned: bool) -> int:
    if is_learned:
        return EVALUATIONS_BEHIND_A_START
    return settings.n_evaluations if run.takes_steps else EVALUATIONS_WITHOUT_STEPS


def _bytes_of(fitting: Fitting) -> int:
    """What the adapter will take: its weights as they are saved, and the words of a glossary."""
    glossary = fitting.layers.config.reading.glossary
    weights = (fitting.run.stored(tensor).nbytes for tensor in fitting.layers.named_tensors().values())
    return sum(weights) + (0 if glossary is None else glossary.size_bytes)
