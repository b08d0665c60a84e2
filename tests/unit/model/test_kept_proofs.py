"""Proofs of an earlier process are believed where they hold, and nowhere else."""

import os
from pathlib import Path

import pytest
import torch

from adaptkit.errors import ProbeMismatch
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.model.kept_proofs import SWITCH
from adaptkit.storage import Adapter
from tests.adapters import random_adapter
from tests.tiny import tiny_model

LORA = AdapterConfig(method=LoraConfig(rank=2))


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("ADAPTKIT_CACHE", str(tmp_path))
    monkeypatch.delenv(SWITCH)
    return tmp_path / "proofs"


@pytest.fixture
def adapter() -> Adapter:
    return random_adapter(tiny_model(), LORA, name="sw")


@pytest.fixture
def replays(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of adapters whose outputs were compared with the recorded ones."""
    from adaptkit.model import proof

    found: list[str] = []
    compare = proof.Prover._require_as_recorded

    def noted(self: proof.Prover, adapter: Adapter, error: float) -> None:
        found.append(adapter.id)
        compare(self, adapter, error)

    monkeypatch.setattr(proof.Prover, "_require_as_recorded", noted)
    return found


def test_the_next_process_believes_it(adapter: Adapter, replays: list[str]) -> None:
    tiny_model().attach(adapter)
    assert replays == ["language/sw"]
    again = tiny_model()
    again.attach(adapter)
    assert replays == ["language/sw"]
    assert again.attached == ("language/sw",)
    tiny_model().attach(adapter, replay=True)
    assert replays == ["language/sw"] * 2


def test_another_adapter_is_tried(adapter: Adapter, replays: list[str]) -> None:
    other = random_adapter(tiny_model(), LORA, name="ha", seed=5)
    tiny_model().attach(adapter)
    tiny_model().attach(adapter, other)
    assert replays == ["language/sw", "language/ha"]


def with_another_weight() -> AdaptedModel:
    """Another value where the fingerprint takes no sample."""
    model, changed = tiny_model(), tiny_model()
    weight = changed.network.get_parameter("encoder.layer.0.attention.output.dense.weight")
    with torch.no_grad():
        weight[1:].mul_(-3)
    changed.backbone.fingerprint = model.backbone.fingerprint
    return changed


def test_another_backbone_is_refused_as_if_nothing_were_kept(adapter: Adapter, replays: list[str]) -> None:
    tiny_model().attach(adapter)
    with pytest.raises(ProbeMismatch):
        with_another_weight().attach(adapter)
    assert replays == ["language/sw"] * 2


@pytest.mark.parametrize("damage", ["seal", "vectors", "noise", "another key", "open key", "no key"])
def test_what_was_tampered_with_is_not_believed(
    adapter: Adapter, replays: list[str], folder: Path, damage: str
) -> None:
    tiny_model().attach(adapter)
    lines = (folder / "proofs").read_text()
    changed = {"seal": "0" * 64 + lines[64:], "vectors": lines.replace("]]]", ", 1.0]]]"), "noise": "\x00[\n\n"}
    (folder / "proofs").write_text(changed.get(damage, lines))
    if damage == "another key":
        (folder / "key").write_bytes(b"k" * 32)
    elif damage == "open key":
        (folder / "key").chmod(0o644)
    elif damage == "no key":
        (folder / "key").unlink()
    tiny_model().attach(adapter)
    assert replays == ["language/sw"] * 2


def test_only_the_user_can_read_the_key(adapter: Adapter, folder: Path) -> None:
    tiny_model().attach(adapter)
    assert (folder / "key").stat().st_mode & 0o777 == 0o600
    assert os.fspath(folder / "key") not in (folder / "proofs").read_text()
    assert (folder / "key").read_bytes().hex() not in (folder / "proofs").read_text()


def test_a_folder_that_cannot_be_made_is_no_harm(
    adapter: Adapter, replays: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("ADAPTKIT_CACHE", str(tmp_path / "file"))
    for _ in range(2):
        tiny_model().attach(adapter)
    assert replays == ["language/sw"] * 2
    assert (tmp_path / "file").read_text() == "mine"


def test_other_code_is_tried_again(adapter: Adapter, replays: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_model().attach(adapter)
    monkeypatch.setattr("adaptkit.model.proof.code_stamp", lambda _modules: "written anew")
    tiny_model().attach(adapter)
    assert replays == ["language/sw"] * 2


def test_who_has_no_home_attaches_all_the_same(
    adapter: Adapter, replays: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("adaptkit.model.kept_proofs.cache_folder", homeless)
    tiny_model().attach(adapter)
    assert replays == ["language/sw"]


def test_it_can_be_switched_off(
    adapter: Adapter, replays: list[str], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setenv(SWITCH, "0")
    for _ in range(2):
        tiny_model().attach(adapter)
    assert replays == ["language/sw"] * 2
    assert not folder.exists()
