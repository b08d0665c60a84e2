"""What is attached to a model: which layers stand under which id, of which adapter, and who put them there.

Every change happens whole, under one lock that nobody holds while files are read or a network runs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import RLock

from torch import nn

from adaptkit.attaching import AdapterLayers, SiteHooks
from adaptkit.backbones import bytes_of
from adaptkit.composition.adapter_names import AdapterNames, bare
from adaptkit.errors import AdapterExists, AmbiguousAdapter, ConfigError, UnknownAdapter
from adaptkit.model.paging import Held, PagedZoo
from adaptkit.model.remembered import RememberedStacks
from adaptkit.storage import Adapter


@dataclass(frozen=True, eq=False)
class Attachment:
    """What stands under an id: layers, and the adapter that they are of (None: they are in training).

    `held` is what the zoo that brought it notes of it; None for what the caller put there.
    """

    layers: AdapterLayers
    adapter: Adapter | None = None
    held: Held | None = None


class Registry:
    """All that is attached to one backbone. Adding and removing takes as long whatever else is attached.

    What its zoo brought is the zoo's, and goes with it. What the caller attaches or swaps in takes the place of what
    the zoo brought under that id, and stays.
    """

    def __init__(self, hooks: SiteHooks, remembered: RememberedStacks) -> None:
        self.modules = nn.ModuleDict()
        self.names = AdapterNames()
        self.zoo: PagedZoo | None = None
        self.lock = RLock()
        """Whoever makes several changes that belong together, or looks up stacks that do, holds it meanwhile."""
        self._hooks = hooks
        self._remembered = remembered
        self._by_id: dict[str, Attachment] = {}

    def __contains__(self, adapter_id: str) -> bool:
        return adapter_id in self._by_id

    def __getitem__(self, adapter_id: str) -> Attachment:
        return self._by_id[adapter_id]

    @property
    def with_heads(self) -> list[str]:
        """The ids of those that have a head, the zoo's behind the attached ones."""
        attached = [name for name, one in tuple(self._by_id.items()) if one.layers.head is not None]
        in_zoo = [] if self.zoo is None else self.zoo.with_heads
        return list(dict.fromkeys([*attached, *in_zoo]))

    def meant_by(self, name: str) -> list[str]:
        """The ids that an id or a bare name may mean, attached or in the zoo: what is in the zoo counts unread too."""
        attached = self.names.meant_by(name)
        in_zoo = [] if self.zoo is None else self.zoo.names.meant_by(name)
        return [name] if name in (*attached, *in_zoo) else list(dict.fromkeys([*attached, *in_zoo]))

    def resolve(self, name: str) -> str:
        """The one id that a name means.

        Raises:
            UnknownAdapter, AmbiguousAdapter: None, or several.
        """
        meant = self.meant_by(name)
        if len(meant) > 1:
            raise AmbiguousAdapter(name, meant)
        return meant[0] if meant else self.names.resolve(name)

    @property
    def held(self) -> dict[str, Held]:
        """What the zoo brought, by id."""
        return {name: one.held for name, one in self._by_id.items() if one.held is not None}

    def layers(self, name: str) -> AdapterLayers:
        """The layers under an id or bare name.

        Raises:
            UnknownAdapter, AmbiguousAdapter: No adapter has that name, or several have.
        """
        return self._by_id[self.names.resolve(name)].layers

    def adapter(self, name: str) -> Adapter | None:
        """The adapter under an id or bare name; None for layers in training, or for nothing."""
        with self.lock:
            meant = self.names.meant_by(name)
            return self._by_id[meant[0]].adapter if len(meant) == 1 else None

    def note_use(self, names: Iterable[str]) -> None:
        """Note that a stack acts in which these do; needs no lock."""
        for name in names:
            attachment = self._by_id.get(name)
            if attachment is not None and attachment.held is not None:
                attachment.held.used()

    def require_free(self, *adapter_ids: str) -> None:
        """Let the caller have attached nothing under these ids.

        Raises:
            AdapterExists: One is taken, or named twice.
        """
        for number, adapter_id in enumerate(adapter_ids):
            there = self._by_id.get(adapter_id)
            if adapter_id in adapter_ids[:number] or (there is not None and there.held is None):
                raise AdapterExists(
                    f"{adapter_id} is attached already. Detach it first: model.detach({adapter_id!r}), give the new "
                    "one another name, or put it in the old one's place: model.swap(adapter)."
                )

    def require_there(self, adapter_id: str) -> None:
        """Let something stand under an id, attached or in the zoo.

        Raises:
            UnknownAdapter: Nothing does.
        """
        zoo = self.zoo
        if adapter_id not in self._by_id and (zoo is None or adapter_id not in zoo.listings):
            raise UnknownAdapter(adapter_id, self.names.ids)

    def add(self, attachments: Mapping[str, Attachment]) -> None:
        """Attach for the caller, all or none.

        Raises:
            AdapterExists: An id is taken.
        """
        with self.lock:
            self.require_free(*attachments)
            for adapter_id, attachment in attachments.items():
                self.put(adapter_id, attachment)

    def replace(self, attachments: Mapping[str, Attachment]) -> None:
        """Put these in the place of those that stand under their ids.

        Raises:
            UnknownAdapter: Nothing does any more.
        """
        with self.lock:
            for adapter_id in attachments:
                self.require_there(adapter_id)
            for adapter_id, attachment in attachments.items():
                self.put(adapter_id, attachment)

    def remove(self, adapters: Iterable[Adapter | str]) -> None:
        """Detach adapters, all or none.

        Raises:
            ConfigError: Something that is neither an adapter nor a name.
            UnknownAdapter, AmbiguousAdapter: No adapter has one of the names, or several have.
            AdapterExists: Another adapter stands under the id of one that was given.
        """
        with self.lock:
            for adapter_id in dict.fromkeys([self._standing(each) for each in adapters]):
                self.take_off(adapter_id)

    def has_other(self, adapter: Adapter) -> bool:
        """Whether another adapter stands under its id, of other weights or another config."""
        there = self._by_id[adapter.id].adapter or adapter
        return there is not adapter and (
            (there.weights_sha256, there.config) != (adapter.weights_sha256, adapter.config)
        )

    def _standing(self, given: Adapter | str) -> str:
        """The id under which stands what was given, or named."""
        if isinstance(given, str):
            return self.names.resolve(given)
        if not isinstance(given, Adapter):
            raise ConfigError(
                f"detach takes adapters, or names of attached ones, found {given!r:.80}. Attached: "
                f"{', '.join(self.names.ids) or 'none'}. To take all off: model.detach(*model.attached)."
            )
        adapter_id = self.names.resolve(given.id)
        if self.has_other(given):
            raise AdapterExists(
                f"another {adapter_id} is attached than the one that was to be detached. To take off what is attached: "
                f"model.detach({adapter_id!r})."
            )
        return adapter_id

    def use_zoo(self, zoo: PagedZoo) -> None:
        """Let stacks name what is in a zoo, and no longer what was in the one before."""
        with self.lock:
            for adapter_id in self.held:
                self.take_off(adapter_id)
            self.zoo = zoo
            self.forget_all_plans()

    def put(self, adapter_id: str, attachment: Attachment) -> None:
        """Let an id stand for this from now on, whatever it stood for before."""
        with self.lock:
            before, layers = self._by_id.get(adapter_id), attachment.layers
            self._hooks.add(module for module, _ in layers.items())
            if before is None:
                self.names.add(adapter_id)
            else:
                self._hooks.remove(module for module, _ in before.layers.items())
            self._by_id[adapter_id] = attachment
            self.modules[_module_name(adapter_id)] = layers
            self._forget_plans(adapter_id, layers)

    def take_off(self, adapter_id: str) -> None:
        """Let an id stand for nothing."""
        with self.lock:
            layers = self._by_id.pop(adapter_id).layers
            self.names.remove(adapter_id)
            del self.modules[_module_name(adapter_id)]
            self._hooks.remove(module for module, _ in layers.items())
            self._forget_plans(adapter_id, layers)

    def memory(self) -> dict[str, int]:
        """Bytes of adapters, and of heads on top of them."""
        with self.lock:
            heads = [one.layers.head for one in self._by_id.values() if one.layers.head is not None]
            attached = bytes_of(self.modules.parameters())
        in_heads = sum(bytes_of(head.parameters()) for head in heads)
        return {"adapters": attached - in_heads, "heads": in_heads}

    def forget_all_plans(self) -> None:
        """Needed where the layers' tensors have moved: plans remember views of them."""
        with self.lock:
            self._remembered.clear()

    def _forget_plans(self, adapter_id: str, layers: AdapterLayers) -> None:
        self._remembered.forget(adapter_id, bare(adapter_id), *layers.config.method.fuses)


def _module_name(adapter_id: str) -> str:
    """A module's name may hold no dot; no id holds a colon."""
    return adapter_id.replace(".", ":")
