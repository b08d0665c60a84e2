import io
import json
from pathlib import Path

import numpy as np
import pytest

from adaptkit import load_model
from tests.unit.cli.conftest import Command

TEXTS = ["Mbuzi anakula majani.", "The goat\u2028eats grass.", "Mvua inanyesha."]


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    return path


def test_each_line_has_its_vector(adaptkit: Command, lines: Path, backbone_folder: Path, tmp_path: Path) -> None:
    for name in ("vectors.npy", "vectors.jsonl"):
        result = adaptkit("encode", lines, "--backbone", backbone_folder, "--output", tmp_path / name)
        assert result.status == 0, result.err
    expected = load_model(str(backbone_folder)).encode(TEXTS).numpy()
    np.testing.assert_array_equal(np.load(tmp_path / "vectors.npy", allow_pickle=False), expected)
    rows = [json.loads(line) for line in (tmp_path / "vectors.jsonl").read_text().splitlines()]
    np.testing.assert_allclose(rows, expected, atol=1e-6)  # seven decimals are written


def test_a_file_is_not_written_over(adaptkit: Command, lines: Path, backbone_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "v.npy").write_bytes(b"mine")
    result = adaptkit("encode", lines, "--backbone", backbone_folder, "--output", tmp_path / "v.npy")
    assert result.status == 1
    assert "--overwrite" in result.err
    assert (tmp_path / "v.npy").read_bytes() == b"mine"


def test_a_line_without_text_is_named(adaptkit: Command, backbone_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "gap.txt").write_text("one\n\nthree\n")
    result = adaptkit("encode", tmp_path / "gap.txt", "--backbone", backbone_folder)
    assert result.status == 1
    assert "line 2 is empty" in result.err


@pytest.mark.parametrize("output", ["vectors.txt", "vectors"])
def test_another_form_is_refused_before_anything_is_read(adaptkit: Command, output: str, tmp_path: Path) -> None:
    result = adaptkit("encode", tmp_path / "nowhere.txt", "--output", output)
    assert result.status == 1
    assert ".npy or .jsonl" in result.err


def test_a_file_that_is_not_there_is_named(adaptkit: Command, tmp_path: Path) -> None:
    result = adaptkit("encode", tmp_path / "nowhere.txt")
    assert result.status == 1
    assert "nowhere.txt cannot be read" in result.err


def test_lines_of_standard_input_are_printed_as_json(
    adaptkit: Command, backbone_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\n".join(TEXTS).encode())))
    result = adaptkit("encode", "--backbone", backbone_folder, "--normalize-embeddings")
    assert result.status == 0, result.err
    rows = np.array([json.loads(line) for line in result.out.splitlines()])
    assert len(rows) == len(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
