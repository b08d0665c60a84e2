"""Adapters that exist for a language, by the backbone that they are for."""

import os
from collections.abc import Iterable, Sequence

from adaptkit.choosing.candidate import Existing
from adaptkit.format.catalogue import Catalogue
from adaptkit.format.listing import Listing


def existing_adapters(zoos: Sequence[str | os.PathLike[str]], language: str) -> Sequence[tuple[str, Existing]]:
    """The language adapters in zoos, each with the name of its backbone. No weights are read.

    Raises:
        SourceNotFound: There is no such folder or archive.
        MalformedArchive: A file that is not a zip or tar file.
        UnsafePath: An archive with a path that leaves it, or with links.
    """
    found = [each for zoo in zoos for each in Catalogue(zoo, Listing).search(language=language, kind="language")]
    return [(listing.backbone, _existing(listing)) for listing in found]


def of_backbone(names: Iterable[str | None], existing: Sequence[tuple[str, Existing]]) -> tuple[Existing, ...]:
    """Those for the backbone that has these names."""
    known = set(names)
    return tuple(adapter for backbone, adapter in existing if backbone in known)


def _existing(listing: Listing) -> Existing:
    score = listing.score
    return Existing(
        id=listing.id,
        path=str(listing.files.path),
        licence=listing.licence,
        test=None if score is None else score.task,
        gain=None if score is None else score.gain,
    )
