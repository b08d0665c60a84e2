"""Files of labelled data, as somebody hands them on. The first byte chooses the suffix."""

import gzip
from collections.abc import Callable
from random import Random

from adaptkit.labelled import read_labelled
from fuzz.mutation import changed_bytes
from fuzz.soundness import require
from fuzz.target import Target
from fuzz.watch import SCRATCH

_SUFFIXES = (".tsv", ".csv", ".jsonl", ".conll", ".json", ".tsv.gz", ".txt")
_FILES: dict[str, bytes] = {
    ".tsv": b"text\tlabel\nMbuzi anakula.\tgoats\nMvua.\train\n",
    ".csv": b'text,pair,label\n"a, b","c\nd",entailment\nx,y,neutral\n',
    ".jsonl": b'{"text": "a", "label": 1}\n{"text": "b", "label": 0}\n',
    ".conll": b"Mbuzi B-PER\nanakula O\n\nmajani O\n",
    ".json": b'{"data": [{"paragraphs": [{"context": "a b c", "qas": [{"id": "1", "question": "x", '
    b'"answers": [{"text": "b", "answer_start": 2}]}]}]}]}',
    ".tsv.gz": gzip.compress(b"text\tlabel\na\tx\nb\ty\n", mtime=0),
    ".txt": b"text\tpair\tscore\na\tb\t0.5\nc\td\t1\n",
}


def _seeds() -> list[bytes]:
    return [bytes([_SUFFIXES.index(suffix)]) + content for suffix, content in _FILES.items()]


def _changed(data: bytes, random: Random) -> bytes:
    if random.random() < 0.05:
        return bytes([random.randrange(256)]) + data[1:]
    return data[:1] + changed_bytes(data[1:], random)


def _read(data: bytes) -> Callable[[], None]:
    suffix = _SUFFIXES[(data[0] if data else 0) % len(_SUFFIXES)]
    found = read_labelled(SCRATCH / f"labelled{suffix}")
    return lambda: require(len(found.examples) > 0, "no example, and no error")


def _write(data: bytes) -> None:
    suffix = _SUFFIXES[(data[0] if data else 0) % len(_SUFFIXES)]
    (SCRATCH / f"labelled{suffix}").write_bytes(data[1:])


READ_LABELLED = Target(seeds=_seeds, mutate=_changed, prepare=_write, read=_read)
