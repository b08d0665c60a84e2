"""The stacks that requests take: all at one time, and what they need of the zoo read for them.

A request takes all of its stacks at once, before its first batch; what changes later changes nothing in them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TypeAlias, TypeVar

from adaptkit.composition import Stack
from adaptkit.errors import AdapterExists, ConfigError, NoHead, UnknownAdapter
from adaptkit.layers import Head
from adaptkit.model.ensembles import AnsweredBy, ResolvedEnsemble, stacks_of
from adaptkit.model.paging import Held, PagedZoo
from adaptkit.model.proof import Prover
from adaptkit.model.registry import Attachment, Registry
from adaptkit.model.resolving import Resolver
from adaptkit.model.stacks import Named, ResolvedStack, StackLike, as_stack
from adaptkit.storage import Adapter
from adaptkit.task_types import HeadConfig

_Asked: TypeAlias = Sequence[tuple[Named, Stack]]
_NamedT = TypeVar("_NamedT")
_FoundT = TypeVar("_FoundT")


class StackLookup:
    """Looks stacks up in what is attached; what is missing there is read from the zoo, proven and attached for it."""

    def __init__(self, registry: Registry, resolver: Resolver, prover: Prover) -> None:
        self._registry = registry
        self._resolver = resolver
        self._prover = prover

    def one(self, named: StackLike) -> ResolvedStack:
        """The stack as it is now.

        Raises:
            AdaptkitError: As `every`.
        """
        if isinstance(named, ResolvedStack):
            return named
        if not isinstance(named, Adapter):
            found = self._resolver.remembered(as_stack(named))
            if found is not None:
                if self._registry.zoo is not None:
                    self._registry.note_use(found.acting)
                return found
        return self.every([named])[0]

    def for_each(self, n_rows: int, stack: StackLike, stacks: Sequence[StackLike] | None) -> Sequence[ResolvedStack]:
        """A stack for each row: one for all, or one of its own.

        Raises:
            ConfigError: Both are given, or stacks that are not as many as the rows.
            AdaptkitError: As `every`.
        """
        return _for_each(n_rows, stack, stacks, self.one, self.every)

    def ensemble(self, named: AnsweredBy) -> ResolvedEnsemble:
        """The stacks that answer together, as they are now; one stack answers alone.

        Raises:
            AdaptkitError: As `every_ensemble`.
        """
        group = stacks_of(named)
        return self._together([self.one(group[0])] if len(group) == 1 else self.every(group))

    def ensemble_for_each(
        self, n_rows: int, stack: AnsweredBy, stacks: Sequence[AnsweredBy] | None
    ) -> Sequence[ResolvedEnsemble]:
        """What answers each row: one stack or ensemble for all, or one of its own.

        Raises:
            ConfigError: As `for_each`.
            AdaptkitError: As `every_ensemble`.
        """
        return _for_each(n_rows, stack, stacks, self.ensemble, self.every_ensemble)

    def every_ensemble(self, named: Sequence[AnsweredBy]) -> list[ResolvedEnsemble]:
        """What answers under each of these, as all of it is at one time.

        Raises:
            NoHead: A stack ends in no task adapter.
            ConfigError: The answers of an ensemble have no mean.
            AdaptkitError: As `every`.
        """
        groups = [stacks_of(one) for one in named]
        each = iter(self.every([stack for group in groups for stack in group]))
        found = [tuple(islice(each, len(group))) for group in groups]
        made = {group: self._together(group) for group in dict.fromkeys(found)}
        return [made[group] for group in found]

    def _together(self, stacks: Sequence[ResolvedStack]) -> ResolvedEnsemble:
        return ResolvedEnsemble.of(stacks, [self.head_of(stack) for stack in stacks])

    def every(self, named: Sequence[StackLike]) -> list[ResolvedStack]:
        """Stacks as they are all at one time, so that no swap comes between two rows.

        Raises:
            UnknownAdapter, AmbiguousAdapter, ConfigError: As `AdaptedModel.plan`.
            AdapterExists: An adapter was given, and another one is attached under its id.
            AdaptkitError: What the zoo has under an id cannot be loaded or attached.
        """
        asked = [(one, as_stack(one)) for one in named if not isinstance(one, ResolvedStack)]
        found = self._looked_up(asked)
        while found is None:
            found = self._brought(asked)
        in_order = iter(found)
        return [one if isinstance(one, ResolvedStack) else next(in_order) for one in named]

    def head_of(self, named: StackLike) -> tuple[Head, HeadConfig]:
        """The head that answers under a stack: that of its last adapter.

        Raises:
            NoHead: That adapter has no head.
            AdaptkitError: As `every`.
        """
        resolved = self.one(named)
        if resolved.head is None:
            raise NoHead(str(resolved.stack), self._registry.with_heads)
        return resolved.head

    def _looked_up(self, asked: _Asked) -> list[ResolvedStack] | None:
        """None where something must be read for it."""
        zoo = None
        try:
            with self._registry.lock:
                zoo = self._registry.zoo
                if zoo is not None and self._missing(zoo, asked):
                    return None
                found = [self._look_up(named, stack) for named, stack in asked]
                if zoo is not None:
                    for resolved in found:
                        self._registry.note_use(resolved.acting)
                return found
        except UnknownAdapter as error:
            if zoo is None:
                raise
            raise UnknownAdapter(
                error.asked, self._registry.names.ids, zoo.like(error.asked), in_zoo=tuple(zoo.listings)
            ) from None

    def _brought(self, asked: _Asked) -> list[ResolvedStack] | None:
        """Read what is missing, and look the stacks up. None where it is to be tried again, as something has changed.

        Nothing is attached before all of it is read and proven.
        """
        zoo = self._registry.zoo
        if zoo is None:
            return self._looked_up(asked)
        with zoo.reading:
            with self._registry.lock:
                missing = self._missing(zoo, asked) if self._registry.zoo is zoo else []
            read = self._prover.proven([zoo.listings[name].load() for name in missing])
            with self._registry.lock:
                if self._registry.zoo is not zoo:
                    return None
                self._put(zoo, read)
                try:
                    return self._looked_up(asked)
                finally:
                    # The stacks keep what they need, so that only what the last one names is kept at hand.
                    for name in zoo.too_many(self._registry.held, but=zoo.needed(self._whole_ids(asked[-1][1]))):
                        self._registry.take_off(name)

    def _put(self, zoo: PagedZoo, read: Mapping[str, Attachment]) -> None:
        """Attach for a zoo what was read of it; what the caller has attached meanwhile stays."""
        for adapter_id, attachment in read.items():
            if adapter_id not in self._registry:
                self._registry.put(adapter_id, replace(attachment, held=Held(zoo.listings[adapter_id].size_bytes)))

    def _missing(self, zoo: PagedZoo, asked: _Asked) -> list[str]:
        """What of the zoo is to be attached before the stacks can be looked up."""
        names = {
            name for _, stack in asked if self._resolver.remembered(stack) is None for name in self._whole_ids(stack)
        }
        return [name for name in zoo.needed(names) if name not in self._registry] if names else []

    def _whole_ids(self, stack: Stack) -> Iterator[str]:
        """The ids that are meant by a stack's names; none by one that means nothing, or several."""
        each = (self._registry.meant_by(name) for name in stack.ids)
        return (meant[0] for meant in each if len(meant) == 1)

    def _look_up(self, named: Named, stack: Stack) -> ResolvedStack:
        if isinstance(named, Adapter) and named.id in self._registry and self._registry.has_other(named):
            raise AdapterExists(
                f"another {named.id} is attached than the one that was given as the stack. Put the new one in its "
                f"place: model.swap(adapter); or name what is attached: stack={named.id!r}."
            )
        return self._resolver.look_up(stack)


def _for_each(
    n_rows: int,
    one: _NamedT,
    several: Sequence[_NamedT] | None,
    look_up: Callable[[_NamedT], _FoundT],
    look_up_every: Callable[[Sequence[_NamedT]], Sequence[_FoundT]],
) -> Sequence[_FoundT]:
    """What was found for each row: of one that is for all, or of one of its own."""
    if several is None:
        return [look_up(one)] * n_rows
    if one is not None:
        raise ConfigError("stack and stacks are both given; give one stack for all, or one for each.")
    if isinstance(several, str):
        raise ConfigError(f"stacks takes a list, one stack for each input; for one stack for all, stack={several!r}.")
    if len(several) != n_rows:
        raise ConfigError(
            f"stacks=[...] takes a list of stacks, one for each of {n_rows} inputs, found {len(several)}."
        )
    return look_up_every(several)
