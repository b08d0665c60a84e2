"""A training plan: several adapters to train, in an order in which each has what it builds on."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from adaptkit.errors import ConfigError
from adaptkit.requests.planned import PlannedTraining

BUILT_ON = ("on", "start")
"""Options that name adapters which are there before a training begins."""


@dataclass(frozen=True)
class TrainingPlan:
    """Adapters to train, each behind those that it builds on; `path` is the file that it was read from."""

    path: Path
    trainings: tuple[PlannedTraining, ...]

    def __iter__(self) -> Iterator[PlannedTraining]:
        return iter(self.trainings)

    def __len__(self) -> int:
        return len(self.trainings)

    def __getitem__(self, id_: str) -> PlannedTraining:
        """The training of this id, such as `language/sw`.

        Raises:
            ConfigError: The plan has none; it says which ones it has.
        """
        found = {training.id: training for training in self.trainings}
        if id_ not in found:
            raise ConfigError(f"{self.path} has no {id_!r}; it has {', '.join(found)}.{meant(id_, found)}")
        return found[id_]

    def only(self, ids: Sequence[str]) -> "TrainingPlan":
        """The same with these trainings alone.

        Raises:
            ConfigError: It has not all of them.
        """
        chosen = {self[id_].id for id_ in ids}
        return replace(self, trainings=tuple(it for it in self.trainings if it.id in chosen))

    def part(self, number: int, count: int) -> "TrainingPlan":
        """One of `count` parts, counted from 1, as evenly as can be; what builds on each other stays together."""
        groups: list[set[str]] = []
        for training in self.trainings:
            touched = [group for group in groups if group & set(training.needs)]
            groups = [group for group in groups if group not in touched] + [{training.id}.union(*touched)]
        chosen = set().union(*sorted(groups, key=lambda group: (-len(group), min(group)))[number - 1 :: count])
        return replace(self, trainings=tuple(it for it in self.trainings if it.id in chosen))


def ordered(path: Path, trainings: Sequence[PlannedTraining]) -> TrainingPlan:
    """The plan of these, each with what it needs.

    Raises:
        ConfigError: Two write to one folder, or some build on each other in a circle.
    """
    folders = Counter(training.folder.resolve() for training in trainings)
    if twice := [training for training in trainings if folders[training.folder.resolve()] > 1]:
        raise ConfigError(
            f"{path}: {' and '.join(it.id for it in twice)} have one output folder, {twice[0].folder}; give each its "
            "own."
        )
    made = {training.folder.resolve(): training.id for training in trainings}
    linked = [replace(it, needs=tuple(_needs(it, made))) for it in trainings]
    try:
        order = list(TopologicalSorter({it.id: it.needs for it in linked}).static_order())
    except CycleError as error:
        raise ConfigError(f"{path}: {' < '.join(error.args[1])} build on each other in a circle; break it.") from error
    # Of those that wait for nothing, as the file has them.
    place = {training.id: number for number, training in enumerate(linked)}
    depth = {training.id: 0 for training in linked}
    for id_ in order:
        depth[id_] = max((depth[need] + 1 for need in linked[place[id_]].needs), default=0)
    return TrainingPlan(path, tuple(sorted(linked, key=lambda it: (depth[it.id], place[it.id]))))


def _needs(training: PlannedTraining, made: dict[Path, str]) -> Iterator[str]:
    for name in BUILT_ON:
        given = training.options.get(name, [])
        for part in given if isinstance(given, list) else [given]:
            if isinstance(part, str) and (id_ := made.get(Path(part).resolve())) is not None:
                yield id_


def meant(name: str, known: Collection[str]) -> str:
    """The nearest of the known names, as the end of a message."""
    near = get_close_matches(name, known, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
