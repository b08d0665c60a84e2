"""A stack, or an ensemble of several, that is measured as the caller named it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike

from adaptkit.composition import Ensemble, Stack
from adaptkit.composition.adapter_names import AdapterNames
from adaptkit.errors import ConfigError, UnknownAdapter
from adaptkit.evaluation.attached import attached
from adaptkit.evaluation.conditions import Adapters, opened
from adaptkit.model import AdaptedModel, ResolvedEnsemble, ResolvedStack
from adaptkit.model.ensembles import AnsweredBy, kind_of, stacks_of
from adaptkit.model.paging import PagedZoo
from adaptkit.model.stacks import as_stack
from adaptkit.storage import Adapter, Zoo
from adaptkit.terminal.asking import as_typed


@dataclass(frozen=True)
class NamedStack:
    """What answers, with whole ids, and the adapters in it besides the task adapter that is evaluated.

    `has_task` says whether that one is in it too: then it is another one with each seed.
    """

    answering: Stack | Ensemble
    below: tuple[Adapter, ...]
    has_task: bool

    @classmethod
    def of(
        cls,
        model: AdaptedModel,
        named: AnsweredBy,
        *,
        task: Adapter,
        domains: Sequence[Adapter],
        zoo: Adapters | None,
    ) -> "NamedStack":
        """What is meant by the names of adapters: the given ones, those of the zoo, and what the model has.

        Raises:
            UnknownAdapter, AmbiguousAdapter: A name that no adapter has, or several have.
            NoHead: A stack ends in no task adapter.
            ConfigError: Answers that have no mean, or of another kind than those of the task adapter; a text that is no
                composition; or the task adapter alone, where the zoo has another one of its name.
            AdaptkitError: What the zoo has under a name cannot be loaded or attached.
        """
        given = _Given.of([task, *domains], zoo)
        found = _looked_up(model, named, given)
        _require_same_kind(found, task)
        stacks = [each.stack for each in found.stacks]
        if stacks == [Stack(task.id)] and given.has_another(task):
            raise ConfigError(
                f"the stack {str(named)!r} is the task adapter that is given, alone, so that it would be set beside "
                f"itself; the {task.id} of the zoo has other weights. Train that one under another name, and name it "
                f"so in {as_typed(stack=...)}."
            )
        acting = {id_: adapter for each in found.stacks for id_, adapter in each.adapters.items()}
        return cls(
            stacks[0] if len(stacks) == 1 else Ensemble(*stacks),
            tuple(_trained(id_, adapter) for id_, adapter in acting.items() if id_ != task.id),
            task.id in acting,
        )

    def beside(self, zoo: Adapters | None) -> Adapters | None:
        """The zoo without what a list names for this stack alone: adapters that are for no language."""
        if zoo is None or isinstance(zoo, str | PathLike | Zoo):
            return zoo
        own = {adapter.id for adapter in self.below if adapter.kind != "language"}
        return [entry for entry in zoo if not (isinstance(entry, Adapter) and entry.id in own)]

    def require_explainable(self) -> None:
        """Let one stack answer, for only of one there are reasons.

        Raises:
            ConfigError: Several do.
        """
        if isinstance(self.answering, Ensemble):
            raise ConfigError(
                f"{str(self.answering)!r} is an ensemble, whose answers cannot be explained: leave "
                f"{as_typed(explain=True)} out, or name one of its stacks."
            )


@dataclass(frozen=True)
class _Given:
    """Adapters that the caller gave by id, and zoos."""

    listed: Sequence[Adapter]
    adapters: Mapping[str, Adapter]
    zoos: Sequence[PagedZoo]

    @classmethod
    def of(cls, adapters: Sequence[Adapter], zoo: Adapters | None) -> "_Given":
        entries = [] if zoo is None else opened(zoo)
        listed = [*adapters, *(entry for entry in entries if isinstance(entry, Adapter))]
        # The first of an id is the one that is meant.
        by_id = {it.id: it for it in reversed(listed)}
        return cls(listed, by_id, [PagedZoo.of(entry, 0) for entry in entries if not isinstance(entry, Adapter)])

    def meant_by(self, names: Sequence[str]) -> dict[str, Adapter]:
        """All that these names may mean, by id, with what fusions among it fuse."""
        known = AdapterNames()
        for id_ in self.adapters:
            known.add(id_)
        found = {id_: self.adapters[id_] for name in names for id_ in known.meant_by(name)}
        for zoo in self.zoos:
            for id_ in zoo.needed(id_ for name in names for id_ in zoo.names.meant_by(name)):
                if id_ not in found:
                    found[id_] = zoo.listings[id_].load()
        return found

    def has_another(self, task: Adapter) -> bool:
        """Whether a zoo has an adapter of the same id with other weights."""
        hashes = [adapter.weights_sha256 for adapter in self.listed if adapter.id == task.id]
        hashes += [zoo.listings[task.id].record.weights_sha256 for zoo in self.zoos if task.id in zoo.listings]
        return any(found != task.weights_sha256 for found in hashes)

    def like(self, name: str) -> list[str]:
        """Ids and bare names in the zoos that may have been meant."""
        return [found for zoo in self.zoos for found in zoo.like(name)]

    @property
    def in_zoos(self) -> list[str]:
        """The ids of all that is in them."""
        return [id_ for zoo in self.zoos for id_ in zoo.listings]


def _looked_up(model: AdaptedModel, named: AnsweredBy, given: _Given) -> ResolvedEnsemble:
    with attached(model, *given.meant_by(list(_names_in(named))).values()):
        try:
            return model.pinned_ensemble(named)
        except UnknownAdapter as error:
            if not given.zoos:
                raise
            raise UnknownAdapter(error.asked, model.attached, given.like(error.asked), in_zoo=given.in_zoos) from None


def _names_in(named: AnsweredBy) -> Iterator[str]:
    for each in stacks_of(named):
        yield from (each.stack if isinstance(each, ResolvedStack) else as_stack(each)).ids


def _require_same_kind(found: ResolvedEnsemble, task: Adapter) -> None:
    head = task.config.head
    assert head is not None  # noqa: S101 - checked when it was given
    if kind_of(found.head) != kind_of(head):
        raise ConfigError(
            f"the stack is measured beside the task adapter, and answers something else: it ends in "
            f"{found.head.row.told(found.head)}; {task.id} in {head.row.told(head)}. Give a task adapter with the same "
            f"labels: {as_typed(adapter=...)}."
        )


def _trained(id_: str, adapter: Adapter | None) -> Adapter:
    if adapter is None:
        raise ConfigError(f"{id_} in the stack is in training; name adapters that are trained.")
    return adapter
