"""What the trainings of a plan would cost, measured by one process; what was measured before is not measured again."""

import queue
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from adaptkit.errors import TrainingError
from adaptkit.plans.child import Child, how_it_ended
from adaptkit.plans.cost import Cost
from adaptkit.plans.decision import Decision, changes_of
from adaptkit.plans.kept import Kept, Memory
from adaptkit.plans.machine import Machine, cores_shared_by
from adaptkit.terminal.bar import bar
from adaptkit.terminal.console import PlainConsole
from adaptkit.terminal.interrupt import InterruptFlag

_LOOK_EVERY_S = 0.2


class _Told:
    """Prints what is wrong with trainings, or worth a look in their text, as soon as it is known, and each once."""

    def __init__(self, *, shown: bool) -> None:
        self._console = PlainConsole(stderr=True) if shown else None
        self._before: set[str] = set()

    def __call__(self, said: Mapping[str, Any]) -> None:
        for line in dict.fromkeys(_lines(said)):
            if self._console is not None and line not in self._before:
                self._console.print(line)
            self._before.add(line)


def _lines(said: Mapping[str, Any]) -> list[str]:
    id_ = said.get("of")
    if "failed" in said and id_:
        return [f"{id_}: cannot be trained: {said['failed']}: {said['message']}"]
    return [f"{id_}: note: {problem}" for problem in said.get("problems", ())]


class Measured:
    """The machine, the cost of each training that could be measured, and what is wrong with the others.

    `problems` are what is worth a look in the text of those that were measured now.
    `refused` are those that could not be trained either, and `unknown` says why others could not be measured.
    """

    def __init__(self, decisions: Sequence[Decision]) -> None:
        self.machine: Machine | None = None
        self.costs: dict[str, Cost] = {}
        self.problems: dict[str, Sequence[str]] = {}
        self.refused: dict[str, str] = {}
        self.unknown: dict[str, str] = {}
        self._decisions = {it.training.id: it for it in decisions if not it.finished}
        self._to_measure: dict[str, Decision] = {}
        for id_, decision in self._decisions.items():
            missing = [need for need in decision.training.needs if need in self._decisions]
            kept = decision.kept
            if missing:
                self.unknown[id_] = f"not measured, because it builds on {missing[0]}, which is trained before it"
            elif kept is not None and kept.cost and not changes_of(decision.training, kept):
                self.costs[id_] = kept.cost
            else:
                self._to_measure[id_] = decision

    def measure(
        self,
        memory: Memory,
        log: Path,
        interrupted: InterruptFlag,
        *,
        processes: int | None,
        modules: tuple[str, ...],
        shown: bool,
    ) -> None:
        """Ask a process for what is not known.

        Raises:
            TrainingError: It ended before it said what the machine has.
        """
        messages: queue.Queue[Mapping[str, Any]] = queue.Queue()
        jobs = {id_: decision.job() for id_, decision in self._to_measure.items()}
        child = Child({"measure": jobs}, messages.put, environment=cores_shared_by(processes), log=log, modules=modules)
        try:
            told = _Told(shown=shown)
            with bar("what the trainings would cost", max(1, len(jobs)), shown=shown) as advance:
                while not interrupted.is_set:
                    try:
                        said = messages.get(timeout=_LOOK_EVERY_S)
                    except queue.Empty:
                        continue
                    if "ended" in said:
                        break
                    told(said)
                    if self._take(said, memory):
                        advance(1)
        finally:
            child.kill()
        if self.machine is None and not interrupted.is_set:
            raise TrainingError(
                f"nothing was trained. Of what was to look at this machine, {how_it_ended(said['ended'])}: "
                f"{child.last_line()} The rest is in {log}."
            )
        for id_ in jobs.keys() - self.costs.keys() - self.refused.keys():
            self.unknown[id_] = "not measured, because the process that did so has ended"

    def _take(self, said: Mapping[str, Any], memory: Memory) -> bool:
        """Take note of what the process says; whether it was of a training."""
        if "device" in said:
            self.machine = Machine(said["device"], said["gpus"], said["memory_bytes"])
        if "of" not in said:
            return False
        if "failed" in said:
            self.refused[said["of"]] = f"{said['failed']}: {said['message']}"
            return True
        self.problems[said["of"]] = said["problems"]
        if "cost" not in said:
            return False
        self.costs[said["of"]] = said["cost"]
        decision = self._to_measure[said["of"]]
        if decision.kept is None or decision.kept.state == "measured":
            memory.keep(said["of"], Kept(options=decision.training.deciding, state="measured", cost=said["cost"]))
        return True
