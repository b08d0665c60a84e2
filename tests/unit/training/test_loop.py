from collections.abc import Iterator, Mapping
from itertools import chain, repeat

import pytest
import torch
from torch import Tensor

from adaptkit.training import TrainingRun
from adaptkit.training.objectives import DistillObjective
from tests.runs import ObjectiveName, SmallRun, Watching, small_run


def scripted(*losses: float) -> type[TrainingRun]:
    """A run whose held-out losses are these, the last one again and again."""
    script: Iterator[float] = chain(losses, repeat(losses[-1]))

    class Scripted(TrainingRun):
        def evaluate(self) -> dict[str, float]:
            return {"loss": next(script)}

    return Scripted


class Remembering(Watching):
    """Keeps the weights at every evaluation."""

    small: SmallRun
    kept: tuple[dict[str, Tensor], ...] = ()

    def heldout(self, measures: Mapping[str, float], scores: Mapping[str, float]) -> None:
        super().heldout(measures, scores)
        self.kept = (*self.kept, self.small.weights)


def test_patience_ends_the_run_and_the_best_weights_are_kept() -> None:
    display = Remembering()
    display.small = small_run(trained_by=scripted(5.0, 3.0, 4.0, 4.0), evaluate_every=2, patience=2)
    result = display.small.train(display)
    assert (result.steps, result.stopped_because) == (6, "no lower held-out loss in 2 evaluations, one every 2 steps")
    assert display.losses == [5.0, 3.0, 4.0, 4.0]
    best, last = display.kept[1], display.kept[3]
    assert all(torch.equal(weight, best[name]) for name, weight in display.small.weights.items())
    assert any(not torch.equal(last[name], weight) for name, weight in best.items())


def test_gains_too_small_end_the_run_too_and_their_weights_are_kept() -> None:
    display = Remembering()
    losses = (5.0, 3.0, 2.99, 2.98, 1.0)
    display.small = small_run(trained_by=scripted(*losses), evaluate_every=2, patience=2, least_gain=0.01)
    result = display.small.train(display)
    assert (result.steps, display.losses) == (6, [5.0, 3.0, 2.99, 2.98])
    assert result.stopped_because == "no lower held-out loss by more than 1.00% in 2 evaluations, one every 2 steps"
    assert all(torch.equal(weight, display.kept[3][name]) for name, weight in display.small.weights.items())


def test_without_patience_all_steps_are_done() -> None:
    result = small_run(trained_by=scripted(1.0, 2.0), max_steps=9, evaluate_every=1, patience=None).train()
    assert result.steps == 9
    assert result.stopped_because.startswith("all steps done")
    assert result.stopped_because.endswith("never better than at the start")


def test_training_lowers_the_heldout_loss() -> None:
    result = small_run("mlm", learning_rate=1e-2, max_steps=40).train()
    assert result.after["loss"] < result.before["loss"]
    assert result.tokens_per_s > 0


def test_the_first_measure_is_taken_after_the_heads_warm_up() -> None:
    display = Remembering()
    display.small = small_run("mlm", head_warmup_steps=10, max_steps=14)
    fresh = display.small.weights
    display.small.train(display)
    assert all(torch.equal(weight, fresh[name]) for name, weight in display.kept[0].items())
    assert len(display.losses) == 2


@pytest.mark.parametrize("objective", ["mlm", "distill"])
def test_measures_are_repeatable_in_spite_of_dropout(objective: ObjectiveName) -> None:
    small = small_run(objective, dropout=0.9)
    small.train()
    state = torch.get_rng_state()
    assert small.run.evaluate() == small.run.evaluate()
    assert torch.equal(torch.get_rng_state(), state)
    assert small.layers.training


def test_heldout_measures_are_taken_without_dropout() -> None:
    small = small_run(dropout=0.9, precision="fp32")
    with torch.no_grad():
        for weight in small.layers.parameters():
            weight.normal_()
    with_dropout = small.run.evaluate()
    small.layers.eval()
    for module in small.layers.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    assert small.run.evaluate() == with_dropout


@pytest.mark.parametrize("objective", ["mlm", "distill"])
def test_measuring_a_step_changes_nothing(objective: ObjectiveName) -> None:
    measured, other = small_run(objective), small_run(objective)
    before, state = measured.weights, torch.get_rng_state()
    assert measured.run.measure_step([0, 1, 2]) > 0
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(weight, before[name]) for name, weight in measured.weights.items())
    assert measured.train().after == other.train().after


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    first, same, other = small_run("mlm"), small_run("mlm"), small_run("mlm", seed=1)
    for small, seed in ((first, 0), (same, 0), (other, 1)):
        small.train(seed=seed)
    assert all(torch.equal(weight, first.weights[name]) for name, weight in same.weights.items())
    assert any(not torch.equal(weight, first.weights[name]) for name, weight in other.weights.items())


def test_the_backbone_is_left_as_it_was() -> None:
    small = small_run(gradient_checkpointing=True)
    network = small.model.network
    weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    attention = network.config._attn_implementation
    small.train()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in network.state_dict().items())
    assert not any(weight.requires_grad for weight in network.parameters())
    assert network.config._attn_implementation == attention == "sdpa"
    assert not any(module.training for module in network.modules())


def test_an_error_inside_a_step_leaves_attention_and_checkpointing_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = small_run(gradient_checkpointing=True)
    monkeypatch.setattr(DistillObjective, "measures", lambda *_: {"loss": 1 / 0})
    with pytest.raises(ZeroDivisionError):
        small.train()
    assert small.model.network.config._attn_implementation == "sdpa"
    assert not any(module.training for module in small.model.network.modules())
    small.model.encode(["Habari."], stack="language/sw")
