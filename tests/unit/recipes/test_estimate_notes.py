"""What an estimate says of a precision."""

import pytest
import torch

from adaptkit.recipes import estimate
from adaptkit.recipes.estimate import slower_bits


@pytest.mark.parametrize(("bits", "said"), [(32, False), (16, False), (8, True), (4, False)])
def test_the_slow_precision_is_named(bits: int, said: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "has_fast_bfloat16", lambda _: True)
    lines = slower_bits(bits, torch.device("cpu"))
    assert bool(lines) is said
    if said:
        assert "8 bits train at 47% of the speed" in lines[0]
        assert "32 or 16 or 4 bits are faster" in lines[0] or "16 or 4 bits are faster" in lines[0]


def test_nothing_is_said_of_hardware_that_was_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "has_fast_bfloat16", lambda _: False)
    assert slower_bits(8, torch.device("cpu")) == []
    monkeypatch.setattr(estimate, "has_fast_bfloat16", lambda _: True)
    assert slower_bits(8, torch.device("cuda")) == []
