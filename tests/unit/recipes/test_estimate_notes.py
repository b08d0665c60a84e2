"""What an estimate says of a precision."""

from dataclasses import replace

import pytest
import torch

from adaptkit.holding import Bits
from adaptkit.recipes import estimate
from adaptkit.recipes.estimate import slower_bits
from tests.tiny import tiny_backbone


@pytest.mark.parametrize(("share", "said"), [(None, None), (1.2, None), (0.95, None), (0.334, "33%"), (0.5, "50%")])
def test_a_slow_precision_is_named(share: float | None, said: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "speed_beside_16_bits", lambda *_: share)
    lines = slower_bits(replace(tiny_backbone(), bits=8))
    assert bool(lines) is (said is not None)
    if said is not None:
        assert "8 bits save memory and not time" in lines[0]
        assert f"at {said} of the speed of 16 bits" in lines[0]


@pytest.mark.parametrize("bits", [32, 16])
def test_nothing_is_said_of_a_backbone_that_is_not_quantised(bits: Bits) -> None:
    assert slower_bits(replace(tiny_backbone(), bits=bits)) == []


def test_the_first_block_is_measured_in_the_type_it_computes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[torch.nn.Module, torch.dtype]] = []
    monkeypatch.setattr(estimate, "speed_beside_16_bits", lambda *which: asked.append(which))
    backbone = replace(tiny_backbone(), bits=4)
    assert slower_bits(backbone) == []
    assert asked == [(backbone.network.get_submodule("encoder.layer.0"), torch.float32)]
