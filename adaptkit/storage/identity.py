"""Whether an adapter belongs to a backbone, as far as shape, tokenizer and sampled weights tell."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from adaptkit.backbones import Backbone
from adaptkit.errors import ArchitectureMismatch, BackboneMismatch, ProbeMismatch, TokenizerMismatch
from adaptkit.format.architectures import architecture_of
from adaptkit.format.fingerprint import Verdict
from adaptkit.format.probe import Probe
from adaptkit.format.record import Origin
from adaptkit.storage.adapter import Adapter


class Traced(Protocol):
    """An adapter, or a listing of one: whose it is, and the backbone that it is for."""

    @property
    def id(self) -> str:
        """`kind/name`."""
        ...

    @property
    def origin(self) -> Origin:
        """The backbone, as its record describes it."""
        ...


def origin_of(backbone: Backbone) -> Origin:
    """Describe a loaded backbone."""
    return Origin(
        name=backbone.name,
        release=backbone.release,
        text_prefix=backbone.text_prefix,
        shape=backbone.shape,
        tokenizer_sha256=backbone.tokenizer_hash,
        fingerprint=backbone.fingerprint,
    )


def compared(origin: Origin, backbone: Backbone) -> Verdict:
    """Whether a loaded backbone has the weights that an adapter was trained on, by their samples."""
    return origin.fingerprint.compare(backbone.fingerprint_as_of(origin.shape.vocabulary_size))


def check_identity(adapter: Traced, ours: Backbone) -> None:
    """Refuse an adapter that was trained on another backbone.

    Raises:
        ArchitectureMismatch: Other layers or widths.
        TokenizerMismatch: The tokenizer, or the text prefix, gives other ids.
        BackboneMismatch: Other weights.
    """
    origin = adapter.origin
    n_rows = origin.shape.vocabulary_size
    # A table that is filled up with rows no text asks for is the same table.
    shape = replace(ours.shape, vocabulary_size=n_rows) if n_rows >= ours.n_ids else ours.shape
    if origin.shape != shape:
        if origin.shape.model_type != shape.model_type:
            raise ArchitectureMismatch(_other_family(adapter, ours))
        theirs, own = vars(origin.shape), vars(shape)
        unlike = [name for name in {**theirs, **own} if theirs.get(name) != own.get(name)]
        found = ", ".join(f"{name} {theirs.get(name)} (here {own.get(name)})" for name in unlike)
        raise ArchitectureMismatch(
            f"{adapter.id} was trained on {origin.name} with {found}: this backbone, {ours.name}, is another one. "
            f"Load {origin.name} as it was published."
        )
    if origin.tokenizer_sha256 != ours.tokenizer_hash:
        raise TokenizerMismatch(
            f"{adapter.id} was trained with a tokenizer of hash {origin.tokenizer_sha256[:12]}, but the tokenizer "
            f"of {ours.name} has {ours.tokenizer_hash[:12]}: the same text gives other ids. Load the tokenizer of "
            f"{origin.name}."
        )
    if origin.text_prefix != ours.text_prefix:
        raise TokenizerMismatch(
            f"{adapter.id} was trained with {origin.text_prefix!r} before every text, but {ours.name} puts "
            f"{ours.text_prefix!r} there: the same text gives other ids. Load {origin.name} as published, or a "
            "folder written by `adaptkit backbone export`."
        )
    own_fingerprint = ours.fingerprint_as_of(n_rows)
    if origin.fingerprint.compare(own_fingerprint) == "different":
        differing = origin.fingerprint.differing(own_fingerprint)
        raise BackboneMismatch(
            f"{adapter.id} was trained on {origin.name} (fingerprint {origin.fingerprint.id}), but this backbone, "
            f"{ours.name}, is {ours.fingerprint.id}: {len(differing)} of {len(origin.fingerprint.samples)} tensors "
            f"differ (first: {differing[0] if differing else 'names'}). Load {origin.name} as it was published, "
            "without merged adapters or further training."
        )


def _other_family(adapter: Traced, ours: Backbone) -> str:
    name, theirs = adapter.origin.name, adapter.origin.shape.model_type
    return (
        f"{adapter.id} was trained on {name}, {_kind_of(theirs)} ({theirs}), and this backbone, {ours.name}, is "
        f"{_kind_of(ours.shape.model_type)} ({ours.shape.model_type}): its layers have no place here. Load {name} for "
        f"it, or train an adapter on {ours.name}."
    )


def _kind_of(model_type: str) -> str:
    """What a family of networks is, in words."""
    row = architecture_of(model_type)
    if row.decoder is not None:
        return "an encoder-decoder"
    return "a decoder" if row.causal else "an encoder"


def readable_probes(adapter: Adapter, ours: Backbone) -> tuple[Probe, ...]:
    """The probes of an adapter that read what this backbone has rows for, as those that they were recorded with.

    Raises:
        ProbeMismatch: None does.
    """
    same_rows = adapter.origin.shape.vocabulary_size == ours.shape.vocabulary_size
    if same_rows:
        return adapter.probes
    kept = set(range(ours.n_ids) if ours.vocabulary is None else ours.vocabulary.ids.tolist())
    theirs = adapter.origin.shape.vocabulary_size
    found = tuple(
        replace(probe, ids=_renumbered(probe.ids, theirs, ours.shape.vocabulary_size))
        for probe in adapter.probes
        if kept.issuperset(token for token in probe.ids if token < theirs)
    )
    if adapter.probes and not found:
        raise ProbeMismatch(
            f"{adapter.id} was trained where the embeddings have {adapter.origin.shape.vocabulary_size:,} rows, and "
            f"{ours.name}, held with {ours.held_as}, lacks rows that its recorded inputs need, so that its outputs "
            "cannot be checked. Load the backbone without vocabulary=..., or as it was published."
        )
    return found


def _renumbered(ids: Sequence[int], theirs: int, ours: int) -> tuple[int, ...]:
    """Ids of an adapter's own pieces are counted from the end of the vocabulary on, which lies elsewhere here."""
    return tuple(token if token < theirs else token - theirs + ours for token in ids)
