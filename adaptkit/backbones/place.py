"""Where a backbone that was named lies: the embedded ones, files of PyPI packages, have names of their own."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from adaptkit.backbones import embedded, smollm2
from adaptkit.errors import BackboneUnavailable


@dataclass(frozen=True)
class EmbeddedBackbone:
    """A backbone from PyPI packages: what writes it to a folder, and what gives that folder in the cache."""

    name: str
    release: str
    export: Callable[[Path], None]
    materialise: Callable[[], Path]


DEFAULT = "embedded/multilingual-e5-small"
EMBEDDED: Mapping[str, EmbeddedBackbone] = {
    DEFAULT: EmbeddedBackbone(embedded.NAME, embedded.RELEASE, embedded.export, embedded.materialise),
    "embedded/smollm2-135m": EmbeddedBackbone(smollm2.NAME, smollm2.RELEASE, smollm2.export, smollm2.materialise),
}
"""By the name that is asked for."""


def place_of(name_or_path: str | os.PathLike[str] | None) -> str:
    """The folder, file or hub id of a backbone; None is the embedded multilingual-e5-small.

    Raises:
        BackboneUnavailable: An embedded one that there is not, or whose package is not installed.
        CorruptBackbone: The package's file is not the expected one.
    """
    name = DEFAULT if name_or_path is None else os.fspath(name_or_path)
    if name not in EMBEDDED and (Path(name).exists() or not name.startswith("embedded/")):
        return name
    return str(embedded_backbone(name).materialise())


def embedded_backbone(name: str | None) -> EmbeddedBackbone:
    """An embedded backbone by its name; None is multilingual-e5-small.

    Raises:
        BackboneUnavailable: There is none of that name.
    """
    found = EMBEDDED.get(DEFAULT if name is None else name)
    if found is None:
        raise BackboneUnavailable(f"no embedded backbone is called {name!r}; there are {', '.join(EMBEDDED)}.")
    return found
