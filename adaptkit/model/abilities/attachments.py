"""What is attached to a model: put on, taken off, swapped, read from a zoo."""

import os

from adaptkit.attaching import AdapterLayers
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.model.abilities.parts import ModelParts
from adaptkit.model.building import LayerBuilder
from adaptkit.model.paging import ZOO_CACHE_BYTES, PagedZoo
from adaptkit.model.proof import require_adapters
from adaptkit.model.registry import Attachment
from adaptkit.storage import Adapter, Zoo


class Attachments(ModelParts):
    """Adapters are attached, all or none, each checked first; nothing acts until a stack is active."""

    @property
    def attached(self) -> tuple[str, ...]:
        """Ids of the attached adapters."""
        return self._registry.names.ids

    def attached_adapter(self, name: str) -> Adapter | None:
        """The adapter that is attached under an id or bare name; None for layers in training, or for nothing."""
        return self._registry.adapter(name)

    def attach(self, *adapters: Adapter, replay: bool = False) -> None:
        """Put trained adapters on the model, frozen, all or none. What a fusion fuses is attached before it.

        Each is tried once: what it gave for its probes when it was saved must come out again, of LoRAs behind another
        one of their origin for the shortest. That is remembered in the cache folder, under a key that only this user
        can read; with `replay`, it is tried again on all of its probes, whatever is remembered.

        A warning is logged of an adapter that changes nothing, as its training found nothing better than its start.

        Raises:
            ConfigError: Something that is not an adapter, such as a folder's name.
            ArchitectureMismatch: The adapter's backbone has other layers or widths.
            TokenizerMismatch: The adapter's tokenizer gives other ids.
            BackboneMismatch: The adapter's backbone has other weights.
            ProbeMismatch: All of that fits, and the outputs are not the recorded ones.
            UnknownAdapter: A fusion of adapters that are not attached.
            AdapterExists: The id is taken.
        """
        require_adapters(adapters)
        # Ids are looked at before the costly check, and again behind it.
        self._registry.require_free(*(adapter.id for adapter in adapters))
        self._registry.add(self._prover.proven(adapters, replay=replay))

    def swap(self, adapter: Adapter) -> None:
        """Put a trained adapter in the place of the attached one of the same id, while others may be serving.

        It is checked first. A request (`encode`, `predict`, a forward pass) that has begun ends with the old layers and
        the old head, one that begins later has the new ones; none waits, and none has some of both.

        Raises:
            ConfigError: Something that is not an adapter.
            UnknownAdapter: None is attached under that id, or was detached meanwhile, and the zoo has none.
            AdaptkitError: As `attach`; the attached one stays.
        """
        require_adapters([adapter], what="swap")
        self._registry.require_there(adapter.id)
        self._registry.replace(self._prover.proven([adapter]))

    def attach_zoo(self, zoo: Zoo | str | os.PathLike[str], *, cache_bytes: int = ZOO_CACHE_BYTES) -> tuple[str, ...]:
        """Let stacks name any adapter of a zoo; each is read and attached when it is first named.

        A bare name (`sw`) is enough where one adapter has it, of those that are attached and those in the zoo.

        It takes the place of the zoo before, with all that was read from that, while others may be serving: a request
        that has begun ends with the old zoo, one that begins later has the new one. What is attached or swapped in by
        hand stays, and acts instead of the zoo's adapter of that id.

        A zoo is a folder or an archive. At most `cache_bytes` of its adapters stay attached: those that were not used
        for the longest time go first. Gives the ids found.

        Raises:
            SourceNotFound: There is no such folder or archive.
            AdapterFileError: An adapter's record in it is not sound.
            AdapterExists: Two adapters of one id in it.
        """
        paged = PagedZoo.of(zoo, cache_bytes)
        self._registry.use_zoo(paged)
        return tuple(paged.listings)

    def attach_layers(self, adapter_id: str, config: AdapterConfig) -> AdapterLayers:
        """Put fresh, trainable layers on the model under an id, and return them.

        Raises:
            AdapterExists: The id is taken.
            ArchitectureMismatch: The config names a block that the backbone does not have.
        """
        self._registry.require_free(adapter_id)
        layers = LayerBuilder(self.backbone).fresh(config)
        self._registry.add({adapter_id: Attachment(layers)})
        return layers

    def detach(self, *adapters: Adapter | str) -> None:
        """Take adapters off, all or none, given or named; with none left, the backbone is bit for bit as loaded.

        Raises:
            ConfigError: Something that is neither an adapter nor a name, such as None.
            UnknownAdapter: Nothing is attached under that name.
            AmbiguousAdapter: A bare name that two adapters share.
            AdapterExists: Another adapter is attached under the id of one that was given.
        """
        self._registry.remove(adapters)
