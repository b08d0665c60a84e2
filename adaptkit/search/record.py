"""What an index says of itself: of which corpus it is, and what its vectors were made by."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from adaptkit.errors import OtherVectors
from adaptkit.format.hashes import FileEntry

INDEX_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class VectorOrigin:
    """All that decides the vector of a text.

    `fingerprint` is the id of the backbone's sampled weights, `held_as` in what precision they are held. `stack` has
    whole ids, and is empty under no adapter; `adapters` are the hashes of all that acts in it, by id.
    """

    backbone: str
    fingerprint: str
    held_as: str
    tokenizer_sha256: str
    prefix: str
    stack: str
    adapters: Mapping[str, str]

    def require(self, now: "VectorOrigin") -> None:
        """Let vectors made now be comparable with those of an index that were made by this.

        Raises:
            OtherVectors: It says what differs first, and what to do.
        """
        for what, ours, theirs, advice in self._compared(now):
            if ours != theirs:
                raise OtherVectors(f"the index was made with {what} {ours}, and here it is {theirs}. {advice}")

    def _compared(self, now: "VectorOrigin") -> Iterator[tuple[str, str, str, str]]:
        ours, theirs = (f"{one.backbone} (fingerprint {one.fingerprint})" for one in (self, now))
        load = f"Load {self.backbone} as it was then, or make the index anew."
        if self.fingerprint != now.fingerprint:
            yield "the backbone", ours, theirs, load
        yield "weights held as", self.held_as, now.held_as, load
        yield "a tokenizer of hash", self.tokenizer_sha256[:12], now.tokenizer_sha256[:12], load
        yield "the prefix", repr(self.prefix), repr(now.prefix), load
        anew = "Attach the adapters of then, or make the index anew."
        yield "the stack", self.stack or "(none)", now.stack or "(none)", anew
        for name in sorted(self.adapters.keys() | now.adapters.keys()):
            yield f"{name} of hash", self.adapters.get(name, "none")[:12], now.adapters.get(name, "none")[:12], anew


@dataclass(frozen=True, kw_only=True)
class IndexRecord:
    """`search_index.json`.

    `corpus` is what was indexed, in words; `n_given` texts, of which `n_sentences` are different ones, each with a
    vector of `width` numbers. `files` are the others of the folder, with size and hash.
    """

    format_version: int
    corpus: str
    corpus_sha256: str
    n_given: int
    n_sentences: int
    width: int
    holds_text: bool
    origin: VectorOrigin
    files: Mapping[str, FileEntry]
