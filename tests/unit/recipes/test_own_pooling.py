"""Training on a backbone that pools in a way of its own."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from adaptkit.heads.batch import Batch
from adaptkit.layers.sentence_vectors import PoolingMode, SentenceVectors
from adaptkit.model import AdaptedModel
from adaptkit.training.objectives import DistillObjective
from tests.calls import train_adapter
from tests.tiny import tiny_backbone

PAIRS = [(f"the goat number {n} sleeps at home", f"mbuzi namba {n} analala nyumbani") for n in range(60)]
TEXTS = ["Habari ya asubuhi", "The goat sleeps.", "Akuya tana barci a gida.", "Rain fills the barrel of the old man."]


def model_by(mode: PoolingMode) -> AdaptedModel:
    return AdaptedModel(replace(tiny_backbone(), sentences=SentenceVectors(mode)))


@pytest.mark.parametrize("mode", ["cls", "max"])
def test_distillation_draws_a_text_to_its_own_vector(mode: PoolingMode) -> None:
    model = model_by(mode)
    ids, mask = model.backbone.pad(model.backbone.tokenize(TEXTS))
    with torch.no_grad():
        hidden = model(ids, mask)
    targets = model.encode(TEXTS)
    made = DistillObjective.for_targets(targets, pool=model.sentences.pooled)
    # The frozen backbone's vectors are where they shall be.
    assert float(made(hidden, Batch(ids=ids, mask=mask, targets=targets))) == pytest.approx(0, abs=1e-5)
    by_mean = DistillObjective.for_targets(targets)
    assert float(by_mean(hidden, Batch(ids=ids, mask=mask, targets=targets))) > 0.01


@pytest.mark.parametrize(("mode", "pairs"), [("cls", False), ("lasttoken", False), ("max", True), ("mean", True)])
def test_pairs_train_where_each_text_has_a_vector(
    mode: PoolingMode, pairs: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter = train_adapter(
        lang="sw", parallel=PAIRS, backbone=model_by(mode), objective="distill", max_steps=2, batch_size=8, force=True
    )
    told = capsys.readouterr()
    assert ("pair_share=0" in told.err + told.out) is not pairs
    facts = adapter.card.training
    assert facts is not None
    assert facts.settings.get("pair_share") == (0.5 if pairs else 0.0)


def test_an_anchor_is_the_backbones_own_vector(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Tensor] = []
    model = model_by("cls")
    pooled = model.sentences.pooled

    def watched(hidden: Tensor, mask: Tensor) -> Tensor:
        seen.append(pooled(hidden, mask))
        return seen[-1]

    monkeypatch.setattr(model.sentences, "pooled", watched)
    train_adapter(
        lang="sw",
        text=[swahili for _, swahili in PAIRS],
        backbone=model,
        objective="mlm",
        max_steps=2,
        batch_size=8,
        force=True,
        progress=False,
    )
    assert len(seen) > 4
