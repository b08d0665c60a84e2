"""A zoo: adapters in a folder, or in folders below it, or in a zip or tar file, to be loaded from there."""

from os import PathLike

from adaptkit.errors import NotAnAdapter
from adaptkit.format.catalogue import Catalogue
from adaptkit.format.facts import Facts
from adaptkit.format.listing import Listing
from adaptkit.storage.adapter import Adapter, read_adapter


class LoadableListing(Listing):
    """An adapter in a zoo, which can be loaded from there."""

    def load(self) -> Adapter:
        """The adapter itself, every claim checked, that of being what it was listed as included.

        Raises:
            AdapterFileError: As `load_adapter`.
            IndexMismatch: It was listed from an index that says something else than its files.
            NotAnAdapter: An adapter of another id has been written there since.
        """
        adapter = read_adapter(self.files)
        if self.is_listed:
            found = Facts.of(adapter.id, adapter.language, adapter.origin.name, adapter.card, adapter.config)
            # One that was written anew since is what it is now, as long as its id stays.
            if found != self.facts and self.entry is not None and self.entry.is_of(self.files):
                self.require_as_indexed(found)
            if found.id != self.id:
                raise NotAnAdapter(
                    self.files.path, f"holds {found.id} now, and held {self.id} when the zoo was read. Open it again."
                )
        return adapter


class Zoo(Catalogue[LoadableListing]):
    """The adapters in a folder or an archive. Hidden folders are left out; nothing is unpacked to disk.

    ```python
    zoo = adaptkit.Zoo("adapters_zoo")
    for found in zoo.search(language="sw"):
        print(found.place, found.id, found.licence)
    model.attach(zoo.load("language/sw"))
    ```

    Raises:
        SourceNotFound: There is no such folder or file.
        MalformedArchive: A file that is not a zip or tar file.
        UnsafePath: An archive with a path that leaves it, or with links.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        super().__init__(path, LoadableListing)

    def load(self, name: str) -> Adapter:
        """The adapter of an id, or at a place, every claim checked.

        Raises:
            NotAnAdapter: There is none.
            ConfigError: Several of that id; name one by its place.
            AdapterFileError: As `load_adapter`.
        """
        return self.find(name).load()
