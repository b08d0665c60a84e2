"""What the case on decoders' languages is made of: lines that are told apart, and bits a byte that are right."""

import gzip
import json
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmarks import decoder_text
from benchmarks.peers.bits_per_byte import bits_per_byte
from tests.tiny import tiny_tokenizer


def test_no_held_out_line_is_trained_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ADAPTKIT_DATA", str(tmp_path))
    folder = tmp_path / "text/lafand-mt/en-yor"
    folder.mkdir(parents=True)
    # Of four lines that differ in spaces and capitals only, one is left.
    forms = ["Line number {} of this small made corpus", "line  number {} of this small made corpus"]
    rows = [{"translation": {"yor": form.format(n)}} for n in range(10, 70) for form in forms for _ in range(2)]
    with gzip.open(folder / "train.json.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    training, heldout = decoder_text.parts("yo", n_training=40, n_heldout=15)
    every = [line.casefold() for line in (*training, *heldout)]
    assert (len(training), len(heldout), len(set(every))) == (40, 15, 55)


def test_bits_of_a_model_that_guesses_evenly() -> None:
    tokenizer, line = tiny_tokenizer(), "Habari ya asubuhi"

    def evenly(ids: Tensor) -> Tensor:
        return torch.zeros(1, ids.shape[1], 400)

    n_predicted = len(tokenizer(line)["input_ids"]) - 1
    # The tiny tokenizer's first token is `<s>`, of three letters.
    expected = n_predicted * math.log2(400) / (len(line) - 3)
    assert bits_per_byte(evenly, tokenizer, [line, line]) == pytest.approx(expected)


@pytest.mark.real_data
@pytest.mark.parametrize("language", ["sw", "ha", "yo"])
def test_every_language_has_its_lines(language: str, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTKIT_DATA", str(data_folder))
    training, heldout = decoder_text.parts(language, n_training=1000, n_heldout=60)
    assert (len(training), len(heldout)) == (1000, 60)
    assert not set(training) & set(heldout)
