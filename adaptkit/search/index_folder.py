"""The folder of an index: a record, vectors as safetensors, and a JSON line for each sentence. All of it is checked."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from adaptkit.errors import MalformedConfig, SourceNotFound, UnknownVersion, WeightsChanged
from adaptkit.format.folder import Folder, read_json, whole_folder
from adaptkit.format.hashes import FileEntry
from adaptkit.format.strict_json import parse_json
from adaptkit.format.tensor_file import check_tensors
from adaptkit.format.typed_json import MistypedJson, decode, encode
from adaptkit.search.record import INDEX_VERSION, IndexRecord, VectorOrigin
from adaptkit.search.sentences import Sentences

RECORD_FILE = "search_index.json"
VECTORS_FILE = "vectors.safetensors"
SENTENCES_FILE = "sentences.jsonl"
MAX_BYTES = 16 * 2**30
"""Of each of the two large files."""
_TENSOR = "vectors"
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class KeptIndex:
    """An index as it lies in a folder. Shape: vectors (len(sentences), width), of length 1."""

    sentences: Sentences
    vectors: Vectors
    origin: VectorOrigin


def write_index_folder(index: KeptIndex, folder: Path) -> None:
    """Write an index, whole or not at all.

    Raises:
        ConfigError: Something is there already.
        CannotWrite: As on a full disk.
    """
    contents = {
        VECTORS_FILE: save({_TENSOR: np.ascontiguousarray(index.vectors)}),
        SENTENCES_FILE: "".join(_lines(index.sentences)).encode(),
    }
    sentences = index.sentences
    record = IndexRecord(
        format_version=INDEX_VERSION,
        corpus=sentences.description,
        corpus_sha256=sentences.sha256,
        n_given=sentences.n_given,
        n_sentences=len(sentences),
        width=index.vectors.shape[1],
        holds_text=sentences.texts is not None,
        origin=index.origin,
        files={name: _entry(content) for name, content in contents.items()},
    )
    contents[RECORD_FILE] = (json.dumps(encode(record), indent=1, ensure_ascii=False) + "\n").encode()
    with whole_folder(folder) as partial:
        for name, content in contents.items():
            (partial / name).write_bytes(content)


def read_index_folder(folder: Path) -> KeptIndex:
    """Read an index, every claim checked.

    Raises:
        SourceNotFound: There is none.
        AdapterFileError: What is wrong with its files.
    """
    files, record = Folder(folder), read_index_record(folder)
    rows, texts = _sentences(_content(files, SENTENCES_FILE, record), record, folder / SENTENCES_FILE)
    content = _content(files, VECTORS_FILE, record)
    check_tensors(content, {_TENSOR: (record.n_sentences, record.width)}, folder / VECTORS_FILE)
    vectors = load(content)[_TENSOR]
    if vectors.dtype != np.float32:
        raise MalformedConfig(folder / VECTORS_FILE, f"holds numbers of {vectors.dtype}, expected float32.")
    sentences = Sentences(record.corpus, rows, texts, record.n_given, record.corpus_sha256)
    return KeptIndex(sentences, vectors, record.origin)


def read_index_record(folder: Path) -> IndexRecord:
    """What an index says of itself; its large files are not read.

    Raises:
        SourceNotFound: There is none.
        AdapterFileError: What is wrong with the record.
    """
    path = folder / RECORD_FILE
    if not path.is_file():
        raise SourceNotFound(
            f"{folder} is not a search index: it has no {RECORD_FILE}. One is written by "
            "model.search_index(...).save(folder), or adaptkit search --index FOLDER."
        )
    return _record(read_json(Folder(folder), RECORD_FILE), path)


def _record(content: dict[str, object], path: Path) -> IndexRecord:
    version = content.get("format_version")
    if type(version) is not int or version != INDEX_VERSION:
        raise UnknownVersion(path, f"has format version {version!r:.40}; this adaptkit reads {INDEX_VERSION}.")
    try:
        record = decode(IndexRecord, content)
    except MistypedJson as error:
        raise MalformedConfig(path, str(error)) from error
    if record.files.keys() != {VECTORS_FILE, SENTENCES_FILE}:
        raise MalformedConfig(path, f"names the files {', '.join(record.files)}, not {VECTORS_FILE}, {SENTENCES_FILE}.")
    if not 0 < record.n_sentences <= record.n_given or record.width < 1:
        raise MalformedConfig(path, f"counts {record.n_sentences} sentences of {record.n_given}, {record.width} wide.")
    return record


def _content(files: Folder, name: str, record: IndexRecord) -> bytes:
    content = files.read(name, max_bytes=MAX_BYTES)
    if _entry(content) != record.files[name]:
        raise WeightsChanged(
            files.path / name, f"is not the file that {RECORD_FILE} was written for. Make the index anew."
        )
    return content


def _entry(content: bytes) -> FileEntry:
    return FileEntry(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def _lines(sentences: Sentences) -> Iterator[str]:
    for number, row in enumerate(sentences.rows):
        text = {} if sentences.texts is None else {"text": sentences.texts[number]}
        yield json.dumps({"row": row, **text}, ensure_ascii=False) + "\n"


def _sentences(content: bytes, record: IndexRecord, path: Path) -> tuple[tuple[int, ...], tuple[str, ...] | None]:
    fields = {"row", "text"} if record.holds_text else {"row"}
    rows: list[int] = []
    texts: list[str] = []
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        found = _parsed(line, number, path)
        row, text = found.get("row"), found.get("text", "")
        if found.keys() != fields or type(row) is not int or not isinstance(text, str):
            raise MalformedConfig(path, f"line {number} is not an object of {', '.join(sorted(fields))}.")
        if row < 0 or (rows and row <= rows[-1]):
            raise MalformedConfig(path, f"line {number} has the row {row}, which is out of order.")
        rows.append(row)
        texts.append(text)
    if len(rows) != record.n_sentences:
        raise MalformedConfig(path, f"has {len(rows):,} lines, expected {record.n_sentences:,}.")
    return tuple(rows), tuple(texts) if record.holds_text else None


def _parsed(line: bytes, number: int, path: Path) -> dict[str, object]:
    try:
        found = parse_json(line)
    except ValueError as error:
        raise MalformedConfig(path, f"line {number} is not the JSON that it should be: {error}.") from error
    return found if isinstance(found, dict) else {}
