"""What an estimate says of a precision."""

import pytest
import torch

from adaptkit.recipes import estimate
from adaptkit.recipes.estimate import slower_bits


@pytest.mark.parametrize(("bits", "share"), [(32, None), (16, None), (8, "33%"), (4, "33%")])
def test_a_slow_precision_is_named(bits: int, share: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "has_fast_bfloat16", lambda _: True)
    lines = slower_bits(bits, torch.device("cpu"))
    assert bool(lines) is (share is not None)
    if share is not None:
        assert f"{bits} bits save memory and not time: they encode at {share} of the speed of 16 bits" in lines[0]


def test_nothing_is_said_of_hardware_that_was_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "has_fast_bfloat16", lambda _: False)
    assert slower_bits(8, torch.device("cpu")) == []
    monkeypatch.setattr(estimate, "has_fast_bfloat16", lambda _: True)
    assert slower_bits(8, torch.device("cuda")) == []
