"""A worker that is asked for banks answers by them, and as one that is not."""

import signal
from pathlib import Path

import torch

from adaptkit import load_model
from adaptkit.model import AdaptedModel
from adaptkit.requests import Pretrained
from adaptkit.serving.answering import slots_for
from adaptkit.serving.api import ZooAPI
from adaptkit.serving.limits import Limits
from adaptkit.serving.shelf import Shelf
from adaptkit.serving.spec import ZooSpec
from tests.saved import saved_backbone
from tests.tiny import tiny_backbone, tiny_model
from tests.zoos import made_zoo


class OnCuda(AdaptedModel):
    """One that says it is on CUDA."""

    @property
    def device(self) -> torch.device:
        return torch.device("cuda")


TEXTS = ["Mvua inanyesha.", "The goat sleeps.", "Maji ni uhai."]


def test_a_worker_with_slots_answers_by_banks(tmp_path: Path) -> None:
    backbone = saved_backbone(tmp_path / "backbone")
    zoo = made_zoo(tmp_path / "zoo", load_model(backbone))
    usual = load_model(backbone)
    stacks = [None, *sorted(usual.attach_zoo(zoo))[:2]]
    api = ZooAPI(
        zoo,
        Pretrained(str(backbone)),
        ZooSpec(Shelf(zoo), Limits()),
        api_key="",
        batch_size=8,
        cache_bytes=2**20,
        slots=8,
    )
    before = signal.getsignal(signal.SIGINT)
    try:
        api.setup("cpu")
    finally:
        signal.signal(signal.SIGINT, before)
    model = api._answering._model
    found = model.encode(TEXTS, stacks=stacks)
    torch.testing.assert_close(found, usual.encode(TEXTS, stacks=stacks), rtol=1e-4, atol=3e-5)
    assert model._passes.banks.nbytes > 0


def test_a_worker_has_slots_by_itself_on_cuda_alone() -> None:
    assert slots_for(tiny_model()) == 0
    assert slots_for(OnCuda(tiny_backbone())) == 64
    assert slots_for(OnCuda(tiny_backbone("deberta-v2"))) == 0
