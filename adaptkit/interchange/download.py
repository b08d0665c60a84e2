"""One file from a hub: bounded, resumed where it was interrupted, and compared with what was announced.

huggingface_hub's own download keeps nothing of an attempt that failed, and takes more bytes than were announced.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

from httpx2 import TransportError
from huggingface_hub import constants, get_session
from huggingface_hub.utils import hf_raise_for_status, tqdm  # type: ignore[attr-defined]  # public, but not marked so
from huggingface_hub.utils.sha import git_hash, sha_fileobj

from adaptkit.errors import HubError, UnsafePath

_SILENT_ATTEMPTS = 5
"""How often the hub is asked again without a single byte between."""
_PAUSE_S = 1.0
_SHOWN_BYTES = 2**20
"""From this size on there is a bar."""
_SHA256_DIGITS = 64


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file as the hub announces it. `digest` is the SHA-256 of its bytes, or their SHA-1 as git takes it."""

    name: str
    size: int
    digest: str


def download(url: str, file: RemoteFile, folder: Path, headers: Mapping[str, str]) -> None:
    """Bring a file into a folder; what an earlier attempt left there is its beginning.

    A redirect to another host is followed, as hubs keep large files elsewhere; that host is not sent the token.

    Raises:
        UnsafePath: A symlink lies there.
        HubError: More, fewer or other bytes than announced; none of them are kept.
        httpx2.HTTPError: The hub refuses or has gone; what has arrived is kept.
    """
    path = folder / file.name
    if path.is_symlink():
        raise UnsafePath(path, "is a symlink, where a file from the hub is to be.")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    try:
        with os.fdopen(descriptor, "r+b") as place:
            if place.seek(0, os.SEEK_END) > file.size:
                _empty(place)
            _receive_all(url, file, place, headers)
            if _digest(place, file) != file.digest:
                raise _differs(file, "other bytes")
    except HubError:
        path.unlink(missing_ok=True)
        raise


def _receive_all(url: str, file: RemoteFile, place: BinaryIO, headers: Mapping[str, str]) -> None:
    silent = 0
    while (have := place.tell()) < file.size:
        try:
            _receive(url, file, place, headers)
        except TransportError:
            silent = 0 if place.tell() > have else silent + 1
            if silent > _SILENT_ATTEMPTS:
                raise
            time.sleep(_PAUSE_S)
        else:
            if place.tell() < file.size:
                raise _differs(file, "fewer bytes")


def _receive(url: str, file: RemoteFile, place: BinaryIO, headers: Mapping[str, str]) -> None:
    start = place.tell()
    # Compressed, the rest of a file could not be asked for.
    wanted = {**headers, "Accept-Encoding": "identity", "Range": f"bytes={start}-"}
    with get_session().stream("GET", url, headers=wanted, timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT) as response:
        hf_raise_for_status(response)
        if response.status_code != HTTPStatus.PARTIAL_CONTENT:
            start = _empty(place)
        shown = {"unit": "B", "unit_scale": True, "desc": file.name, "disable": file.size < _SHOWN_BYTES}
        with tqdm(total=file.size, initial=start, **shown) as bar:  # type: ignore[no-untyped-call]
            for chunk in response.iter_bytes():
                if place.tell() + len(chunk) > file.size:
                    raise _differs(file, "more bytes")
                place.write(chunk)
                bar.update(len(chunk))


def _empty(place: BinaryIO) -> int:
    place.seek(0)
    return place.truncate()


def _differs(file: RemoteFile, found: str) -> HubError:
    return HubError(
        f"the hub announced {file.size:,} bytes of {file.name} and sends {found}; they were thrown away. Try again. "
        "If it stays so, the hub is broken or dishonest."
    )


def _digest(place: BinaryIO, file: RemoteFile) -> str:
    place.seek(0)
    return sha_fileobj(place).hex() if len(file.digest) == _SHA256_DIGITS else git_hash(place.read())
