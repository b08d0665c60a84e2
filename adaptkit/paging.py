"""Adapters that stay in a folder until a stack names them, and go again when others need their place."""

import difflib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import PathLike
from threading import RLock

from adaptkit.errors import AdapterExists
from adaptkit.storage import Adapter, Listing, Zoo


@dataclass
class PagedZoo:
    """The adapters of a zoo by id, and those of them that are attached, the longest unused first.

    `fused` says of each fusion what it fuses. At most `cache_bytes` of weight files are held attached, and always what
    the stack at hand names.
    """

    listings: Mapping[str, Listing]
    fused: Mapping[str, tuple[str, ...]]
    cache_bytes: int
    _held: OrderedDict[str, Adapter] = field(default_factory=OrderedDict)
    _lock: RLock = field(default_factory=RLock)

    @classmethod
    def of(cls, zoo: Zoo | str | PathLike[str], cache_bytes: int) -> "PagedZoo":
        """Read the ids of all adapters in a zoo; no weights.

        Raises:
            SourceNotFound: There is no such folder or archive.
            AdapterFileError: A record in it is not sound.
            AdapterExists: Two adapters of one id.
        """
        listings: dict[str, Listing] = {}
        fused: dict[str, tuple[str, ...]] = {}
        zoo = zoo if isinstance(zoo, Zoo) else Zoo(zoo)
        for listing in zoo:
            adapter_id, fuses = listing.id, listing.fuses
            if adapter_id in listings:
                places = f"{listings[adapter_id].files.path} and {listing.files.path}"
                raise AdapterExists(
                    f"{zoo.path} has two adapters {adapter_id}: {places}. A stack names "
                    "an adapter by its id: take one of them out, or save it under another id "
                    '(adaptkit.load_adapter(folder).renamed("kind/name").save(folder, overwrite=True)).'
                )
            listings[adapter_id] = listing
            if fuses:
                fused[adapter_id] = fuses
        return cls(listings, fused, cache_bytes)

    def like(self, name: str) -> list[str]:
        """Ids of this zoo that may have been meant by a name that is none: those of that bare name first."""
        bare = [adapter_id for adapter_id in self.listings if adapter_id.partition("/")[2] == name]
        return bare or difflib.get_close_matches(name, self.listings, n=2)

    @contextmanager
    def brought(
        self,
        names: Iterable[str],
        attached: Callable[[str], bool],
        attached_adapter: Callable[[str], Adapter | None],
        attach: Callable[[Adapter], None],
        detach: Callable[[str], None],
    ) -> Iterator[None]:
        """While the context is open, the adapters of this zoo among `names` are attached, and not too many others.

        What others attached under an id of this zoo, or swapped in there, is theirs: it stays.

        Raises:
            AdaptkitError: As `load_adapter` and `AdaptedModel.attach`.
        """
        with self._lock:
            wanted = self._with_fusions(set(names))
            for name in wanted:
                if not attached(name):
                    adapter = self.listings[name].load()
                    attach(adapter)
                    self._held[name] = adapter
                elif name in self._held:
                    self._held.move_to_end(name)
            for name in [name for name in self._held if name not in wanted]:
                if sum(adapter.size_bytes for adapter in self._held.values()) <= self.cache_bytes:
                    break
                self._drop(name, attached_adapter, detach)
            yield

    def let_go(self, attached_adapter: Callable[[str], Adapter | None], detach: Callable[[str], None]) -> None:
        """Detach what was attached for this zoo and is still there."""
        with self._lock:
            for name in list(self._held):
                self._drop(name, attached_adapter, detach)

    def _drop(
        self, name: str, attached_adapter: Callable[[str], Adapter | None], detach: Callable[[str], None]
    ) -> None:
        if attached_adapter(name) is self._held.pop(name):
            detach(name)

    def _with_fusions(self, names: set[str]) -> list[str]:
        """The ids of this zoo among the names, what the fusions among them fuse, and the fusions of all that is named.

        A fusion stands behind what it fuses.
        """
        fusions = {name for name, fuses in self.fused.items() if names.issuperset(fuses)}
        found: dict[str, None] = {}
        seen: set[str] = set()

        def add(name: str) -> None:
            if name not in seen:
                seen.add(name)
                for part in self.fused.get(name, ()):
                    add(part)
                found[name] = None

        for name in sorted(names | fusions):
            add(name)
        return [name for name in found if name in self.listings]
