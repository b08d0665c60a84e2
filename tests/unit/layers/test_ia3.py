"""IA3 by its formula, near one in few bits, and trained by name."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import adaptkit
from adaptkit.layers.ia3 import Ia3Layer
from adaptkit.methods import Ia3Config
from adaptkit.training import TrainingRun, TrainingSettings
from tests.tiny import tiny_model


def layer_of(scales: Tensor) -> Ia3Layer:
    layer = Ia3Layer(len(scales))
    layer.load_state_dict({"scales": scales})
    return layer


def test_it_multiplies_and_reads_nothing_else() -> None:
    layer, y = layer_of(torch.randn(8)), torch.randn(2, 5, 8)
    assert torch.equal(layer(None, y), y * layer.scales)


def test_scales_are_not_rounded_to_the_sites_type() -> None:
    layer, y = layer_of(torch.full((8,), 1.003)), torch.linspace(1, 100, 8000).view(-1, 8).bfloat16()
    assert bool((layer.scales.bfloat16() == 1).all())
    ratio = layer(None, y).detach().float().mean() / y.float().mean()
    assert float(ratio) == pytest.approx(1.003, abs=1e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_rows_at_once_are_each_alone(dtype: torch.dtype) -> None:
    layers = [layer_of(torch.randn(4)) for _ in range(2)]
    x = torch.randn(2, 3, 4, dtype=dtype, requires_grad=True)
    above = torch.linspace(-1, 1, 24).view(2, 3, 4)
    alone = torch.stack([layer(None, rows) for layer, rows in zip(layers, x, strict=True)])
    expected = torch.autograd.grad((alone.float() * above).sum(), [x, *(layer.scales for layer in layers)])
    result = x.clone()
    Ia3Layer.act_at_once(layers, result)
    found = torch.autograd.grad((result.float() * above).sum(), [x, *(layer.scales for layer in layers)])
    assert torch.equal(result, alone)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)
    with torch.no_grad():
        Ia3Layer.act_at_once(layers, again := x.clone())
    assert torch.equal(again, alone)


def test_it_is_trained_by_name(tmp_path: Path) -> None:
    adapter = adaptkit.train_adapter(
        lang="sw",
        parallel=adaptkit.sample_pairs("sw")[:40],
        method="ia3",
        backbone=tiny_model(),
        run=adaptkit.Run(max_steps=20, batch_size=8, progress=False),
        output=tmp_path / "sw",
    )
    assert adaptkit.load_adapter(tmp_path / "sw").config == adapter.config
    assert adapter.config.method == Ia3Config()
    assert all(bool((scales != 1).any()) for scales in adapter.tensors.values())
    card = (tmp_path / "sw" / "README.md").read_text(encoding="utf-8")
    assert "An ia3 adapter of " in card
    assert "IA3: Liu et al. 2022, arXiv:2205.05638" in card


@pytest.mark.parametrize(("asked", "rate"), [(None, 2e-2), (1e-3, 1e-3)])
def test_it_learns_at_a_higher_rate_than_matrices_do(
    asked: float | None, rate: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []

    class Noting(TrainingRun):
        def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
            super().__init__(*args, **options)
            seen.extend(given.learning_rate for given in args if isinstance(given, TrainingSettings))

    monkeypatch.setattr("adaptkit.training.loop.TrainingRun", Noting)
    adaptkit.train_adapter(
        lang="sw",
        parallel=adaptkit.sample_pairs("sw")[:40],
        method=adaptkit.Ia3(blocks=(1,)),
        backbone=tiny_model(),
        run=adaptkit.Run(max_steps=1, batch_size=8, learning_rate=asked, progress=False),
    )
    assert seen == [rate]
