"""What a plan will cost, measured on a few batches of each of its trainings."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from adaptkit.plans.decision import Decision
from adaptkit.terminal.amounts import bytes_text, counted, time_text
from adaptkit.terminal.busy_cores import busy_cores

Cost = Mapping[str, float]
_SAFE_SHARE = 0.9
_TOLD_FROM = 0.1


@dataclass(frozen=True)
class PlanCost:
    """What is known of a plan before it starts. Times in seconds, sizes in bytes.

    `problems` are what is worth a look in the text of those that were measured now.

    `costs` are those that could be measured, by id, of what goes on the rest. Of the others `refused` says why they
    cannot be trained, and `unknown` why they could not be measured. `at_once` trainings run beside each other on a
    machine with `memory_bytes`.
    """

    decisions: tuple[Decision, ...]
    costs: Mapping[str, Cost]
    refused: Mapping[str, str]
    unknown: Mapping[str, str]
    problems: Mapping[str, Sequence[str]]
    at_once: int
    memory_bytes: int
    on_cpu: bool

    @property
    def elapsed_s(self) -> float:
        """How long it takes if every place has its next training as soon as it is free, longest first."""
        ends = [0.0] * max(1, self.at_once)
        for seconds in sorted(map(seconds_of, self.costs.values()), reverse=True):
            ends[ends.index(min(ends))] += seconds
        return max(ends)

    @property
    def work_s(self) -> float:
        """The seconds of all trainings together."""
        return sum(map(seconds_of, self.costs.values()))

    @property
    def adapter_bytes(self) -> float:
        """What all adapters take on disk."""
        return sum(cost["adapter_bytes"] for cost in self.costs.values())

    @property
    def peak_memory_bytes(self) -> float:
        """The most memory of any one of them."""
        return max((cost["peak_memory_bytes"] for cost in self.costs.values()), default=0.0)

    def as_json(self) -> dict[str, object]:
        """All of it as plain values; `cost` is null of what is done, cannot be trained, or could not be measured."""
        trainings = [
            {
                "id": (id_ := decision.training.id),
                "folder": str(decision.training.folder),
                "done": decision.finished,
                "cost": self.costs.get(id_),
                "problems": list(self.problems.get(id_, ())),
                "error": self.refused.get(id_) or self.unknown.get(id_),
            }
            for decision in self.decisions
        ]
        return {
            "trainings": trainings,
            "at_once": self.at_once,
            "elapsed_s": self.elapsed_s,
            "work_s": self.work_s,
            "adapter_bytes": self.adapter_bytes,
            "peak_memory_bytes": self.peak_memory_bytes,
        }

    def lines(self) -> list[str]:
        """It all in words: a line for each training, and what they cost together."""
        told = [[self._line(each), *self._problems(each.training.id)] for each in self.decisions]
        return [*chain.from_iterable(told), *self._total()]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def _line(self, decision: Decision) -> str:
        id_ = decision.training.id
        if decision.finished:
            return f"{id_}: done already, in {decision.training.folder}"
        if (cost := self.costs.get(id_)) is not None:
            time = f"about {time_text(seconds_of(cost))}{_evaluations(cost)}"
            steps = f"{cost['steps']:,.0f} steps" if cost["steps"] else "no steps"
            if "whole_steps" in cost:
                steps = f"{cost['steps']:,.0f} of {cost['whole_steps']:,.0f} steps are left"
            return f"{id_}: {steps}, {time}{_replaced(decision)}"
        if id_ in self.refused:
            return f"{id_}: cannot be trained: {self.refused[id_]}"
        return f"{id_}: {self.unknown.get(id_, 'not measured')}{_replaced(decision)}"

    def _problems(self, id_: str) -> list[str]:
        return [f"{id_}: note: {problem}" for problem in self.problems.get(id_, ())]

    def _total(self) -> Iterator[str]:
        to_do = [decision for decision in self.decisions if not decision.finished]
        if not to_do:
            yield "nothing is left to do"
            return
        missing = len(to_do) - len(self.costs) - len(self.refused)
        if not self.costs:
            yield "what the rest would cost is not known yet" if missing else "nothing of the rest can be trained"
            return
        unknown = f"; what {counted(missing, 'training')} more would cost is not known yet" if missing else ""
        yield (
            f"together: about {time_text(self.elapsed_s)} ({time_text(self.work_s)} of training, {self.at_once} at a "
            f"time), {bytes_text(round(self.adapter_bytes))} of adapters, peak memory about "
            f"{self.peak_memory_bytes / 2**30:.1f} GiB each{unknown}"
        )
        if self.on_cpu and (busy := busy_cores()):
            yield busy
        needed = self.peak_memory_bytes * min(self.at_once, len(to_do))
        if self.on_cpu and needed > _SAFE_SHARE * self.memory_bytes:
            yield (
                f"note: {self.at_once} at a time may need {needed / 2**30:.1f} GiB, and this machine has "
                f"{self.memory_bytes / 2**30:.1f}. Take fewer processes, or a smaller batch_size."
            )


def _replaced(decision: Decision) -> str:
    why = f", since {' and '.join(decision.moved)} is trained anew" if decision.moved else ""
    return f" (replaces what is there{why})" if decision.replaces else ""


def _evaluations(cost: Cost) -> str:
    """What share of it goes to held-out evaluations, if it is more than a tenth."""
    share = cost.get("evaluations_s", 0.0) / max(seconds_of(cost), 1e-9)
    return f", {share:.0%} of it for evaluations" if share > _TOLD_FROM else ""


def seconds_of(cost: Cost) -> float:
    """What a training takes, with the start of its process, the loading of its backbone, and what it prepares."""
    return cost.get("started_s", 0.0) + cost["prepared_s"] + cost["elapsed_s"]


def left_of(cost: Cost, steps_done: int) -> Cost:
    """What is left of a training that goes on behind these steps."""
    if not 0 < steps_done < cost["steps"]:
        return cost
    left = cost["steps"] - steps_done
    shrunk = {name: cost[name] * left / cost["steps"] for name in ("elapsed_s", "evaluations_s") if name in cost}
    return {**cost, **shrunk, "steps": left, "whole_steps": cost["steps"]}


def longest_first(ids: Collection[str], costs: Mapping[str, Cost]) -> Sequence[str]:
    """The order in which trainings start, so that the last ones to end are short; those of unknown cost first."""
    return sorted(ids, key=lambda id_: -seconds_of(costs[id_]) if id_ in costs else float("-inf"))
