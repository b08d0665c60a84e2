"""Folders of format version 8 (pieces of text with rows of their own) that lie."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from adaptkit.config import MAX_PIECES
from adaptkit.errors import (
    AdapterFileError,
    ConfigError,
    LimitExceeded,
    MalformedConfig,
    NonFiniteTensor,
    PiecesChanged,
    ProbeMismatch,
    TensorSetMismatch,
    TensorShapeMismatch,
    UnknownVersion,
)
from adaptkit.format.config_file import from_json
from adaptkit.format.spec import CONFIG_FILE, MAX_JSON_BYTES, READABLE_VERSIONS, RECORD_FILE
from adaptkit.methods import PiecesConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter, load_adapter
from tests.adapters import random_adapter
from tests.hostile import REMOVED, get, put, put_tensors, tensors_of
from tests.pieces import OWN_PIECES, PIECES
from tests.tiny import unigram_model

ROWS = "adaptkit.embeddings.word_embeddings.rows"
N = len(PIECES)


@pytest.fixture
def model() -> AdaptedModel:
    return unigram_model()


@pytest.fixture
def dz(model: AdaptedModel) -> Adapter:
    return random_adapter(model, OWN_PIECES, name="dz")


@pytest.fixture
def folder(dz: Adapter, tmp_path: Path) -> Path:
    return dz.save(tmp_path / "dz")


def put_pieces(folder: Path, pieces: list[Any], scores: list[Any]) -> None:
    """With the hash of them in the record, where they have one, as somebody would who tampers with both."""
    put(folder, CONFIG_FILE, "pieces", {"pieces": pieces, "scores": scores})
    try:
        made = PiecesConfig(pieces=tuple(pieces), scores=tuple(scores))
    except (ConfigError, TypeError):
        return
    put(folder, RECORD_FILE, "pieces_sha256", made.sha256)


def test_it_is_sound_before_it_is_spoiled(folder: Path, dz: Adapter, model: AdaptedModel) -> None:
    found = load_adapter(folder)
    assert found.config == dz.config
    model.attach(found)


LIES: dict[str, tuple[list[Any], list[Any]]] = {
    "none": ([], []),
    "too many": ([f"ⴰ{number}" for number in range(MAX_PIECES + 1)], [-1.0] * (MAX_PIECES + 1)),
    "one twice": (["ⴰ"] * N, [-1.0] * N),
    "fewer scores": ([*PIECES.pieces], [-1.0] * (N - 1)),
    "an empty one": (["", *PIECES.pieces[1:]], [-1.0] * N),
    "a long one": (["ⴰ" * 65, *PIECES.pieces[1:]], [-1.0] * N),
    "a control": (["ⴰ\x1b[2J", *PIECES.pieces[1:]], [-1.0] * N),
    "an end of a line": (["ⴰ\n", *PIECES.pieces[1:]], [-1.0] * N),
    "a separator": (["ⴰ\u2028", *PIECES.pieces[1:]], [-1.0] * N),
    "a bidirectional override": (["\u202eⴰ", *PIECES.pieces[1:]], [-1.0] * N),
    "a space": (["ⴰ ⴰ", *PIECES.pieces[1:]], [-1.0] * N),
    "a number": ([1, *PIECES.pieces[1:]], [-1.0] * N),
    "a score above 0": ([*PIECES.pieces], [1.0] * N),
    "a score far below": ([*PIECES.pieces], [-1e300] * N),
    "a score that is a text": ([*PIECES.pieces], ["-1"] * N),
    "a score that is not a number": ([*PIECES.pieces], [None] * N),
}


@pytest.mark.parametrize("lie", LIES)
def test_pieces_that_are_none(folder: Path, lie: str) -> None:
    put_pieces(folder, *LIES[lie])
    with pytest.raises(MalformedConfig):
        load_adapter(folder)


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "-1e999"])
def test_scores_that_are_no_numbers(folder: Path, number: str) -> None:
    file = folder / CONFIG_FILE
    file.write_text(file.read_text(encoding="utf-8").replace("-2.0", number, 1), encoding="utf-8")
    with pytest.raises(MalformedConfig):
        load_adapter(folder)


@pytest.mark.parametrize("n", [1, N - 1, N + 1, MAX_PIECES])
def test_other_rows_than_pieces(folder: Path, n: int) -> None:
    pieces = [*PIECES.pieces, *(f"ⴰ{number}" for number in range(MAX_PIECES))][:n]
    put_pieces(folder, pieces, [-1.0] * n)
    # The probe may read beyond what is there; the rows may not be as many.
    with pytest.raises((TensorShapeMismatch, LimitExceeded)):
        load_adapter(folder)


def test_other_pieces_than_the_recorded_ones(folder: Path) -> None:
    put(folder, CONFIG_FILE, "pieces.pieces", [*PIECES.pieces[1:], PIECES.pieces[0]])
    with pytest.raises(PiecesChanged, match="pieces or scores were changed"):
        load_adapter(folder)
    put(folder, CONFIG_FILE, "pieces.pieces", list(PIECES.pieces))
    put(folder, CONFIG_FILE, "pieces.scores.0", -2.25)
    with pytest.raises(PiecesChanged):
        load_adapter(folder)


FIELDS: dict[str, tuple[type[AdapterFileError], str, str, Any]] = {
    "no hash": (MalformedConfig, RECORD_FILE, "pieces_sha256", REMOVED),
    "an empty hash": (AdapterFileError, RECORD_FILE, "pieces_sha256", ""),
    "no scores": (MalformedConfig, CONFIG_FILE, "pieces.scores", REMOVED),
    "a field more": (MalformedConfig, CONFIG_FILE, "pieces.rows", 3),
    "no pieces but the version": (MalformedConfig, CONFIG_FILE, "pieces", REMOVED),
    "pieces that are null": (MalformedConfig, CONFIG_FILE, "pieces", None),
    "no head beside them": (MalformedConfig, CONFIG_FILE, "head", REMOVED),
    "an older version": (MalformedConfig, RECORD_FILE, "format_version", 7),
    "a newer version": (MalformedConfig, RECORD_FILE, "format_version", max(READABLE_VERSIONS)),
    "the next version": (UnknownVersion, RECORD_FILE, "format_version", max(READABLE_VERSIONS) + 1),
}


@pytest.mark.parametrize(("error", "file", "field", "value"), FIELDS.values(), ids=FIELDS)
def test_fields_that_lie(folder: Path, error: type[AdapterFileError], file: str, field: str, value: object) -> None:
    put(folder, file, field, value)
    with pytest.raises(error):
        load_adapter(folder)


def test_rows_that_are_no_numbers(folder: Path) -> None:
    tensors = tensors_of(folder)
    tensors[ROWS][3, 5] = float("nan")
    put_tensors(folder, tensors)
    with pytest.raises(NonFiniteTensor, match="rows"):
        load_adapter(folder)


def test_rows_that_are_not_there(folder: Path) -> None:
    tensors = tensors_of(folder)
    del tensors[ROWS]
    put_tensors(folder, tensors)
    with pytest.raises(TensorSetMismatch):
        load_adapter(folder)


def test_rows_of_another_adapter(folder: Path, model: AdaptedModel) -> None:
    tensors = tensors_of(folder)
    put_tensors(folder, {**tensors, ROWS: torch.flip(tensors[ROWS], (0,))})
    with pytest.raises(ProbeMismatch):
        model.attach(load_adapter(folder))


def test_a_probe_beyond_the_pieces(folder: Path) -> None:
    last = f"probes.{len(get(folder, RECORD_FILE, 'probes')) - 1}.ids.1"
    put(folder, RECORD_FILE, last, 400 + N)
    with pytest.raises(LimitExceeded, match="outside the vocabulary"):
        load_adapter(folder)
    put(folder, RECORD_FILE, last, 400 + MAX_PIECES)
    with pytest.raises(LimitExceeded, match="outside the vocabulary"):
        load_adapter(folder)


def test_a_decoder(folder: Path) -> None:
    for field, value in {"model_type": "llama", "n_key_heads": 1, "head_width": 16}.items():
        put(folder, RECORD_FILE, f"backbone.shape.{field}", value)
    with pytest.raises(MalformedConfig, match="in this backbone, which gives text, none can be put in"):
        load_adapter(folder)


def test_a_config_above_the_bound_is_not_read(folder: Path) -> None:
    file = folder / CONFIG_FILE
    file.write_text(file.read_text(encoding="utf-8") + " " * MAX_JSON_BYTES, encoding="utf-8")
    with pytest.raises(LimitExceeded):
        load_adapter(folder)


def test_pieces_that_the_tokenizer_has_are_refused_when_attached(dz: Adapter, model: AdaptedModel) -> None:
    stolen = PiecesConfig(pieces=("</s>", *PIECES.pieces[1:]), scores=PIECES.scores)
    with pytest.raises(ConfigError, match="has 1 of the pieces already"):
        model.attach(replace(dz, config=replace(dz.config, pieces=stolen)))
    assert model.attached == ()


def test_pieces_beside_a_peft_config_are_refused(folder: Path, dz: Adapter) -> None:
    content = {**get(folder, CONFIG_FILE), "peft_type": "LORA"}
    with pytest.raises(MalformedConfig):
        from_json(content, dz.origin.shape, folder / CONFIG_FILE)
