"""Names that transformers and peft have, and what a notebook shows."""

from dataclasses import replace
from pathlib import Path

import pytest

from adaptkit.errors import ConfigError, SourceNotFound
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import Card, Evaluation
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter
from tests.adapters import random_adapter
from tests.hub_server import FakeHub
from tests.saved import saved_backbone

REPO = "tiny/lang-sw"


@pytest.fixture
def adapter(model: AdaptedModel) -> Adapter:
    return random_adapter(model, AdapterConfig(method=LoraConfig(rank=2)))


def test_a_folder_by_the_names_of_others(adapter: Adapter, tmp_path: Path) -> None:
    folder = adapter.save_pretrained(tmp_path / "sw")
    assert Adapter.from_pretrained(str(folder)).weights_sha256 == adapter.weights_sha256
    with pytest.raises(ConfigError, match="already"):
        adapter.save_pretrained(folder)
    with pytest.raises(ConfigError, match="which has no revision"):
        Adapter.from_pretrained(folder, revision="main")


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
def test_a_hub_by_the_names_of_others(
    hub: FakeHub, adapter: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    revision = adapter.push_to_hub(REPO, commit_message="the first")
    assert hub.repos[REPO].private
    assert Adapter.from_pretrained(REPO, revision=revision).weights_sha256 == adapter.weights_sha256
    assert not list(tmp_path.iterdir())
    with pytest.raises(SourceNotFound):
        Adapter.from_pretrained("tiny/no-such")


def test_a_model_by_the_name_of_others(tmp_path: Path) -> None:
    folder = saved_backbone(tmp_path / "tiny", "bert")
    assert AdaptedModel.from_pretrained(folder, bits=8).backbone.bits == 8


def test_a_notebook_shows_an_adapter_and_a_card(adapter: Adapter) -> None:
    score = Evaluation(
        task="<b>topics", metric="accuracy", n_examples=1204, score_without=66.7, score_with=75.5, low=4.1, high=13.2
    )
    card = Card(source="<script>", n_lines=3, evaluations=(score,))
    for shown in (replace(adapter, card=card)._repr_html_(), card._repr_html_()):
        assert "<td>&lt;b&gt;topics</td><td>1,204</td>" in shown
        assert "+8.8 (+4.1 to +13.2)" in shown
        assert "&lt;script&gt;" in shown
    assert "language/sw: lora" in adapter._repr_html_()
    assert "nobody has measured what it does" in adapter._repr_html_()


def test_encode_shows_how_far_it_has_come(
    model: AdaptedModel, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adaptkit.terminal.bar.LINE_EVERY_S", -1)
    model.encode(["habari", "asante", "karibu"], batch_size=1, progress=True)
    assert "encoding: 2 of 3" in capsys.readouterr().err
    model.encode(["habari"] * 1200, batch_size=600)
    assert capsys.readouterr().err == ""  # no terminal
