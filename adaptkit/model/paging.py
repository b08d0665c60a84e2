"""Adapters that stay in a folder until a stack names them, and go again when others need their place."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from os import PathLike
from threading import Lock

from adaptkit.composition.adapter_names import AdapterNames
from adaptkit.errors import AdapterExists
from adaptkit.storage import Zoo
from adaptkit.storage.zoo import LoadableListing

_TURNS = count()
ZOO_CACHE_BYTES = 256 * 2**20


@dataclass
class Held:
    """What is noted of an adapter attached for a zoo: its weight file's size, and when a stack last named it."""

    size_bytes: int
    last_turn: int = field(default_factory=_TURNS.__next__)

    def used(self) -> None:
        """Note that a stack names it now."""
        self.last_turn = next(_TURNS)


@dataclass(frozen=True, eq=False)
class PagedZoo:
    """The adapters of a zoo by id.

    `fused` says of each fusion what it fuses. At most `cache_bytes` of weight files stay attached. Who reads adapters
    does so under `reading`, so that whoever needs the same finds them.
    """

    listings: Mapping[str, LoadableListing]
    fused: Mapping[str, tuple[str, ...]]
    cache_bytes: int
    reading: Lock = field(default_factory=Lock)
    names: AdapterNames = field(default_factory=AdapterNames)

    @classmethod
    def of(cls, zoo: Zoo | str | PathLike[str], cache_bytes: int) -> "PagedZoo":
        """Read the ids of all adapters in a zoo; no weights.

        Raises:
            SourceNotFound: There is no such folder or archive.
            AdapterFileError: A record in it is not sound.
            AdapterExists: Two adapters of one id.
        """
        listings: dict[str, LoadableListing] = {}
        fused: dict[str, tuple[str, ...]] = {}
        zoo = zoo if isinstance(zoo, Zoo) else Zoo(zoo)
        for listing in zoo:
            adapter_id, fuses = listing.id, listing.fuses
            if adapter_id in listings:
                places = f"{listings[adapter_id].files.path} and {listing.files.path}"
                raise AdapterExists(
                    f"{zoo.path} has two adapters {adapter_id}: {places}. A stack names "
                    "an adapter by its id: take one of them out, or save it under another id "
                    f'(adaptkit.load_adapter(folder).renamed("kind/name").save(folder, overwrite=True)).'
                )
            listings[adapter_id] = listing
            if fuses:
                fused[adapter_id] = fuses
        return cls(listings, fused, cache_bytes)

    def __post_init__(self) -> None:
        for adapter_id in self.listings:
            self.names.add(adapter_id)

    @property
    def with_heads(self) -> list[str]:
        """The ids of those that have a head."""
        return [adapter_id for adapter_id, listing in self.listings.items() if listing.facts.head is not None]

    def like(self, name: str) -> list[str]:
        """Ids and bare names of this zoo that may have been meant by a name that is none."""
        return self.names.like(name)

    def too_many(self, held: Mapping[str, Held], *, but: Iterable[str]) -> list[str]:
        """What must go for the others to be within the bound, the longest unused first, and never what is in `but`."""
        size, kept = sum(one.size_bytes for one in held.values()), frozenset(but)
        going = []
        for name, one in sorted(held.items(), key=lambda entry: entry[1].last_turn):
            if size <= self.cache_bytes:
                break
            if name not in kept:
                going.append(name)
                size -= one.size_bytes
        return going

    def needed(self, names: Iterable[str]) -> list[str]:
        """The ids of this zoo among the names, what the fusions among them fuse, and the fusions of all that is named.

        A fusion stands behind what it fuses.
        """
        asked = set(names)
        fusions = {name for name, fuses in self.fused.items() if asked.issuperset(fuses)}
        found: dict[str, None] = {}
        seen: set[str] = set()

        def add(name: str) -> None:
            if name not in seen:
                seen.add(name)
                for part in self.fused.get(name, ()):
                    add(part)
                found[name] = None

        for name in sorted(asked | fusions):
            add(name)
        return [name for name in found if name in self.listings]
