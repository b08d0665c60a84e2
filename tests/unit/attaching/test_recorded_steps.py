"""Recorded steps, without a GPU: the same states and gradients, from places that the next replay writes over."""

import pytest
import torch
from torch import Tensor

from adaptkit.attaching import BoundBlocks, RecordedSteps
from adaptkit.attaching.gradients import SideBySide
from adaptkit.data.batch_shapes import BatchShape, FixedBuckets
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from tests.adapters import attach_random
from tests.methods import METHODS, methods_on
from tests.recorded import StepsAgain
from tests.tiny import ENCODER_DECODERS, REPRESENTATIVES, tiny_model

LORA = AdapterConfig(method=LoraConfig(rank=2))
DROPPING = AdapterConfig(method=LoraConfig(rank=2, dropout=0.5))
ROWS, LONGEST = 4, 64


def batch(rows: int, length: int, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(5, 390, (rows, length), generator=generator)
    mask = torch.ones_like(ids)
    mask[rows // 2 :, length // 2 :] = 0
    ids[mask == 0] = 1
    return ids, mask


def training(config: AdapterConfig = LORA, model_type: str = "bert") -> AdaptedModel:
    model = tiny_model(model_type, n_blocks=2)
    attach_random(model, "language/sw", config)
    for weight in model.adapters.parameters():
        weight.requires_grad_()
    return model.train()


def recorded(record: StepsAgain, *, most: int = 8) -> RecordedSteps:
    return RecordedSteps(record, FixedBuckets(ROWS), LONGEST, most=most)


def gone(model: AdaptedModel, states: Tensor, mask: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """States of real tokens, and the gradients of a loss of them."""
    real = states[mask > 0]
    torch.autograd.backward((real * torch.linspace(-1, 1, real.shape[-1])).square().mean())
    weights = {name: weight for name, weight in model.adapters.named_parameters() if weight.grad is not None}
    found = {name: weight.grad.clone() for name, weight in weights.items() if weight.grad is not None}
    model.zero_grad()
    return real.detach(), found


def close(found: tuple[Tensor, dict[str, Tensor]], expected: tuple[Tensor, dict[str, Tensor]]) -> None:
    # Products of other sizes sum in another order.
    torch.testing.assert_close(found[0], expected[0], rtol=1e-4, atol=1e-4)
    assert found[1].keys() == expected[1].keys()
    for name, gradient in expected[1].items():
        torch.testing.assert_close(found[1][name], gradient, rtol=1e-3, atol=1e-5, msg=name)


@pytest.mark.parametrize("model_type", [name for name in REPRESENTATIVES if name not in ENCODER_DECODERS])
def test_steps_are_those_of_the_hooks(model_type: str) -> None:
    model, record = training(model_type=model_type), StepsAgain()
    steps, bound = recorded(record), model.bound("sw")
    for seed, (rows, length) in enumerate(((4, 16), (3, 11), (4, 9), (4, 16))):
        ids, mask = batch(rows, length, seed=seed)
        found = gone(model, steps.states(bound, ids, mask), mask)
        with model.active("sw"):
            close(found, gone(model, model(ids, mask), mask))
    assert (record.n_recorded, record.n_there, record.n_back) == (1, 4, 4)


@pytest.mark.parametrize("method", methods_on("bert"))
def test_every_method_trains(method: str) -> None:
    model = training(METHODS[method])
    ids, mask = batch(3, 12)
    found = gone(model, recorded(StepsAgain()).states(model.bound("sw"), ids, mask), mask)
    with model.active("sw"):
        close(found, gone(model, model(ids, mask), mask))


def test_states_of_several_blocks() -> None:
    model = training()
    ids, mask = batch(3, 12)
    network = BoundBlocks(model.bound("sw"), (0, 1))
    found = gone(model, recorded(StepsAgain()).states(network, ids, mask), mask)
    with model.active("sw"):
        close(found, gone(model, model(ids, mask, blocks=(0, 1)), mask))


def test_weights_without_a_part_have_no_gradient() -> None:
    model = training()
    ids, mask = batch(4, 16)
    _, found = gone(model, recorded(StepsAgain()).states(BoundBlocks(model.bound("sw"), (0,)), ids, mask), mask)
    with model.active("sw"):
        _, expected = gone(model, model(ids, mask, blocks=(0,)), mask)
    assert found.keys() == expected.keys()
    assert len(found) < len(list(model.adapters.parameters()))


def test_dropout_draws_anew_in_every_replay_and_as_without_a_recording() -> None:
    model, ids_and_mask = training(DROPPING), batch(ROWS, 16)
    steps, bound = recorded(StepsAgain()), model.bound("sw")
    torch.manual_seed(3)
    found = [gone(model, steps.states(bound, *ids_and_mask), ids_and_mask[1]) for _ in range(3)]
    torch.manual_seed(3)
    for each in found:
        close(each, gone(model, bound(*ids_and_mask), ids_and_mask[1]))
    assert not torch.allclose(found[0][0], found[1][0])


def test_where_nothing_drops_any_more_it_is_recorded_apart() -> None:
    model, (ids, mask), record = training(DROPPING), batch(ROWS, 16), StepsAgain()
    steps, bound = recorded(record), model.bound("sw")
    gone(model, steps.states(bound, ids, mask), mask)
    model.eval()
    close(gone(model, steps.states(bound, ids, mask), mask), gone(model, bound(ids, mask), mask))
    assert record.n_recorded == 2


def test_a_batch_before_the_way_back_of_another_runs_as_it_is() -> None:
    model, record = training(), StepsAgain()
    steps, bound = recorded(record), model.bound("sw")
    first, second = batch(4, 16), batch(4, 16, seed=1)
    together = steps.states(bound, *first).square().mean() + steps.states(bound, *second).square().mean()
    torch.autograd.backward(together)
    found = {name: weight.grad for name, weight in model.adapters.named_parameters()}
    model.zero_grad()
    torch.autograd.backward(bound(*first).square().mean() + bound(*second).square().mean())
    for name, weight in model.adapters.named_parameters():
        torch.testing.assert_close(found[name], weight.grad, rtol=1e-3, atol=1e-5)
    assert record.n_there == 1
    gone(model, steps.states(bound, *second), second[1])
    assert record.n_there == 2


def test_a_loss_that_nobody_goes_back_from_holds_nothing_up() -> None:
    model, record = training(), StepsAgain()
    steps, bound = recorded(record), model.bound("sw")
    for _ in range(2):
        steps.states(bound, *batch(4, 16))
    assert record.n_there == 2


def test_gradients_add_up_over_batches() -> None:
    model = training()
    steps, bound = recorded(StepsAgain()), model.bound("sw")
    for seed in range(2):
        torch.autograd.backward(steps.states(bound, *batch(4, 16, seed=seed)).square().mean())
    found = {name: weight.grad for name, weight in model.adapters.named_parameters()}
    model.zero_grad()
    for seed in range(2):
        torch.autograd.backward(bound(*batch(4, 16, seed=seed)).square().mean())
    for name, weight in model.adapters.named_parameters():
        torch.testing.assert_close(found[name], weight.grad, rtol=1e-3, atol=1e-5)


def test_nobody_goes_back_twice() -> None:
    model = training()
    loss = recorded(StepsAgain()).states(model.bound("sw"), *batch(4, 16)).sum()
    torch.autograd.backward(loss, retain_graph=True)
    with pytest.raises(RuntimeError, match="is gone once"):
        torch.autograd.backward(loss)


def test_more_shapes_than_are_recorded_run_as_they_are() -> None:
    model, record = training(), StepsAgain()
    steps, bound = recorded(record, most=1), model.bound("sw")
    for length in (16, 32, 16):
        ids, mask = batch(ROWS, length)
        close(gone(model, steps.states(bound, ids, mask), mask), gone(model, bound(ids, mask), mask))
    assert (record.n_recorded, record.n_there) == (1, 2)


def test_what_is_too_long_or_mostly_padding_runs_as_it_is() -> None:
    model, record = training(), StepsAgain()
    steps, bound = recorded(record), model.bound("sw")
    for rows, length in ((4, LONGEST + 10), (1, 6)):
        ids, mask = batch(rows, length)
        close(gone(model, steps.states(bound, ids, mask), mask), gone(model, bound(ids, mask), mask))
    assert record.n_recorded == 0


def test_weights_that_lie_elsewhere_are_recorded_anew() -> None:
    model, record = training(), StepsAgain()
    steps, bound = recorded(record), model.bound("sw")
    ids, mask = batch(4, 16)
    gone(model, steps.states(bound, ids, mask), mask)
    weight = next(model.adapters.parameters())
    weight.data = 2 * weight.data
    close(gone(model, steps.states(bound, ids, mask), mask), gone(model, bound(ids, mask), mask))
    assert (record.n_recorded, steps.n_recorded) == (2, 1)


def test_what_a_batch_is_padded_to_follows_from_it_alone() -> None:
    buckets = FixedBuckets(8)
    assert buckets.of(BatchShape(8, 9), 100) == BatchShape(8, 16)
    assert buckets.of(BatchShape(9, 70), 80) == BatchShape(16, 80)
    assert buckets.of(BatchShape(8, 101), 100) is None
    assert buckets.of(BatchShape(1, 16), 100) is None


def test_gradients_side_by_side_keep_shapes_types_and_gaps() -> None:
    gradients = (torch.ones(2, 3), None, torch.full((2,), 2.0, dtype=torch.bfloat16))
    kept = SideBySide.of(gradients)
    found = kept.copied()
    kept.flat.zero_()
    assert [None if each is None else (each.shape, each.dtype) for each in found] == [
        (torch.Size([2, 3]), torch.float32),
        None,
        (torch.Size([2]), torch.bfloat16),
    ]
    numbers = torch.cat([each.flatten().float() for each in found if each is not None])
    assert numbers.tolist() == [1.0] * 6 + [2.0] * 2
