"""The verbs of a plan: what it would cost, and all of its trainings."""

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from adaptkit.errors import TrainingInterrupted
from adaptkit.format.lock import only_writer
from adaptkit.plans.changed import ChangedOption
from adaptkit.plans.cost import PlanCost, left_of
from adaptkit.plans.decision import Decision, changes_of, decisions, elsewhere
from adaptkit.plans.kept import Memory
from adaptkit.plans.lines import open_lines
from adaptkit.plans.machine import Machine
from adaptkit.plans.measured import Measured
from adaptkit.plans.running import Trainings
from adaptkit.plans.summary import PlanSummary
from adaptkit.requests.plan import TrainingPlan
from adaptkit.requests.plan_file import read_plan
from adaptkit.requests.planning import Planning
from adaptkit.terminal.asking import the_same_again
from adaptkit.terminal.console import PlainConsole
from adaptkit.terminal.interrupt import InterruptFlag

_NO_MACHINE = Machine("cpu", 0, 0)


def train_plan(
    plan: str | Path | TrainingPlan, planning: Planning | None = None, *, modules: Sequence[str] = ()
) -> PlanSummary:
    """Train all adapters of a plan, each in a process of its own, and write a summary.

    What is finished is left as it is, and what was interrupted continues, whenever the same plan is run again. One
    that fails stops no other. `modules` are files or modules of your own that its processes import, for methods or
    objectives that they register; the process that calls has imported them itself.

    Raises:
        ConfigError: The plan is not there, has an option that cannot be right, or an adapter is there that other
            options made.
        TrainingInterrupted: Ctrl-C or SIGTERM; all processes have ended, with their checkpoints, and the summary is
            written.
        TrainingError: No process can be started.
    """
    run = _Run.of(plan, planning, modules)
    started = time.monotonic()
    with run.alone(), InterruptFlag() as interrupted:
        found = run.measured(interrupted)
        lines_of = [it.training.id for it in run.decisions if not it.finished]
        trainings = run.trainings(found)
        with open_lines(lines_of, shown=run.planning.progress) as lines:
            if not interrupted.is_set:
                # What is worth a look in their texts has been told already.
                for line in replace(run.cost(found, trainings.at_once), problems={}).lines():
                    lines.note(line)
            trainings.refuse(found.refused, lines)
            trainings.run(lines, interrupted)
        summary = run.summary(trainings, time.monotonic() - started)
        summary.save()
    if interrupted.is_set:
        raise TrainingInterrupted(
            f"{summary.headline}. All processes have ended. {the_same_again()} goes on: what is done is left as it is, "
            f"and what has a checkpoint continues from there. The summary is in {summary.folder}.",
            None,
            interrupted.signal_number,
        )
    return summary


def estimate_plan(
    plan: str | Path | TrainingPlan, planning: Planning | None = None, *, modules: Sequence[str] = ()
) -> PlanCost:
    """What `train_plan` would cost for the same, measured on a few batches of each training. Trains nothing.

    Raises:
        AdaptkitError: What `train_plan` would raise before it starts.
    """
    run = _Run.of(plan, planning, modules)
    with InterruptFlag() as interrupted:
        found = run.measured(interrupted)
    if interrupted.is_set:
        raise TrainingInterrupted("stopped; what was measured is kept.", None, interrupted.signal_number)
    return run.cost(found, run.trainings(found).at_once)


def require_agreed(plan: TrainingPlan, planning: Planning | None = None) -> None:
    """See that no adapter or checkpoint that is there was made with other options, as `train_plan` does first.

    Raises:
        ConfigError: One was, and `overwrite` is not set.
    """
    _Run.of(plan, planning, ())


def changed_since(plan: TrainingPlan, planning: Planning | None = None) -> Mapping[str, tuple[ChangedOption, ...]]:
    """By id the options that are other ones than those by which a training has begun, of those that have."""
    memory = Memory((planning or Planning()).folder_for(plan.path) / "state")
    known = [(it, memory.of(it.id)) for it in plan]
    return {it.id: changes_of(it, kept) for it, kept in known if kept is not None and kept.state != "measured"}


@dataclass(frozen=True)
class _Run:
    """A plan, how it runs, and what is to be done of it."""

    whole: TrainingPlan
    plan: TrainingPlan
    planning: Planning
    modules: tuple[str, ...]
    decisions: tuple[Decision, ...]

    @classmethod
    def of(cls, plan: str | Path | TrainingPlan, planning: Planning | None, modules: Sequence[str]) -> "_Run":
        asked = planning or Planning()
        whole = plan if isinstance(plan, TrainingPlan) else read_plan(plan)
        chosen = whole.only(asked.only) if asked.only else whole if asked.part is None else whole.part(*asked.part)
        memory = Memory(asked.folder_for(whole.path) / "state")
        return cls(whole, chosen, asked, tuple(modules), decisions(chosen, memory, overwrite=asked.overwrite))

    @property
    def folder(self) -> Path:
        return self.planning.folder_for(self.plan.path)

    @property
    def memory(self) -> Memory:
        return Memory(self.folder / "state")

    def alone(self) -> AbstractContextManager[None]:
        """Refuse another run of the same plan, or of the same part, while open; one adapter has a lock of its own."""
        if self.planning.only:
            return nullcontext()
        part = "all" if self.planning.part is None else "part-{}-of-{}".format(*self.planning.part)
        return only_writer(self.folder / part, what="run of this plan")

    def measured(self, interrupted: InterruptFlag) -> Measured:
        found = Measured(self.decisions)
        if any(not it.finished for it in self.decisions):
            if self.planning.progress:
                to_do = sum(not it.finished for it in self.decisions)
                PlainConsole(stderr=True).print(
                    f"{self.plan.path}: reading the texts of {to_do} of {len(self.plan)}, then measuring what they cost"
                )
            found.measure(
                self.memory,
                self.folder / "logs" / "measuring.log",
                interrupted,
                processes=self.planning.processes,
                modules=self.modules,
                shown=self.planning.progress,
            )
        return found

    def trainings(self, found: Measured) -> Trainings:
        return Trainings(
            self.decisions,
            found.machine or _NO_MACHINE,
            self.memory,
            self.folder / "logs",
            processes=self.planning.processes,
            costs=found.costs,
            modules=self.modules,
        )

    def cost(self, found: Measured, at_once: int) -> PlanCost:
        machine = found.machine or _NO_MACHINE
        kinds = {machine.kind_for(it.training) for it in self.decisions if not it.finished}
        steps_done = {it.training.id: it.steps_done for it in self.decisions}
        return PlanCost(
            self.decisions,
            {id_: left_of(cost, steps_done[id_]) for id_, cost in found.costs.items()},
            found.refused,
            found.unknown,
            problems=found.problems,
            at_once=at_once,
            memory_bytes=machine.memory_bytes,
            on_cpu="cuda" not in kinds,
        )

    def summary(self, trainings: Trainings, elapsed_s: float) -> PlanSummary:
        memory = self.memory
        outcomes = [trainings.outcomes.get(it.id) or elsewhere(it, memory.of(it.id)) for it in self.whole]
        return PlanSummary(
            plan=self.plan.path,
            folder=self.folder,
            outcomes=tuple(outcomes),
            elapsed_s=round(elapsed_s, 3),
            at_once=trainings.at_once,
        )
