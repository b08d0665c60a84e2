"""Tokens at which a text ends, as the files beside a backbone name them."""

import json
from pathlib import Path

import pytest

from adaptkit.backbones import load_backbone
from adaptkit.backbones.text_ends import GENERATION_FILE
from adaptkit.errors import CorruptBackbone
from adaptkit.model import AdaptedModel
from tests.saved import saved_backbone


def folder_with(folder: Path, ends: object, family: str = "llama") -> Path:
    saved_backbone(folder, family)
    (folder / GENERATION_FILE).write_text(json.dumps({"eos_token_id": ends, "temperature": 0.6}))
    return folder


@pytest.mark.parametrize(("named", "ends"), [([7, 9], (7, 9)), (7, (7,)), (None, ())])
def test_those_of_a_generation_config_are_kept(named: object, ends: tuple[int, ...], tmp_path: Path) -> None:
    backbone = load_backbone(folder_with(tmp_path / "given", named))
    assert backbone.text_ends == ends
    backbone.save(tmp_path / "saved")
    assert load_backbone(tmp_path / "saved").text_ends == ends


def test_a_folder_without_one_and_an_encoder_name_none(tmp_path: Path) -> None:
    assert load_backbone(saved_backbone(tmp_path / "plain", "llama")).text_ends == ()
    assert load_backbone(folder_with(tmp_path / "encoder", "no id", family="bert")).text_ends == ()


def test_a_text_ends_there(tmp_path: Path) -> None:
    plain = AdaptedModel(load_backbone(saved_backbone(tmp_path / "plain", "llama")))
    (whole,) = plain.generate(["Habari"], max_new_tokens=8)
    end = whole.ids[3]
    place = whole.ids.index(end)
    (ended,) = AdaptedModel(load_backbone(folder_with(tmp_path / "chat", [399, end]))).generate(["Habari"])
    assert (ended.stopped, ended.ids) == ("end", whole.ids[: place + 1])


@pytest.mark.parametrize("named", ["7", [7, None], {"a": 1}, True])
def test_what_is_no_token_id_is_refused(named: object, tmp_path: Path) -> None:
    with pytest.raises(CorruptBackbone, match=r"generation_config.json has eos_token_id .* read is a token id"):
        load_backbone(folder_with(tmp_path / "given", named))
