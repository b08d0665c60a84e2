"""The zoo behind one worker's model, kept as the roster says."""

from collections.abc import Iterator
from pathlib import Path

from adaptkit.backbones import Backbone
from adaptkit.errors import AdapterFileError, CompatibilityError
from adaptkit.model import AdaptedModel
from adaptkit.serving.jobs import Described, Roster
from adaptkit.storage import Zoo
from adaptkit.storage.identity import check_identity
from adaptkit.storage.zoo import LoadableListing


class _SoundZoo(Zoo):
    """A zoo without what in it cannot be read, as its server says when it starts."""

    def __iter__(self) -> Iterator[LoadableListing]:
        return iter(self.sound)


class ServedZoo:
    """Adapters that are read when a stack names them, and go when they are unloaded or read anew.

    Raises:
        AdaptkitError: The zoo is not there, or not sound.
    """

    def __init__(self, model: AdaptedModel, path: Path, cache_bytes: int) -> None:
        self._model = model
        self._path = path
        self._cache_bytes = cache_bytes
        self._roster = Roster()
        self._read()

    def follow(self, roster: Roster) -> None:
        """Let go what this says is unloaded, or is to be read anew. An older one than the last says nothing."""
        if roster.number <= self._roster.number:
            return
        before, self._roster = self._roster, roster
        anew = {name for name, turn in roster.turns.items() if before.turns.get(name, 0) != turn}
        self._let_go(anew | roster.unloaded)
        if anew - self._listings.keys():
            self._read()

    def let_go_unloaded(self) -> None:
        """Let go what is unloaded, and was read again for requests that had come before."""
        self._let_go(self._roster.unloaded)

    def preload(self) -> None:
        """Read every adapter for this backbone; what does not fit into the cache goes again.

        Raises:
            AdaptkitError: One is not sound, or does not give on this backbone what it must.
        """
        left_out = self.described().left_out
        for adapter_id in self._listings.keys() - left_out.keys():
            self._model.pinned(adapter_id)

    def load(self, adapter_id: str) -> None:
        """Read an adapter as it is in the zoo now, and try it on the backbone; the one before stays if that fails.

        Raises:
            AdaptkitError: The zoo has none of that id, it is not sound, or it is for another backbone.
        """
        if adapter_id not in self._listings:
            self._read()
        listing = self._listings.get(adapter_id)
        adapter = self._zoo.load(adapter_id) if listing is None else listing.load()  # the first says what is there
        if not adapter.config.method.fuses:  # a fusion is tried with what it fuses, when it is named
            put = self._model.swap if adapter_id in self._model.attached else self._model.attach
            put(adapter)
        self._let_go({adapter_id})
        self._model.pinned(adapter_id)

    def described(self) -> Described:
        """What the process that speaks HTTP must know of backbone and zoo."""
        backbone = self._model.backbone
        width = int(self._model.encode(["a"]).shape[-1])
        reasons = {name: _unlike(listing, backbone) for name, listing in self._listings.items()}
        left_out = {name: reason for name, reason in reasons.items() if reason}
        return Described(backbone=backbone.name, width=width, n_tokens=backbone.longest_sentence, left_out=left_out)

    def _read(self) -> None:
        self._zoo = _SoundZoo(self._path)
        self._listings = {listing.id: listing for listing in self._zoo}
        self._model.attach_zoo(self._zoo, cache_bytes=self._cache_bytes)

    def _let_go(self, names: "frozenset[str] | set[str]") -> None:
        self._model.detach(*(names & set(self._model.attached)))


def _unlike(listing: LoadableListing, backbone: Backbone) -> str:
    """Why an adapter is not for a backbone, as far as that shows without its weights; empty where it is."""
    try:
        check_identity(listing, backbone)
    except (CompatibilityError, AdapterFileError) as error:
        return str(error)
    return ""
