"""What lies in a zoo: adapters in a folder, or in folders below it, or in a zip or tar file."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Generic, TypeVar

from adaptkit.errors import (
    AdapterFileError,
    ConfigError,
    IndexMismatch,
    NotAnAdapter,
    SourceNotFound,
    UnexpectedFile,
)
from adaptkit.format import spec
from adaptkit.format.archive import Archive, ArchivedFolder
from adaptkit.format.contents import Content, files_below, places_of
from adaptkit.format.entries import REMEDY, ListedEntry
from adaptkit.format.folder import Files, Folder, whole_file
from adaptkit.format.index import BESIDE, Index, ListedIndex, read_index
from adaptkit.format.listing import Listing
from adaptkit.format.litter import is_in_litter
from adaptkit.format.search import Wanted

_AT_THE_TOP = {spec.INDEX_FILE, spec.SIGNATURE_FILE, *BESIDE}
ListingT = TypeVar("ListingT", bound=Listing)


class Catalogue(Generic[ListingT]):
    """What lies in a folder or an archive of adapters, a listing of `kind` for each; no weights are read.

    Raises:
        SourceNotFound: There is no such folder or file.
        MalformedArchive: A file that is not a zip or tar file.
        UnsafePath: An archive with a path that leaves it, or with links.
    """

    def __init__(self, path: str | PathLike[str], kind: Callable[[str, Files, ListedEntry | None], ListingT]) -> None:
        self.path = Path(path)
        self._listing = kind
        self._archive = Archive(self.path) if self.path.is_file() else None
        if self._archive is None and not self.path.is_dir():
            raise SourceNotFound(f"there is no folder or archive {self.path} of adapters.")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path}: {len(self)} adapters>"

    def __iter__(self) -> Iterator[ListingT]:
        return iter(self.listings)

    def __len__(self) -> int:
        return len(self._found[0])

    @cached_property
    def listings(self) -> tuple[ListingT, ...]:
        """Each adapter without its weights, in the order of the places; read when it is asked for something."""
        return tuple(self._read())

    @property
    def sound(self) -> tuple[ListingT, ...]:
        """Those whose record and config are sound, or are the very files that the index lists."""
        return self._sorted_out[0]

    @property
    def broken(self) -> Mapping[str, AdapterFileError]:
        """What is wrong with the others, by their places, and with folders that cannot be looked into."""
        return self._sorted_out[1]

    def require_sound(self) -> None:
        """Let nothing be broken.

        Raises:
            AdapterFileError: The first thing that is.
        """
        for error in self.broken.values():
            raise error

    @cached_property
    def _sorted_out(self) -> tuple[tuple[ListingT, ...], dict[str, AdapterFileError]]:
        sound: list[ListingT] = []
        broken = dict(self._found[1])
        for listing in self.listings:
            try:
                listing.require_sound()
                sound.append(listing)
            except AdapterFileError as error:
                broken[listing.place] = error
        return tuple(sound), broken

    @property
    def top(self) -> Files:
        """Its top folder."""
        return self._files("")

    def search(
        self,
        *,
        language: str | None = None,
        script: str | None = None,
        family: str | None = None,
        kind: str | None = None,
        method: str | None = None,
        task: str | None = None,
        licence: str | None = None,
        backbone: str | None = None,
    ) -> list[ListingT]:
        """The adapters for which all that is given holds. Those that are not sound are left out; `broken` names them.

        Where the zoo has an index, an adapter whose record and config have the hashes there is what the index says,
        until it is loaded or its record is asked for: then it must be. All others are read.

        Args:
            language: a tag or name; scripts and members of macrolanguages as in `adaptkit.languages`.
            script: its ISO 15924 code or English name, such as Latn or Latin.
            family: any branch that the language is in, by a name of Glottolog's, such as Bantu; a language that
                Glottolog does not have is in none.
            kind: language, domain or task.
            method: such as lora.
            task: how a task adapter is called (`names`, `task/names`), the task type of its head (`tagging`), or the
                test of a score (`SIB-200`); their beginning is enough.
            licence: as the card has it; upper and lower case are the same, and so are spaces and hyphens.
            backbone: its name.

        Raises:
            ConfigError: `language`, `family` or `kind` is none.
        """
        wanted = Wanted.of(
            language=language,
            script=script,
            family=family,
            kind=kind,
            method=method,
            task=task,
            licence=licence,
            backbone=backbone,
        )
        return [listing for listing in self.sound if wanted.holds_for(listing)]

    def find(self, name: str) -> ListingT:
        """The adapter of an id, or at a place.

        Raises:
            NotAnAdapter: There is none.
            ConfigError: Several of that id; name one by its place.
        """
        # At its place a broken one is found too, and says what is wrong when it is loaded.
        found = [listing for listing in self.listings if listing.place == name]
        found += [listing for listing in self.sound if listing.id == name and listing.place != name]
        if not found:
            there = sorted({listing.id for listing in self.sound})
            some = ", ".join(there[:8]) + (f" and {len(there) - 8} more" if len(there) > 8 else "")
            not_read = f", and {len(self.broken)} that cannot be read" if self.broken else ""
            raise NotAnAdapter(self.path, f"holds no adapter {name!r}; it has {some or 'none'}{not_read}.")
        if len(found) > 1:
            places = " or ".join(listing.place for listing in found)
            raise ConfigError(f"{self.path} has several adapters {name}; name one by its place: {places}.")
        return found[0]

    def index(self) -> Index:
        """The index of what is there now: every file is read and hashed.

        Raises:
            AdapterFileError: What is wrong with an adapter.
            UnexpectedFile: There is something that a zoo does not have.
        """
        return self._index(self._contents())

    def write_index(self) -> Path:
        """Write `index.json`, whole or not at all.

        Raises:
            ConfigError: The zoo is an archive.
            AdapterFileError: As `index`.
        """
        if self._archive is not None:
            raise ConfigError(f"{self.path} is an archive, which is not written to. Index the folder, then pack it.")
        content = self.index().render()
        path = self.path / spec.INDEX_FILE
        with whole_file(path) as partial:
            partial.write_bytes(content)
        return path

    def check(self) -> Index:
        """Let every file be the one that the index says, and nothing be there that it does not list.

        Raises:
            NotAnAdapter: There is no index.
            IndexMismatch: The first thing that is not as it says, or the index is not written as adaptkit writes it.
            UnexpectedFile: Something that a zoo does not have.
        """
        top = self.top
        recorded = read_index(top)
        path = top.path / spec.INDEX_FILE
        contents = self._contents()
        # Files first: a changed one may no longer be a sound record, and its hash says so more plainly.
        for entry in recorded.adapters:
            if entry.place not in contents:
                raise IndexMismatch(path, f"lists {entry.place}, which is not there. {REMEDY}")
            for name, expected in contents[entry.place].hashes.items():
                if entry.files.get(name) != expected:
                    found = "another hash or size for" if name in entry.files else "nothing of"
                    raise IndexMismatch(path, f"has {found} {entry.place}/{name}, as it is there. {REMEDY}")
        now = self._index(contents, recorded.format_version)
        now.require(recorded, path)
        if top.read(spec.INDEX_FILE, max_bytes=spec.MAX_INDEX_BYTES) != now.render():
            raise IndexMismatch(path, "says the right things in other bytes than adaptkit writes. Write it again.")
        return recorded

    def _read(self) -> Iterator[ListingT]:
        entries = self._entries()
        for place in self._found[0]:
            yield self._listing(place, self._files(place), entries.get(place))

    def _entries(self) -> Mapping[str, ListedEntry]:
        """What the index says of each place; nothing where there is none of a version that a list is made from."""
        try:
            index = read_index(self.top)
        except AdapterFileError:
            # Whoever needs the index itself is told what is wrong with it by `check`.
            return {}
        return {entry.place: entry for entry in index.adapters} if isinstance(index, ListedIndex) else {}

    def _index(self, contents: Mapping[str, Content], version: int = spec.INDEX_VERSION) -> Index:
        for content in contents.values():
            if isinstance(content.entry, AdapterFileError):
                raise content.entry
        entries = [content.entry for content in contents.values() if isinstance(content.entry, ListedEntry)]
        return Index.of(entries, self.top, version)

    def _contents(self) -> dict[str, Content]:
        """What lies at each place now, each file read once; nothing else may be there."""
        paths, unread = self._look()
        for error in unread.values():
            raise error
        places = places_of(paths)
        known = set(places)
        for path in paths:
            folder, _, name = path.rpartition("/")
            if folder not in known and not (not folder and name in _AT_THE_TOP):
                raise UnexpectedFile(
                    self.path / path, "belongs to no adapter of this zoo. Take it away, or keep it elsewhere."
                )
        return {place: Content.of(place, self._files(place)) for place in places}

    def _files(self, place: str) -> Files:
        if self._archive is not None:
            return ArchivedFolder(self._archive, place)
        return Folder(self.path / place)

    @cached_property
    def _found(self) -> tuple[list[str], dict[str, AdapterFileError]]:
        """As `_look` found it first."""
        paths, unread = self._look()
        return places_of(paths), unread

    def _look(self) -> tuple[list[str], dict[str, AdapterFileError]]:
        """Every path of a file that is there now, and the folders that were not looked into, each with the reason."""
        if self._archive is not None:
            return [path for path in self._archive.members if not is_in_litter(path)], {}
        return files_below(self.path)
