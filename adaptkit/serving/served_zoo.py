"""The zoo behind one worker's model, kept as the roster says."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from pathlib import Path

from adaptkit.backbones import Backbone
from adaptkit.errors import AdapterFileError, AdaptkitError, CompatibilityError, OutOfMemory
from adaptkit.model import AdaptedModel
from adaptkit.serving.jobs import Described, Roster
from adaptkit.serving.refusal import Refusal, refusal_of
from adaptkit.storage import Zoo
from adaptkit.storage.identity import check_identity
from adaptkit.storage.zoo import LoadableListing
from adaptkit.terminal.amounts import bytes_text, counted


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
        self._unsound: dict[str, Refusal] = {}
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

    def preload(self) -> Iterator[str]:
        """Read and check the adapters for this backbone, as many as fit into the cache, and say what happens.

        One that is not sound is named and left out, so that the others are served.

        Raises:
            OutOfMemory: They do not fit into memory.
        """
        unlike = self._unlike_backbone()
        own = [listing for name, listing in self._listings.items() if name not in unlike]
        fitting = list(_fitting(own, self._cache_bytes))
        yield _told(own, fitting, n_others=len(unlike), cache_bytes=self._cache_bytes)
        for listing in fitting:
            try:
                self._model.pinned(listing.id)
            except OutOfMemory:
                raise
            except AdaptkitError as error:
                self._unsound[listing.id] = refusal_of(error, folder=str(self._path))
                yield (
                    f"left out, as it is not sound: {listing.id}: {error} Repair or replace it, and load it: "
                    "POST /v1/load_lora_adapter."
                )

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
        self._unsound.pop(adapter_id, None)

    def described(self) -> Described:
        """What the process that speaks HTTP must know of backbone and zoo."""
        backbone = self._model.backbone
        width = int(self._model.encode(["a"]).shape[-1])
        left_out = {**self._unlike_backbone(), **self._unsound}
        return Described(backbone=backbone.name, width=width, n_tokens=backbone.longest_sentence, left_out=left_out)

    def _unlike_backbone(self) -> dict[str, Refusal]:
        """Why adapters are not for this backbone."""
        reasons = {name: _unlike(listing, self._model.backbone) for name, listing in self._listings.items()}
        return {name: reason for name, reason in reasons.items() if reason is not None}

    def _read(self) -> None:
        self._zoo = _SoundZoo(self._path)
        self._listings = {listing.id: listing for listing in self._zoo}
        self._model.attach_zoo(self._zoo, cache_bytes=self._cache_bytes)

    def _let_go(self, names: "frozenset[str] | set[str]") -> None:
        self._model.detach(*(names & set(self._model.attached)))


def _unlike(listing: LoadableListing, backbone: Backbone) -> Refusal | None:
    """Why an adapter is not for a backbone, as far as that shows without its weights; None where it is."""
    try:
        check_identity(listing, backbone)
    except (CompatibilityError, AdapterFileError) as error:
        return Refusal(HTTPStatus.BAD_REQUEST, "another_backbone", str(error))
    return None


def _fitting(listings: Sequence[LoadableListing], cache_bytes: int) -> Iterator[LoadableListing]:
    """As many as fit into so much memory, in their order."""
    room = cache_bytes
    for listing in listings:
        if listing.size_bytes <= room:
            room -= listing.size_bytes
            yield listing


def _told(
    own: Sequence[LoadableListing], fitting: Sequence[LoadableListing], *, n_others: int, cache_bytes: int
) -> str:
    size, whole = (sum(listing.size_bytes for listing in some) for some in (fitting, own))
    others = f" ({n_others} more are for other backbones)" if n_others else ""
    told = f"preloading {counted(len(fitting), 'adapter')} for this backbone{others}: {bytes_text(size)} in each worker"
    if len(fitting) == len(own):
        return told
    return (
        f"{told}. {counted(len(own) - len(fitting), 'other')} will be read when first named: all take "
        f"{bytes_text(whole)}, and --cache-mib keeps {bytes_text(cache_bytes)}; --cache-mib {-(-whole // 2**20)} keeps "
        "them all"
    )
