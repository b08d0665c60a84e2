"""Proofs that an earlier process of this user has made, so that a server's next start need not make them again.

A line is kept for each adapter that gave on a backbone what it had recorded: a hash of all that the proof was about,
what the backbone alone gave for its probe inputs, and a seal. The seal is made with a key that only this user can read,
so whoever can write the file but not read the key can add nothing to it. A line that does not hold is as good as none:
the adapter is tried again. `ADAPTKIT_KEEP_PROOFS=0` in the environment keeps none and believes none.
"""

import hashlib
import hmac
import json
import logging
import os
import secrets
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from adaptkit.backbones.kept_folder import cache_folder

_log = logging.getLogger(__name__)
SWITCH = "ADAPTKIT_KEEP_PROOFS"
_KEY_BYTES = 32
_MAX_BYTES = 8 * 2**20
_TOLERANCE = 1e-3
"""By which the outputs of the backbone alone may differ, as a share of a vector's length: threads and processors sum in
other orders. A change of weights that the fingerprint does not sample shows here as it would in an adapter's probes."""


Vectors = Sequence[Sequence[float]]
"""Components of a backbone's own vectors, as probes hold them, a row for each probe input."""


class KeptProofs:
    """The lines of a folder, read once. Where the folder cannot be written, nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder or Path()
        self._key = b"" if folder is None else _key_in(folder)
        self._lines = self._read() if self._key else {}

    @classmethod
    def of_the_user(cls) -> "KeptProofs":
        """Those in the cache folder of this user; none where there is no such folder, or nothing is to be kept."""
        if os.environ.get(SWITCH) == "0":
            return cls(None)
        try:
            return cls(cache_folder() / "proofs")
        except RuntimeError as error:  # of somebody without a home
            _log.debug("proofs are not kept: %s", error)
            return cls(None)

    @property
    def keeps(self) -> bool:
        """Whether anything can be kept."""
        return bool(self._key)

    def has(self, statement: str) -> bool:
        """Whether something is kept of what a statement says, for whichever backbone."""
        return _hash(statement) in self._lines

    def holds(self, statement: str, bare: Vectors) -> bool:
        """Whether what a statement says was proven before, on a backbone that alone gives these vectors."""
        kept = self._lines.get(_hash(statement))
        return kept is not None and _near(kept, bare)

    def keep(self, statements: Sequence[str], bare: Vectors) -> None:
        """Keep what was proven now."""
        if not self.keeps:
            return
        lines = "".join(self._line(statement, bare) for statement in statements)
        path = self._folder / "proofs"
        try:
            is_full = path.exists() and path.stat().st_size + len(lines) > _MAX_BYTES
            flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if is_full else os.O_APPEND) | getattr(os, "O_NOFOLLOW", 0)
            with os.fdopen(os.open(path, flags, 0o600), "w", encoding="ascii") as file:
                file.write(lines)
        except OSError as error:
            _log.debug("proofs are not kept: %s", error)

    def _read(self) -> dict[str, list[list[float]]]:
        """Vectors by hash, of the lines whose seal is right."""
        try:
            with (self._folder / "proofs").open("rb") as file:
                content = file.read(_MAX_BYTES)
        except OSError:
            return {}
        found = {}
        for line in content.decode("ascii", errors="replace").splitlines():
            seal, _, sealed = line.partition(" ")
            if hmac.compare_digest(seal.encode(), self._seal(sealed).encode()):
                name, vectors = json.loads(sealed)
                found[name] = vectors
        return found

    def _line(self, statement: str, bare: Vectors) -> str:
        sealed = json.dumps([_hash(statement), [[float(f"{value:.6g}") for value in row] for row in bare]])
        return f"{self._seal(sealed)} {sealed}\n"

    def _seal(self, sealed: str) -> str:
        return hmac.new(self._key, sealed.encode(), hashlib.sha256).hexdigest()


def _key_in(folder: Path) -> bytes:
    """This user's key, made where there is none; empty where others could read or have written it."""
    path = folder / "key"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_bytes(_KEY_BYTES))
        except FileExistsError:
            pass
        with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
            found, key = os.fstat(file.fileno()), file.read(_KEY_BYTES + 1)
    except OSError as error:
        _log.debug("proofs are not kept: %s", error)
        return b""
    is_ours = not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o077)
    return key if is_ours and len(key) == _KEY_BYTES else b""


def _hash(statement: str) -> str:
    return hashlib.sha256(statement.encode()).hexdigest()


def _near(kept: Vectors, here: Vectors) -> bool:
    if [len(row) for row in kept] != [len(row) for row in here]:
        return False
    return all(
        sum((one - other) ** 2 for one, other in zip(a, b, strict=True)) <= _TOLERANCE**2 * sum(x * x for x in b)
        for a, b in zip(kept, here, strict=True)
    )


@cache
def code_stamp(modules: frozenset[str] = frozenset()) -> str:
    """A hash that changes when a file of adaptkit, or of these modules, is written: what it proved is proved again."""
    ours = Path(__file__).parents[1].rglob("*.py")
    others = (Path(file) for name in modules if (file := getattr(sys.modules.get(name), "__file__", None)))
    stamps = sorted((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in (*ours, *others))
    return _hash(repr(stamps))
