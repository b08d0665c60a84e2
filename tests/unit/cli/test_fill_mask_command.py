import io
import json
from pathlib import Path

import pytest

import adaptkit as library
from tests.unit.cli.conftest import Command
from tests.unit.model.test_fill_mask import with_projection


@pytest.fixture
def kept(backbone_folder: Path, tmp_path: Path) -> Path:
    """An adapter that has kept its projection."""
    return with_projection(library.load_model(backbone_folder)).save(tmp_path / "sw")


def test_texts_are_filled_under_a_stack(adaptkit: Command, kept: Path, backbone_folder: Path) -> None:
    given = ("fill-mask", "Habari ya <mask>", "<mask> na <mask>", "--on", kept, "--top", "2")
    outcome = adaptkit(*given, "--backbone", backbone_folder)
    assert outcome.status == 0, outcome.err
    one, two = (json.loads(line) for line in outcome.out.splitlines())
    assert [len(mask["tokens"]) for mask in (*one, *two)] == [2, 2, 2]
    assert [mask["start"] for mask in two] == [0, 10]
    assert one[0]["tokens"][0].keys() == {"piece", "text", "probability"}


def test_lines_of_the_input_and_what_is_wrong_with_them(
    adaptkit: Command, kept: Path, backbone_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text, status in (("Habari <mask>\n", 0), ("Habari\n", 1)):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))
        outcome = adaptkit("fill-mask", "--on", kept, "--backbone", backbone_folder)
        assert outcome.status == status
    assert "row 1 of the texts has no mask: write <mask> where a word is missing" in outcome.err


def test_nothing_to_tell_tokens_apart_is_said_with_the_flag(adaptkit: Command, backbone_folder: Path) -> None:
    outcome = adaptkit("fill-mask", "Habari <mask>", "--backbone", backbone_folder)
    assert (outcome.status, "--keep-projection" in outcome.err) == (1, True)
