"""Folders of format version 4 (what the card says of text, hardware and intervals) that lie."""

from dataclasses import replace
from pathlib import Path

import pytest

from adaptkit.errors import MalformedConfig
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import Card, Evaluation
from adaptkit.format.spec import RECORD_FILE
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import load_adapter
from tests.adapters import random_adapter
from tests.hostile import REMOVED, get, put

SCORE = Evaluation(
    task="topics", metric="accuracy", n_examples=9, score_without=50.0, score_with=60.0, low=-2.0, high=22.0
)


@pytest.fixture
def of_version_4(model: AdaptedModel, tmp_path: Path) -> Path:
    adapter = random_adapter(model, AdapterConfig(method=LoraConfig(rank=2)))
    card = Card(n_tokens=7, text_sha256="ab" * 32, evaluations=(SCORE,))
    return replace(adapter, card=card).save(tmp_path / "sw")


def test_the_oldest_version_that_holds_the_card_is_written(of_version_4: Path, tmp_path: Path) -> None:
    assert get(of_version_4, RECORD_FILE, "format_version") == 4
    adapter = load_adapter(of_version_4)
    older = replace(adapter, card=replace(adapter.card, n_tokens=0, text_sha256="", evaluations=()))
    plain = load_adapter(older.save(tmp_path / "plain"))
    assert get(tmp_path / "plain", RECORD_FILE, "format_version") == 1
    assert plain.card == older.card


LIES: dict[str, tuple[str, object]] = {
    "a token count that is none": ("card.n_tokens", "7"),
    "no token count": ("card.n_tokens", REMOVED),
    "a bound that is not a number": ("card.evaluations", [{"low": "x"}]),
    "fields of version 4 under an older version": ("format_version", 1),
    "an older version than it needs": ("format_version", 3),
}


@pytest.mark.parametrize(("where", "value"), LIES.values(), ids=LIES.keys())
def test_a_lying_record_is_refused(of_version_4: Path, where: str, value: object) -> None:
    put(of_version_4, RECORD_FILE, where, value)
    with pytest.raises(MalformedConfig):
        load_adapter(of_version_4)


def test_version_4_without_need_is_refused(model: AdaptedModel, tmp_path: Path) -> None:
    folder = random_adapter(model, AdapterConfig(method=LoraConfig(rank=2))).save(tmp_path / "sw")
    put(folder, RECORD_FILE, "format_version", 4)
    with pytest.raises(MalformedConfig, match="lacks the field"):
        load_adapter(folder)
