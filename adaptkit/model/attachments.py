"""What is attached to a model, by its caller and for its zoo, and the stacks that requests take of it.

Every change happens whole, under one lock that nobody holds while files are read or a network runs. A request takes all
of its stacks at once, before its first batch; what changes later changes nothing in them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from adaptkit.attaching import AttachedLayers, ResolvedStack
from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.composition import Composition, Stack
from adaptkit.errors import AdapterExists, ConfigError, UnknownAdapter
from adaptkit.model.paging import Held, PagedZoo
from adaptkit.storage import Adapter

Named: TypeAlias = Composition | Adapter | str | None
Checked: TypeAlias = Mapping[str, tuple[AdapterLayers, Adapter]]
"""Adapters that may be attached, by id, with their layers."""
Check: TypeAlias = Callable[[Sequence[Adapter]], Checked]
_Asked: TypeAlias = Sequence[tuple[Named, Stack]]


class Attachments:
    """The adapters on one model.

    What its zoo brought is the zoo's, and goes with it. What the caller attaches or swaps in takes the place of what
    the zoo brought under that id, and stays.
    """

    def __init__(self, layers: AttachedLayers) -> None:
        self._layers = layers
        self._adapters: dict[str, Adapter] = {}
        self._zoo: PagedZoo | None = None

    def adapter(self, name: str) -> Adapter | None:
        """The adapter under an id or bare name; None for layers in training, or for nothing."""
        with self._layers.lock:
            meant = self._layers.meant_by(name)
            return self._adapters.get(meant[0]) if len(meant) == 1 else None

    def require_free(self, *adapter_ids: str) -> None:
        """Let the caller have attached nothing under these ids.

        Raises:
            AdapterExists: One is taken, or named twice.
        """
        for number, adapter_id in enumerate(adapter_ids):
            if adapter_id in adapter_ids[:number] or (adapter_id in self._layers and not self._is_zoos(adapter_id)):
                raise AdapterExists(
                    f"{adapter_id} is attached already. Detach it first: model.detach({adapter_id!r}), give the new "
                    "one another name, or put it in the old one's place: model.swap(adapter)."
                )

    def require_there(self, adapter_id: str) -> None:
        """Let something stand under an id, attached or in the zoo.

        Raises:
            UnknownAdapter: Nothing does.
        """
        zoo = self._zoo
        if adapter_id not in self._layers and (zoo is None or adapter_id not in zoo.listings):
            raise UnknownAdapter(adapter_id, self._layers.ids)

    def add(self, checked: Checked) -> None:
        """Attach adapters for the caller, all or none.

        Raises:
            AdapterExists: An id is taken.
        """
        with self._layers.lock:
            self.require_free(*checked)
            for adapter_id, (layers, adapter) in checked.items():
                self._put(adapter_id, layers, adapter)

    def add_layers(self, adapter_id: str, layers: AdapterLayers) -> None:
        """Attach layers that are to be trained.

        Raises:
            AdapterExists: The id is taken.
        """
        with self._layers.lock:
            self.require_free(adapter_id)
            self._put(adapter_id, layers, None)

    def replace(self, checked: Checked) -> None:
        """Put adapters in the place of those that stand under their ids.

        Raises:
            UnknownAdapter: Nothing does any more.
        """
        with self._layers.lock:
            for adapter_id in checked:
                self.require_there(adapter_id)
            for adapter_id, (layers, adapter) in checked.items():
                self._put(adapter_id, layers, adapter)

    def remove(self, names: Iterable[str]) -> None:
        """Detach adapters, all or none.

        Raises:
            UnknownAdapter, AmbiguousAdapter: No adapter has one of the names, or several have.
        """
        with self._layers.lock:
            for adapter_id in dict.fromkeys([self._layers.resolve(name) for name in names]):
                self._take_off(adapter_id)

    def use_zoo(self, zoo: PagedZoo) -> None:
        """Let stacks name what is in a zoo, and no longer what was in the one before."""
        with self._layers.lock:
            if self._zoo is not None:
                for adapter_id in list(self._zoo.held):
                    self._take_off(adapter_id)
            self._zoo = zoo
            self._layers.forget_all_plans()

    def stack(self, named: Named | ResolvedStack, check: Check) -> ResolvedStack:
        """The stack as it is now.

        Raises:
            AdaptkitError: As `stacks`.
        """
        if isinstance(named, ResolvedStack):
            return named
        if not isinstance(named, Adapter):
            zoo = self._zoo
            found = self._layers.remembered(as_stack(named))
            if found is not None:
                if zoo is not None:
                    zoo.used(found.acting)
                return found
        return self.stacks([named], check)[0]

    def stacks(self, named: Sequence[Named | ResolvedStack], check: Check) -> list[ResolvedStack]:
        """Stacks as they are all at one time. What is missing of them is read from the zoo, and checked.

        Raises:
            UnknownAdapter, AmbiguousAdapter, ConfigError: As `AdaptedModel.plan`.
            AdapterExists: An adapter was given, and another one is attached under its id.
            AdaptkitError: What the zoo has under an id cannot be loaded or attached.
        """
        asked = [(one, as_stack(one)) for one in named if not isinstance(one, ResolvedStack)]
        found = self._looked_up(asked)
        while found is None:
            found = self._brought(asked, check)
        in_order = iter(found)
        return [one if isinstance(one, ResolvedStack) else next(in_order) for one in named]

    def _looked_up(self, asked: _Asked) -> list[ResolvedStack] | None:
        """None where something must be read for it."""
        zoo = None
        try:
            with self._layers.lock:
                zoo = self._zoo
                if self._missing(asked):
                    return None
                found = [self._look_up(named, stack) for named, stack in asked]
                if zoo is not None:
                    for resolved in found:
                        zoo.used(resolved.acting)
                return found
        except UnknownAdapter as error:
            if zoo is None:
                raise
            raise UnknownAdapter(
                error.asked, self._layers.ids, zoo.like(error.asked), in_zoo=tuple(zoo.listings)
            ) from None

    def _brought(self, asked: _Asked, check: Check) -> list[ResolvedStack] | None:
        """Read what is missing, and look the stacks up. None where it is to be tried again, as something has changed.

        Nothing is attached before all of it is read and checked.
        """
        zoo = self._zoo
        if zoo is None:
            return self._looked_up(asked)
        with zoo.reading:
            with self._layers.lock:
                missing = self._missing(asked) if self._zoo is zoo else []
            checked = check([zoo.listings[name].load() for name in missing])
            with self._layers.lock:
                if self._zoo is not zoo:
                    return None
                for adapter_id, (layers, adapter) in checked.items():
                    if adapter_id not in self._layers:
                        self._put(adapter_id, layers, adapter)
                        zoo.held[adapter_id] = Held(zoo.listings[adapter_id].size_bytes)
                try:
                    return self._looked_up(asked)
                finally:
                    # The stacks keep what they need, so that only what the last one names is kept at hand.
                    for name in zoo.too_many(but=zoo.needed(asked[-1][1].ids)):
                        self._take_off(name)

    def _missing(self, asked: _Asked) -> list[str]:
        """What of the zoo is to be attached before the stacks can be looked up."""
        if self._zoo is None:
            return []
        names = {name for _, stack in asked if self._layers.remembered(stack) is None for name in stack.ids}
        return [name for name in self._zoo.needed(names) if name not in self._layers] if names else []

    def _look_up(self, named: Named, stack: Stack) -> ResolvedStack:
        if isinstance(named, Adapter):
            there = self._adapters.get(named.id, named)
            if there is not named and (there.weights_sha256, there.config) != (named.weights_sha256, named.config):
                raise AdapterExists(
                    f"another {named.id} is attached than the one that was given as the stack. Put the new one in its "
                    f"place: model.swap(adapter); or name what is attached: stack={named.id!r}."
                )
        return self._layers.look_up(stack)

    def _is_zoos(self, adapter_id: str) -> bool:
        zoo = self._zoo
        return zoo is not None and adapter_id in zoo.held

    def _put(self, adapter_id: str, layers: AdapterLayers, adapter: Adapter | None) -> None:
        self._forget(adapter_id)
        self._layers.put(adapter_id, layers)
        if adapter is not None:
            self._adapters[adapter_id] = adapter

    def _take_off(self, adapter_id: str) -> None:
        self._forget(adapter_id)
        self._layers.take_off(adapter_id)

    def _forget(self, adapter_id: str) -> None:
        self._adapters.pop(adapter_id, None)
        if self._zoo is not None:
            self._zoo.held.pop(adapter_id, None)


def as_stack(named: Named) -> Stack:
    """A stack of what may stand for one.

    Raises:
        ConfigError: It is no stack.
    """
    if named is None:
        return Stack()
    if isinstance(named, Adapter):
        return Stack(*named.below, named.id, any_order=True)
    if isinstance(named, str):
        return Stack.parse(named)
    if isinstance(named, list | tuple):
        names = [part.id if isinstance(part, Adapter) else str(part) for part in named]
        raise ConfigError(f"a stack is one value, found a {type(named).__name__}; write {' > '.join(names)!r}.")
    return named if isinstance(named, Stack) else Stack(named)
