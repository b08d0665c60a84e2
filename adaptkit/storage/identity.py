"""Whether an adapter belongs to a backbone, as far as shape, tokenizer and sampled weights tell."""

from adaptkit.backbones import Backbone
from adaptkit.errors import ArchitectureMismatch, BackboneMismatch, TokenizerMismatch
from adaptkit.storage.adapter import Adapter


def check_identity(adapter: Adapter, ours: Backbone) -> None:
    """Refuse an adapter that was trained on another backbone.

    Raises:
        ArchitectureMismatch: Other layers or widths.
        TokenizerMismatch: The tokenizer, or the text prefix, gives other ids.
        BackboneMismatch: Other weights.
    """
    origin = adapter.origin
    if origin.shape != ours.shape:
        theirs, own = vars(origin.shape), vars(ours.shape)
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
    if origin.fingerprint.compare(ours.fingerprint) == "different":
        differing = origin.fingerprint.differing(ours.fingerprint)
        raise BackboneMismatch(
            f"{adapter.id} was trained on {origin.name} (fingerprint {origin.fingerprint.id}), but this backbone, "
            f"{ours.name}, is {ours.fingerprint.id}: {len(differing)} of {len(origin.fingerprint.samples)} tensors "
            f"differ (first: {differing[0] if differing else 'names'}). Load {origin.name} as it was published, "
            "without merged adapters or further training."
        )
