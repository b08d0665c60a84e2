"""The trainings of a plan that run beside each other: who is where, who is next, and how all of them are stopped."""

import queue
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adaptkit.plans.child import Child, how_it_ended
from adaptkit.plans.cost import Cost, longest_first
from adaptkit.plans.decision import Decision, built_on, was_done
from adaptkit.plans.kept import Kept, Memory
from adaptkit.plans.lines import Lines
from adaptkit.plans.machine import Machine, Place
from adaptkit.plans.outcome import Outcome, learned_in
from adaptkit.terminal.interrupt import InterruptFlag

_LOOK_EVERY_S = 0.2


@dataclass
class Running:
    """A training whose process runs, with what it has said of its end."""

    decision: Decision
    place: Place
    child: Child
    began_s: float
    said: dict[str, Any] = field(default_factory=dict)


class Trainings:
    """All trainings of a plan that are to be done, each in a process of its own, on the places of a machine."""

    def __init__(
        self,
        decisions: Sequence[Decision],
        machine: Machine,
        memory: Memory,
        logs: Path,
        *,
        processes: int | None,
        costs: Mapping[str, Cost],
        modules: tuple[str, ...],
    ) -> None:
        self._memory, self._logs, self._costs, self._modules = memory, logs, costs, modules
        self._machine = machine
        to_do = {it.training.id: it for it in decisions if not it.finished}
        self._waiting = {id_: to_do[id_] for id_ in longest_first(to_do, costs)}
        kinds = {machine.kind_for(it.training) for it in to_do.values()}
        self._free = {kind: machine.places(kind, processes) for kind in kinds}
        self._running: dict[str, Running] = {}
        self._built_on: dict[str, Mapping[str, str]] = {}
        self._messages: queue.Queue[tuple[str, Mapping[str, Any]]] = queue.Queue()
        self.outcomes = {it.training.id: was_done(it.training, it.kept) for it in decisions if it.finished}

    @property
    def at_once(self) -> int:
        """How many run beside each other, at most."""
        return sum(map(len, self._free.values())) or 1

    def refuse(self, refused: Mapping[str, str], lines: Lines) -> None:
        """Do not begin these; an error for each was found when it was measured."""
        for id_, error in refused.items():
            decision = self._waiting.pop(id_)
            self._end(decision, Outcome(id=id_, came="failed", folder=decision.training.folder, error=error))
            lines.now(id_, f"failed; {error}")

    def run(self, lines: Lines, interrupted: InterruptFlag) -> None:
        """Train all of them, or those that there is time for until `interrupted` is set.

        A second Ctrl-C raises KeyboardInterrupt, and ends all processes at once.
        """
        try:
            while self._running or (self._waiting and not interrupted.is_set):
                if not interrupted.is_set:
                    self._start_what_can(lines)
                self._listen(lines)
                if interrupted.is_set:
                    self._stop_all(lines)
        finally:
            for running in self._running.values():
                running.child.kill()
        for decision in self._waiting.values():
            self._end(decision, _not_begun(decision, "stopped before it began"), forget=True)

    def _start_what_can(self, lines: Lines) -> None:
        for id_, decision in list(self._waiting.items()):
            missing = [need for need in decision.training.needs if need in self._waiting or need in self._running]
            failed = [need for need in decision.training.needs if not missing and not self._has(need)]
            if failed:
                del self._waiting[id_]
                error = f"it builds on {failed[0]}, which has no adapter"
                self._end(decision, _not_begun(decision, error), forget=True)
                lines.now(id_, f"not begun: {error}")
            elif not missing and (free := self._free[self._machine.kind_for(decision.training)]):
                del self._waiting[id_]
                self._start(decision, free.pop(0), lines)

    def _has(self, id_: str) -> bool:
        return id_ not in self.outcomes or self.outcomes[id_].is_done

    def _start(self, decision: Decision, place: Place, lines: Lines) -> None:
        id_ = decision.training.id
        self._built_on[id_] = built_on(decision.training)
        began = Kept(
            options=decision.training.deciding,
            state="begun",
            cost=self._costs.get(id_, {}),
            before_sha256=decision.before_sha256,
            built_on=self._built_on[id_],
        )
        self._memory.keep(id_, began)
        child = Child(
            {"train": decision.job()},
            lambda said: self._messages.put((id_, said)),
            environment=place.environment,
            log=self._logs / f"{id_}.log",
            modules=self._modules,
        )
        self._running[id_] = Running(decision, place, child, time.monotonic())
        lines.now(id_, f"begins on {place.name}")

    def _listen(self, lines: Lines) -> None:
        with suppress(queue.Empty):
            id_, said = self._messages.get(timeout=_LOOK_EVERY_S)
            running = self._running[id_]
            lines.told(id_, said)
            if "ended" in said:
                del self._running[id_]
                self._free[self._machine.kind_for(running.decision.training)].append(running.place)
                outcome = _outcome(running, int(said["ended"]))
                self._end(
                    running.decision,
                    outcome,
                    weights_sha256=str(running.said.get("trained", "")),
                    steps_done=int(running.said.get("step", 0)),
                )
                lines.now(id_, _told(outcome))
            elif said.keys() & {"trained", "failed", "interrupted", "step"}:
                running.said |= said

    def _stop_all(self, lines: Lines) -> None:
        for id_, running in self._running.items():
            if "stopped" not in running.said:
                running.said["stopped"] = True
                running.child.stop()
                lines.now(id_, "stops behind this step")

    def _end(
        self,
        decision: Decision,
        outcome: Outcome,
        *,
        weights_sha256: str = "",
        steps_done: int = 0,
        forget: bool = False,
    ) -> None:
        """Note what came of one; `forget` what was never begun."""
        self.outcomes[outcome.id] = outcome
        if forget or outcome.came == "was done":
            return
        came = {"trained": "trained", "interrupted": "interrupted"}.get(outcome.came, "failed")
        self._memory.keep(
            outcome.id,
            Kept(
                options=decision.training.deciding,
                state=came,  # type: ignore[arg-type]  # one of them
                cost=self._costs.get(outcome.id, {}),
                weights_sha256=weights_sha256,
                before_sha256=decision.before_sha256,
                built_on=self._built_on.get(outcome.id, {}),
                elapsed_s=outcome.elapsed_s,
                error=outcome.error,
                steps_done=steps_done if came == "interrupted" else 0,
            ),
        )


def _not_begun(decision: Decision, error: str) -> Outcome:
    return Outcome(id=decision.training.id, came="not begun", folder=decision.training.folder, error=error)


def _outcome(running: Running, status: int) -> Outcome:
    """What came of a process that has ended."""
    id_, folder, said, log = (
        running.decision.training.id,
        running.decision.training.folder,
        running.said,
        running.child.log,
    )
    elapsed_s = round(time.monotonic() - running.began_s, 3)
    if "trained" in said:
        return Outcome(id=id_, came="trained", folder=folder, elapsed_s=elapsed_s, log=log, learned=learned_in(folder))
    if "failed" in said:
        error = f"{said['failed']}: {said['message']}"
        return Outcome(id=id_, came="failed", folder=folder, elapsed_s=elapsed_s, error=error, log=log)
    if "stopped" in said or "interrupted" in said:
        error = "stopped; run the same again to continue"
        return Outcome(id=id_, came="interrupted", folder=folder, elapsed_s=elapsed_s, error=error, log=log)
    error = f"{how_it_ended(status)}: {running.child.last_line() or 'it wrote nothing'}"
    return Outcome(id=id_, came="failed", folder=folder, elapsed_s=elapsed_s, error=error, log=log)


def _told(outcome: Outcome) -> str:
    if outcome.learned is not None:
        before, after = outcome.learned.heldout_loss_before, outcome.learned.heldout_loss_after
        return f"trained; held-out loss {before:.3f} before, {after:.3f} after"
    return f"{outcome.came}; {outcome.error}" if outcome.error else outcome.came
