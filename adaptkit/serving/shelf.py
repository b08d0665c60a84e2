"""What a server has to offer: the adapters of its zoo by name, and which of them are not served now."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path

from adaptkit.composition import Ensemble, Fuse, Stack, parse_composition, resolved
from adaptkit.composition.adapter_names import AdapterNames
from adaptkit.errors import AdapterExists, AdapterFileError, AdaptkitError, ConfigError
from adaptkit.format.catalogue import Catalogue
from adaptkit.format.listing import Listing
from adaptkit.serving.jobs import Described, Roster
from adaptkit.serving.limits import MAX_ADAPTERS
from adaptkit.serving.refusal import Refusal, Refused, malformed, refusal_of

_SEE = "GET /v1/models lists what there is."


@dataclass(frozen=True)
class Named:
    """A stack in whole ids ("": the backbone alone), and the task type of the head on top, if there is one.

    Of an ensemble, the stacks stand together, and the head is that of the first; whether all are of one kind, a worker
    finds out.
    """

    stack: str
    head: str | None
    n_stacks: int = 1


class Shelf:
    """The adapters of a zoo, read without weights. A roster says what changed since the server started.

    Raises:
        SourceNotFound: There is no such folder or archive.
        AdapterExists: Two adapters of one id.
        ConfigError: There is no adapter in it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.roster = Roster()
        self.broken: Mapping[str, AdapterFileError] = {}
        self._described: Described | None = None
        self._left_out: dict[str, Refusal] = {}
        self._recall = lru_cache(maxsize=4_096)(self._resolved)
        self._listings = self._read()
        self._see_names()
        if not self._listings:
            raise ConfigError(f"{path} holds no adapter that can be read, so that there is nothing to serve.")

    def seen(self, name: str) -> Listing:
        """An adapter of the zoo, served or not, as its files are now; nothing changes by looking.

        Raises:
            Refused: The zoo has none of that name, or what is there is not sound.
        """
        try:
            listing = self._anew(name)
            _ = listing.config  # read here, where it harms nobody who lists what there is
        except AdaptkitError as error:
            raise Refused(refusal_of(error, folder=str(self.path))) from error
        return listing

    def _anew(self, name: str) -> Listing:
        if name not in self._listings and (new := self._read().get(name)):
            return new
        before = self._listings[self.adapter(name)]
        return Listing(before.place, before.files)

    def _read(self) -> dict[str, Listing]:
        catalogue = Catalogue(self.path, Listing)
        listings: dict[str, Listing] = {}
        for listing in catalogue.sound:
            if listing.id in listings:
                places = f"{listings[listing.id].place} and {listing.place}"
                raise AdapterExists(f"{self.path} has two adapters {listing.id} ({places}); take one of them out.")
            listings[listing.id] = listing
        self.broken = catalogue.broken
        return listings

    def tell(self, described: Described) -> None:
        """What a worker has found out of backbone and zoo."""
        self._described, self._left_out = described, dict(described.left_out)
        self._see_names()

    def put(self, adapter_id: str, listing: Listing) -> None:
        """Serve an adapter from now on, as its files are now: a worker has tried it."""
        self._left_out.pop(adapter_id, None)
        self._listings = {**self._listings, adapter_id: listing}
        self.roster = self.roster.with_new(adapter_id)
        self._see_names()

    def take(self, adapter_id: str) -> None:
        """Serve an adapter no longer.

        Raises:
            Refused: It is not served.
        """
        self.named(adapter_id)
        self.roster = self.roster.without(adapter_id)
        self._recall.cache_clear()

    @property
    def described(self) -> Described | None:
        """What a worker has told; None before that."""
        return self._described

    @property
    def served(self) -> Iterator[Listing]:
        """The adapters that can be named now."""
        return (each for name, each in self._listings.items() if name in self._names and self._is_served(name))

    def named(self, name: str) -> Named:
        """The stack or ensemble that a request means; a bare name is that of an adapter, where only one has it.

        Raises:
            Refused: It means none, or an adapter in it is not served.
        """
        return self._recall(name)

    def adapter(self, name: str) -> str:
        """The id of an adapter of the zoo, served or not.

        Raises:
            Refused: The zoo has none of that name.
        """
        if name in self._listings:
            return name
        try:
            return self._id_of(name)
        except AdaptkitError as error:
            raise Refused(refusal_of(error)) from error

    def _see_names(self) -> None:
        self._names = AdapterNames()
        for name in self._listings:
            if name not in self._left_out:
                self._names.add(name)
        self._recall.cache_clear()

    def _resolved(self, name: str) -> Named:
        if self._described is not None and name == self._described.backbone:
            return Named("", None)
        try:
            asked = parse_composition(name)
            stacks = list(map(self._whole, asked.stacks if isinstance(asked, Ensemble) else [asked]))
            whole = Ensemble(*stacks) if len(stacks) > 1 else stacks[0]
        except AdaptkitError as error:
            raise Refused(refusal_of(error)) from error
        return Named(str(whole), self._head_on(stacks[0]), len(stacks))

    def _whole(self, asked: Stack) -> Stack:
        """The same in whole ids, all of them served."""
        stack = resolved(asked, self._id_of, _refused_fusion)
        assert isinstance(stack, Stack)  # noqa: S101 - a stack resolves to a stack
        self._require_served(stack)
        return stack

    def _head_on(self, stack: Stack) -> str | None:
        top = stack.parts[-1] if stack.parts else None
        return self._listings[top].facts.head if isinstance(top, str) else None

    def _id_of(self, name: str) -> str:
        if reason := self._left_out.get(name):
            raise Refused(replace(reason, param="model"))
        meant = self._names.meant_by(name)
        if not meant:
            near = get_close_matches(name, [*self._names.ids, *self._bare], n=2)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            message = f"the zoo has no adapter {name!r:.120}.{hint} {_SEE}"
            raise Refused(Refusal(HTTPStatus.NOT_FOUND, "model_not_found", message, "model"))
        return self._names.resolve(name)

    @property
    def _bare(self) -> list[str]:
        return [name.partition("/")[2] for name in self._names.ids]

    def _require_served(self, stack: Stack) -> None:
        if len(stack.ids) > MAX_ADAPTERS:
            raise malformed(f"a stack has up to {MAX_ADAPTERS} adapters, and this has {len(stack.ids)}.", "model")
        for name in self._acting(stack.ids):
            if not self._is_served(name):
                message = (
                    f"{name} was unloaded from this server. POST /v1/load_lora_adapter with "
                    f'{{"lora_name": "{name}"}} loads it again.'
                )
                raise Refused(Refusal(HTTPStatus.NOT_FOUND, "model_not_found", message, "model"))

    def _acting(self, names: tuple[str, ...]) -> Iterator[str]:
        """These, and what the fusions among them fuse."""
        for name in names:
            yield name
            yield from self._listings[name].fuses if name in self._listings else ()

    def _is_served(self, name: str) -> bool:
        return name not in self.roster.unloaded


def _refused_fusion(fuse: Fuse) -> str:
    raise ConfigError(f"{fuse} cannot be named here; name the fusion's own adapter by its id.")
