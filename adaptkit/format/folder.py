"""Files of an adapter folder: each read once from one descriptor, each written whole or not at all."""

import difflib
import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from adaptkit.errors import CannotWrite, ConfigError, LimitExceeded, MalformedConfig, NotAnAdapter, UnsafePath
from adaptkit.format.exchange import exchange
from adaptkit.format.leftovers import NEW, OLD, beside, held, is_half_written, recover, recover_file
from adaptkit.format.litter import is_disposable, is_litter
from adaptkit.format.spec import INDEX_FILE, MAX_JSON_BYTES, SIGNATURE_FILE
from adaptkit.format.strict_json import parse_json
from adaptkit.terminal.asking import as_typed


class Files(Protocol):
    """The files of one adapter, on disk or in an archive. `path` names the place in messages."""

    @property
    def path(self) -> Path:
        """The place, for messages."""

    def names(self) -> list[str]:
        """The names of all that lies there, in order, without what systems and tools leave."""

    def size(self, name: str) -> int:
        """The size of a file in bytes."""

    def read(self, name: str, *, max_bytes: int) -> bytes:
        """The content of one file.

        Raises:
            AdapterFileError: It is missing, no regular file, or larger than `max_bytes`.
        """


@dataclass(frozen=True)
class Folder:
    """A folder on disk."""

    path: Path

    def names(self) -> list[str]:
        """The names of all that lies in it, in order, without what systems and tools leave."""
        if not self.path.is_dir():
            raise NotAnAdapter(self.path, "there is no such folder.")
        return sorted(entry.name for entry in self.path.iterdir() if not is_litter(entry.name))

    def size(self, name: str) -> int:
        """The size of a file in bytes, that of a link itself."""
        return (self.path / name).lstat().st_size

    def read(self, name: str, *, max_bytes: int) -> bytes:
        """As `read_file`."""
        return read_file(self.path, name, max_bytes=max_bytes)


def read_file(folder: Path, name: str, *, max_bytes: int) -> bytes:
    """The content of one file of the folder, from a single open: what was checked is what is read.

    Raises:
        NotAnAdapter: The folder or the file is missing, or is not a regular file.
        UnsafePath: The name leaves the folder, or the file or the folder is a symlink.
        LimitExceeded: The file is larger than `max_bytes`.
    """
    path = folder / name
    if name != Path(name).name or name in {"", ".", ".."}:
        raise UnsafePath(path, f"{name!r} is not the plain name of a file in this folder.")
    if folder.is_symlink():
        raise UnsafePath(folder, "the folder is a symlink; name the folder that it points to.")
    try:
        # O_NONBLOCK: a pipe planted under this name must not hang the reader.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, ValueError):  # ValueError: a name with a NUL byte
        raise NotAnAdapter(folder, _what_is_missing(folder, name)) from None
    except NotADirectoryError:
        raise NotAnAdapter(
            folder, "is a file; name the adapter's folder, or open a zip or tar file of adapters as a Zoo."
        ) from None
    except OSError as error:
        if path.is_symlink():
            raise UnsafePath(path, "is a symlink; adapter files must be regular files.") from error
        raise NotAnAdapter(path, f"cannot be opened ({error.strerror}).") from error
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        os.close(descriptor)
        raise NotAnAdapter(path, "is not a regular file.")
    with os.fdopen(descriptor, "rb") as file:
        if facts.st_size > max_bytes:
            raise LimitExceeded(path, f"is {facts.st_size:,} bytes; the reader's bound is {max_bytes:,}.")
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise LimitExceeded(path, f"grew above the reader's bound of {max_bytes:,} bytes while it was read.")
    return content


def _what_is_missing(folder: Path, name: str) -> str:
    if "\0" in str(folder):
        return "is not a path: it has a NUL character."
    if folder.exists():
        if any(match for pattern in (INDEX_FILE, f"*/{name}", f"*/*/{name}") for match in folder.glob(pattern)):
            return f"has no file {name}: it is a zoo. Name an adapter's folder in it, or open it as a Zoo."
        return f"has no file {name}; an adapter folder is written by adapter.save()."
    beside = [entry.name for entry in folder.parent.iterdir()] if folder.parent.is_dir() else []
    near = difflib.get_close_matches(folder.name, beside, n=2)
    hint = f"; did you mean {' or '.join(str(folder.with_name(name)) for name in near)}?" if near else "."
    return f"there is no such folder{hint}"


def read_json(files: Files, name: str, *, max_bytes: int = MAX_JSON_BYTES) -> dict[str, object]:
    """A JSON object from one of the files.

    Raises:
        MalformedConfig: No UTF-8, no JSON, no object, a repeated key, NaN, or nested too deep.
    """
    return parse_object(files.read(name, max_bytes=max_bytes), files.path / name)


def parse_object(content: bytes, path: Path) -> dict[str, object]:
    """A JSON object from the content of a file; `path` names it in messages.

    Raises:
        MalformedConfig: No UTF-8, no JSON, no object, a repeated key, NaN, or nested too deep.
    """
    try:
        parsed = parse_json(content)
    except ValueError as error:
        raise MalformedConfig(path, f"is not the JSON that it should be: {error}.") from error
    if not isinstance(parsed, dict):
        raise MalformedConfig(path, f"holds a {type(parsed).__name__}, expected a JSON object.")
    return parsed


def write_folder(
    folder: Path, files: Mapping[str, bytes], *, overwrite: bool = False, replaces: Collection[str] = ()
) -> None:
    """Write files as a folder of their own, so that a reader finds the old folder or the new one, never a mixture.

    `replaces` are names of files that an older folder may have besides, which go with it.

    Raises:
        ConfigError: Something is there already and `overwrite` is not set, or it holds files that are not ours.
        CannotWrite: As on a full disk; what was there is as it was.
    """
    recover(folder)
    check_replaceable(folder, {*files, *replaces}, overwrite=overwrite)
    try:
        with _folder_beside(folder) as partial:
            for name, content in {**_kept(folder), **files}.items():
                _write_synced(partial / name, content)
            partial.chmod(0o755)
            _sync_folder(partial)
            _put_in_place(partial, folder)
        _sync_folder(folder.parent)
    except OSError as error:
        raise CannotWrite(folder, error, needed=sum(map(len, files.values()))) from error


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A place to write a file at, from which it is moved to `path`: a reader finds the old file or the new one.

    What fails half-way leaves nothing behind.

    Raises:
        CannotWrite: As on a full disk.
    """
    recover_file(path)
    with _full_disk_told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=beside(path, NEW), dir=path.parent)
        os.close(descriptor)
        partial = Path(name)
        try:
            with held(partial):
                yield partial
                with partial.open("rb") as file:
                    os.fsync(file.fileno())
                partial.chmod(0o644)
                partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A folder to write into, which is moved to `folder` at the end; what fails half-way leaves nothing behind.

    Raises:
        ConfigError: Something is there already.
        CannotWrite: As on a full disk.
    """
    recover(folder)
    if folder.exists() or folder.is_symlink():
        raise ConfigError(f"{folder} exists already; nothing was written. Give another folder.")
    with _full_disk_told(folder):
        with _folder_beside(folder) as partial:
            yield partial
            for path in partial.iterdir():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
            partial.chmod(0o755)
            _sync_folder(partial)
            partial.rename(folder)
        _sync_folder(folder.parent)


@contextmanager
def whole_addition(folder: Path) -> Iterator[Path]:
    """A folder to write files into, which are in `folder` at the end, all at once; what fails half-way adds none.

    Raises:
        ConfigError: A file of that name is there already.
        CannotWrite: As on a full disk, or where the folder cannot be moved; what was there is as it was.
    """
    folder = folder.resolve()
    recover(folder)
    with _folder_beside(folder) as partial:
        yield partial
        for path in partial.iterdir():
            if (folder / path.name).exists():
                raise ConfigError(f"{folder / path.name} exists already; nothing was written.")
        try:
            for path in partial.iterdir():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
            # What is there already comes to what is new, and then the two folders change places.
            shutil.copytree(folder, partial, symlinks=True, copy_function=_linked, dirs_exist_ok=True)
            _sync_folder(partial)
            _put_in_place(partial, folder)
            _sync_folder(folder.parent)
        except OSError as error:
            raise CannotWrite(folder, error) from error


def _linked(source: str, copy: str) -> None:
    """The same file under another name, or a copy where the file system has no such thing."""
    try:
        os.link(source, copy)
    except OSError:
        shutil.copy2(source, copy)


@contextmanager
def _folder_beside(folder: Path) -> Iterator[Path]:
    """A folder that is gone afterwards, unless it was moved away; of one of a killed process, others see that."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=beside(folder, NEW), dir=folder.parent))
    try:
        with held(partial):
            yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO})


@contextmanager
def _full_disk_told(path: Path) -> Iterator[None]:
    """What the system says of a full disk, a limit or a broken disk, as an error of ours; all else passes."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM or isinstance(error, CannotWrite):
            raise
        raise CannotWrite(path, error) from error


def _put_in_place(partial: Path, folder: Path) -> None:
    if not folder.exists():
        partial.rename(folder)
        return
    if exchange(partial, folder):
        return
    # Killed between the two, it leaves both beside the place; `recover` finds them.
    old = partial.with_name(partial.name.replace(beside(folder, NEW), beside(folder, OLD), 1))
    folder.rename(old)
    try:
        partial.rename(folder)
    except BaseException:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def check_replaceable(folder: Path, names: Collection[str], *, overwrite: bool) -> None:
    """Refuse a place that files of these names must not be written to.

    Raises:
        ConfigError: Something is there already and `overwrite` is not set, or it holds files of other names.
    """
    if not folder.exists() and not folder.is_symlink():
        return
    if folder.is_symlink() or not folder.is_dir():
        raise ConfigError(f"{folder} exists and is not a folder; give another place.")
    # What a system or a kill left goes with the old files. What a tool keeps there (.git) is somebody's: it stays.
    present = {it.name for it in folder.iterdir() if not (is_disposable(it.name) or is_half_written(it))}
    # A signature goes with the files that it was made for.
    if foreign := sorted(present - {*names, SIGNATURE_FILE} - KEPT):
        raise ConfigError(
            f"{folder} holds files that are not an adapter's (first: {foreign[0]}); nothing was written. "
            "Give another folder."
        )
    if present and not overwrite:
        raise ConfigError(
            f"{folder} already holds an adapter; nothing was written. Give another folder, or "
            f"{as_typed(overwrite=True)}."
        )


KEPT = frozenset({".gitattributes", ".gitignore"})
"""Files of other tools that stay where a folder is written over."""


def _kept(folder: Path) -> dict[str, bytes]:
    there = [name for name in KEPT if (folder / name).is_file()]
    return {name: read_file(folder, name, max_bytes=MAX_JSON_BYTES) for name in there}


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
