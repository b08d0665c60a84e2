"""Folders of an index of sentences."""

import hashlib
import json
import shutil
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from adaptkit.search import KeptIndex, VectorOrigin, distinct_sentences, read_index_folder, write_index_folder
from adaptkit.search.index_folder import RECORD_FILE, SENTENCES_FILE, VECTORS_FILE
from fuzz.json_mutation import changed_json
from fuzz.mutation import changed_bytes
from fuzz.outcome import Unsound
from fuzz.parcel import pack, parcel_of, unpack
from fuzz.target import Target
from fuzz.targets.folders import FOLDER, lay_out_folder
from fuzz.watch import SCRATCH

_AGAIN = SCRATCH / "index-again"
_ORIGIN = VectorOrigin(
    backbone="tiny",
    fingerprint="0" * 12,
    held_as="float32",
    tokenizer_sha256="1" * 64,
    prefix="query: ",
    stack="language/sw",
    adapters={"language/sw": "2" * 64},
)


@cache
def _seeds() -> list[bytes]:
    """An index with text and one without."""
    sentences = distinct_sentences(["The goat sleeps.", "", "Rain\u2028falls.", "The goat sleeps."])
    vectors = np.eye(2, 4, dtype=np.float32)
    return [_packed(KeptIndex(each, vectors, _ORIGIN)) for each in (sentences, sentences.without_text())]


def _packed(index: KeptIndex) -> bytes:
    return pack(parcel_of(_written(index, SCRATCH / "index-seed")))


def _written(index: KeptIndex, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    write_index_folder(index, folder)
    return folder


def _changed(data: bytes, random: Random) -> bytes:
    parcel = unpack(data)
    for _ in range(random.choice((1, 1, 2))):
        name = random.choice([*parcel, RECORD_FILE])
        if name not in parcel or random.random() < 0.1:
            parcel[name] = (random.choice((b"l", b"p", b"d")), b"/etc/passwd")
            continue
        kind, content = parcel[name]
        how = changed_json if name == RECORD_FILE and random.random() < 0.8 else changed_bytes
        parcel[name] = (kind, how(content, random))
    if random.random() < 0.7:
        _hash_anew(parcel)
    return pack(parcel)


def _hash_anew(parcel: dict[str, tuple[bytes, bytes]]) -> None:
    """Let the record say of the other files what is so, that more than their hashes is looked at."""
    try:
        record: Any = json.loads(parcel[RECORD_FILE][1])
        for name in (VECTORS_FILE, SENTENCES_FILE):
            content = parcel[name][1]
            record["files"][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        parcel[RECORD_FILE] = (parcel[RECORD_FILE][0], json.dumps(record).encode())
    except (ValueError, TypeError, LookupError, AttributeError):
        return


def _read(_data: bytes) -> Callable[[], None]:
    return partial(_check, read_index_folder(FOLDER))


def _check(index: KeptIndex) -> None:
    """What was accepted is whole, and is the same when it is written and read again."""
    if index.vectors.shape[0] != len(index.sentences) or not np.isfinite(index.vectors).all():
        raise Unsound("vectors that are not one for each sentence, or not finite")
    again = read_index_folder(_written(index, _AGAIN))
    same = (again.sentences, again.origin) == (index.sentences, index.origin)
    if not same or not np.array_equal(again.vectors, index.vectors):
        raise Unsound("an index that is another one when it is read again")


SEARCH_INDEX = Target(seeds=_seeds, mutate=_changed, prepare=lay_out_folder, read=_read)
