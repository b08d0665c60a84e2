"""A file inside an installed package, found without importing the package, and checked before it is read."""

import hashlib
import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

from adaptkit.errors import BackboneUnavailable, CorruptBackbone
from adaptkit.version import install_command

_BYTES_AT_ONCE = 2**20


@dataclass(frozen=True)
class PackageFile:
    """One file of a distribution, by its name and SHA-256.

    `extra` is that of adaptkit which brings the distribution; one without is installed alone, without what it asks for.
    """

    distribution: str
    version: str
    name: str
    sha256: str
    extra: str = ""

    def path(self) -> Path:
        """Where it lies.

        Raises:
            BackboneUnavailable: The package is not installed.
            CorruptBackbone: It is installed without this file, or with another.
        """
        path = self._found()
        found = _sha256(path)
        if found != self.sha256:
            raise CorruptBackbone(
                f"{path.name} of package {self.distribution} has SHA-256 {found[:16]}…, expected {self.sha256[:16]}…. "
                f"Another version may be installed. Run: {self._install_again}"
            )
        return path

    def read(self) -> bytes:
        """Its content.

        Raises:
            BackboneUnavailable: The package is not installed.
            CorruptBackbone: It is installed without this file, or with another.
        """
        return self.path().read_bytes()

    def _found(self) -> Path:
        try:
            files = importlib.metadata.files(self.distribution) or []
        except importlib.metadata.PackageNotFoundError:
            raise BackboneUnavailable(
                f"the embedded backbone needs the package {self.distribution}, which is not installed. "
                f"Run: {self._install}. Or name another backbone: a hub id or a local folder."
            ) from None
        path = next((Path(str(file.locate())) for file in files if file.name == self.name), None)
        if path is None or not path.is_file():
            raise CorruptBackbone(
                f"the package {self.distribution} is installed without its file {self.name}. Run: {self._install_again}"
            )
        return path

    @property
    def _install(self) -> str:
        if self.extra:
            return install_command(self.extra)
        return f"pip install --no-deps {self.distribution}=={self.version}"

    @property
    def _install_again(self) -> str:
        # This package alone: with the extra, torch and all else would be fetched again too.
        return f"pip install --force-reinstall --no-deps {self.distribution}=={self.version}"


def _sha256(path: Path) -> str:
    hashed = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_BYTES_AT_ONCE):
            hashed.update(piece)
    return hashed.hexdigest()
