from typing import Any

import pytest

from adaptkit.errors import ConfigError
from adaptkit.training import TrainingSettings


def test_the_rate_rises_to_its_peak_and_falls_to_nearly_nothing() -> None:
    settings = TrainingSettings(max_steps=100, learning_rate=0.1, warmup_share=0.1)
    rates = [settings.rate_at(step) for step in range(100)]
    assert rates[:10] == pytest.approx([0.01 * (step + 1) for step in range(10)])
    assert max(rates) == pytest.approx(0.1)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0 < rates[-1] < 0.002


def test_the_head_warms_up_at_the_full_rate_and_the_schedule_starts_after_it() -> None:
    late = TrainingSettings(max_steps=120, head_warmup_steps=20, learning_rate=0.1)
    early = TrainingSettings(max_steps=100, learning_rate=0.1)
    assert [late.rate_at(step) for step in range(20)] == [0.1] * 20
    assert [late.rate_at(step) for step in range(20, 120)] == [early.rate_at(step) for step in range(100)]


@pytest.mark.parametrize("max_steps", [1, 2, 5])
def test_short_runs_have_a_rate_too(max_steps: int) -> None:
    settings = TrainingSettings(max_steps=max_steps)
    assert all(0 < settings.rate_at(step) <= settings.learning_rate for step in range(max_steps))


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_steps": 0},
        {"batch_size": 0},
        {"evaluate_every": 0},
        {"checkpoint_every": -1},
        {"head_warmup_steps": 10},
        {"head_warmup_steps": -1},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"precision": "fp8"},
    ],
    ids=str,
)
def test_numbers_that_cannot_be_right_are_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        TrainingSettings(**{"max_steps": 10, **wrong})


def test_what_ends_a_run_early_is_said_where_it_can() -> None:
    settings: dict[str, Any] = {"max_steps": 900, "evaluate_every": 100, "patience": 3}
    assert TrainingSettings(**settings).flat == "no lower held-out loss in 3 evaluations, one every 100 steps"
    least = TrainingSettings(**settings, least_gain=0.005).flat
    assert least == "no lower held-out loss by more than 0.50% in 3 evaluations, one every 100 steps"
    for never in ({"patience": None}, {"patience": 9}, {"head_warmup_steps": 600}):
        assert TrainingSettings(**{**settings, **never}).flat is None
