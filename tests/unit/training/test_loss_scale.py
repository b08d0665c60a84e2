"""Blocks in float16, as on GPUs without bfloat16: small gradients must not vanish."""

import pytest
import torch
from torch import Tensor, nn

from adaptkit.backbones.precision import loss_scale
from adaptkit.heads.batch import Batch
from adaptkit.training.display import Silent
from tests.runs import small_run
from tests.tiny import tiny_model, tiny_network


class FaintLoss(nn.Module):
    """The mean square of all states, weighted so little that its gradients lie below float16's smallest number."""

    blocks: tuple[int, ...] = ()

    def prepare(self, batch: Batch) -> Batch:
        return batch

    def forward(self, hidden: Tensor, _batch: Batch) -> Tensor:
        return 1e-2 * hidden.float().pow(2).mean()

    def measures(self, hidden: Tensor, batch: Batch) -> dict[str, Tensor]:
        return {"loss": self(hidden, batch)}


def moved(dtype: torch.dtype) -> float:
    """The share of the adapter's B that one step has moved."""
    model = tiny_model()
    model.network.to(dtype)  # type: ignore[arg-type]
    small = small_run(model=model, made=FaintLoss(), max_steps=1, precision="fp32")
    small.run.run(Silent())
    trained = [weight for name, weight in small.layers.named_parameters() if "lora_B" in name]
    return float(torch.cat([weight.detach().ne(0).float().reshape(-1) for weight in trained]).mean())


def test_it_is_asked_for_in_float16_only() -> None:
    network = tiny_network()
    assert loss_scale(network) == 1.0
    assert loss_scale(network.to(torch.bfloat16)) == 1.0  # type: ignore[arg-type]
    assert loss_scale(network.to(torch.float16)) > 1.0  # type: ignore[arg-type]


def test_small_gradients_do_not_vanish(monkeypatch: pytest.MonkeyPatch) -> None:
    assert moved(torch.float32) > 0.99
    assert moved(torch.float16) > 0.9
    monkeypatch.setattr("adaptkit.training.loop.loss_scale", lambda _: 1.0)
    assert moved(torch.float16) < 0.5
