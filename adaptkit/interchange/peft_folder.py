"""A folder that peft saved: its config, and its tensors by the linear layer at which they act."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from adaptkit.config import LINEAR_SITES, SiteShape
from adaptkit.errors import MalformedConfig
from adaptkit.format import spec
from adaptkit.format.folder import read_file
from adaptkit.format.shapes import SiteAddress
from adaptkit.format.tensor_file import parse_header
from adaptkit.interchange.peft_tensors import Part, PeftTensors
from adaptkit.storage.tensors import parse_tensors


@dataclass(frozen=True)
class PeftFolder:
    """What is known of a folder before a tensor is read. `sites` are the linear layers in the backbone's blocks."""

    path: Path
    config: Mapping[str, object]
    sites: Mapping[SiteAddress, SiteShape]
    content: bytes
    header: Mapping[str, object]
    named: PeftTensors

    @classmethod
    def read(cls, path: Path, config: Mapping[str, object], sites: Mapping[SiteAddress, SiteShape]) -> "PeftFolder":
        """Sort the tensors of a folder with this config, for a backbone with these sites.

        Raises:
            AdapterFileError: A file that is not sound, or not for this backbone.
            NotConvertible: A tensor that is no layer which is read.
        """
        linear = {address: place for address, place in sites.items() if address.site in LINEAR_SITES}
        content = read_file(path, spec.WEIGHTS_FILE, max_bytes=spec.MAX_WEIGHTS_BYTES)
        header = parse_header(content, path / spec.WEIGHTS_FILE)
        named = PeftTensors.of(header, [place.module for place in linear.values()], path / spec.WEIGHTS_FILE)
        return cls(path, config, linear, content, header, named)

    @property
    def config_file(self) -> Path:
        """The config, for messages."""
        return self.path / spec.CONFIG_FILE

    @property
    def weights_file(self) -> Path:
        """The weights, for messages."""
        return self.path / spec.WEIGHTS_FILE

    def claimed_shape(self, name: str) -> tuple[int, ...]:
        """The shape that the file says a tensor has, as far as it is one; the check of the file sees to the rest."""
        entry = self.header[name]
        shape = entry.get("shape") if isinstance(entry, dict) else None
        return tuple(shape) if isinstance(shape, list) and all(type(size) is int for size in shape) else ()

    def require(self, parts: Iterable[Part], *, of: str) -> None:
        """See that there are these tensors, and no others, wherever there are any.

        Raises:
            MalformedConfig: There are not.
        """
        wanted = set(parts)
        for module, found in self.named.layers.items():
            if found.keys() != wanted:
                raise MalformedConfig(
                    self.weights_file, f"has at {module} {_listed(found)}; a {of} has {_listed(wanted)} there."
                )

    def tensors(self, expected: Mapping[str, tuple[int, ...]]) -> Mapping[str, Tensor]:
        """The tensors of the layers, which have these shapes; those of a head are checked with them, and not needed.

        Raises:
            AdapterFileError: Another shape, a type that is not read, numbers that are not finite.
        """
        outside = {name: self.claimed_shape(name) for name in self.named.outside}
        return parse_tensors(self.content, {**outside, **expected}, self.weights_file)


def _listed(parts: Iterable[str]) -> str:
    return " and ".join(sorted(parts))
