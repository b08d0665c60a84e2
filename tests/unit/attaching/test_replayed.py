"""Recorded passes, without a GPU: what is copied where, which shape is taken, and when a recording is made anew."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from adaptkit.attaching import ReplayedNetwork
from adaptkit.attaching.replayed import Replay
from adaptkit.data.batch_shapes import BatchShape, ShapeBuckets
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel, load_model
from tests.adapters import attach_random
from tests.methods import METHODS, methods_on
from tests.recorded import RunAgain
from tests.saved import saved_backbone
from tests.tiny import ARCHITECTURES, tiny_model

LORA = AdapterConfig(method=LoraConfig(rank=2))
LONGEST = 100


def batch(rows: int, length: int, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(5, 390, (rows, length), generator=generator)
    mask = torch.ones_like(ids)
    mask[rows // 2 :, length // 2 :] = 0
    ids[mask == 0] = 1
    return ids, mask


def replayed(
    model: AdaptedModel,
    record: RunAgain,
    stack: str | None = "sw",
    *,
    after: int = 1,
    buckets: ShapeBuckets | None = None,
) -> ReplayedNetwork:
    return ReplayedNetwork(model.bound(stack), LONGEST, record, after=after, buckets=buckets)


@pytest.fixture
def model() -> AdaptedModel:
    model = tiny_model()
    attach_random(model, "language/sw", LORA)
    return model.eval()


@pytest.fixture
def record() -> RunAgain:
    return RunAgain()


def close(found: Tensor, expected: Tensor, mask: Tensor) -> None:
    # Products of other sizes sum in another order.
    torch.testing.assert_close(found[mask > 0], expected[mask > 0], rtol=1e-4, atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_padding_rows_and_tokens_changes_no_state_of_a_text(model_type: str, record: RunAgain) -> None:
    model = tiny_model(model_type, n_blocks=1)
    attach_random(model, "language/sw", LORA)
    network = replayed(model.eval(), record)
    network(*batch(4, 16, seed=1))  # recorded at this shape, and padded to it by the next
    for rows, length in ((4, 16), (3, 11), (4, 9)):
        ids, mask = batch(rows, length)
        found = network(ids, mask)
        assert found.shape == (rows, length, 32)
        assert bool(found.isfinite().all())
        close(found, model.bound("sw")(ids, mask), mask)
    assert record.n_recorded == 1


@torch.no_grad()
def test_what_is_replayed_is_the_bound_network_bit_for_bit(model: AdaptedModel, record: RunAgain) -> None:
    network = replayed(model, record)
    for seed in range(3):
        ids, mask = batch(5, 32, seed=seed)
        assert torch.equal(network(ids, mask), model.bound("sw")(ids, mask))
    assert (record.n_recorded, record.n_replayed) == (1, 3)


@torch.no_grad()
@pytest.mark.parametrize("method", methods_on("bert"))
def test_every_method_is_recorded(method: str, record: RunAgain) -> None:
    model = tiny_model()
    attach_random(model, "language/sw", METHODS[method])
    ids, mask = batch(3, 16)
    assert torch.equal(replayed(model.eval(), record)(ids, mask), model.bound("sw")(ids, mask))


@torch.no_grad()
def test_results_are_not_written_over_by_the_next_batch(model: AdaptedModel, record: RunAgain) -> None:
    network = replayed(model, record)
    first = network(*batch(4, 16))
    kept = first.clone()
    network(*batch(4, 16, seed=1))
    assert torch.equal(first, kept)


@torch.no_grad()
def test_nothing_is_written_before_a_replay_lets_it(model: AdaptedModel) -> None:
    """An earlier replay on another stream of the GPU may still read."""

    def unfilled(run: Callable[[], Tensor]) -> tuple[Replay, Tensor]:
        held = run()
        return lambda _: held.copy_(run()), held

    network = ReplayedNetwork(model.bound("sw"), LONGEST, unfilled)
    first = network(*batch(4, 16))
    assert torch.equal(network(*batch(4, 16, seed=1)), first)


@torch.no_grad()
def test_more_rows_than_recorded_are_recorded_anew(model: AdaptedModel, record: RunAgain) -> None:
    network = replayed(model, record)
    for rows in (2, 3, 6):
        ids, mask = batch(rows, 16)
        assert torch.equal(network(ids, mask), model.bound("sw")(ids, mask))
    assert record.shapes == [(2, 16), (3, 16), (6, 16)]
    network(*batch(5, 16))
    assert record.n_recorded == 3  # five rows fit into six


@torch.no_grad()
def test_the_recording_that_was_needed_longest_ago_goes_first(model: AdaptedModel, record: RunAgain) -> None:
    network = replayed(model, record, buckets=ShapeBuckets(most=2))
    for length in (16, 32, 16, 64):
        network(*batch(4, length))
    assert network.shapes == (BatchShape(4, 16), BatchShape(4, 64))


@torch.no_grad()
def test_a_shape_is_recorded_when_it_comes_again(model: AdaptedModel, record: RunAgain) -> None:
    network = replayed(model, record, after=3)
    for n_recorded in (0, 0, 1, 1):
        network(*batch(4, 16))
        assert record.n_recorded == n_recorded
    network(*batch(4, 30))
    assert record.n_recorded == 1


@torch.no_grad()
def test_a_row_that_is_too_long_runs_as_it_is(model: AdaptedModel, record: RunAgain) -> None:
    ids, mask = batch(2, LONGEST + 20)
    assert torch.equal(replayed(model, record)(ids, mask), model.bound("sw")(ids, mask))
    assert record.n_recorded == 0


@torch.no_grad()
def test_weights_that_change_where_they_are_act_without_a_new_recording(model: AdaptedModel, record: RunAgain) -> None:
    network = replayed(model, record)
    before = network(*batch(4, 16))
    for weight in model.adapters.parameters():
        weight.mul_(3)
    after = network(*batch(4, 16))
    assert not torch.allclose(before, after)
    assert torch.equal(after, model.bound("sw")(*batch(4, 16)))
    assert record.n_recorded == 1


def _converted(model: AdaptedModel) -> None:
    model.double()


def _put_elsewhere(model: AdaptedModel) -> None:
    weight = next(model.network.parameters())
    weight.data = weight.data.clone()


@torch.no_grad()
@pytest.mark.parametrize("change", [_converted, _put_elsewhere])
def test_weights_that_lie_elsewhere_are_recorded_anew(
    change: Callable[[AdaptedModel], None], model: AdaptedModel, record: RunAgain
) -> None:
    network = replayed(model, record)
    network(*batch(4, 16))
    change(model)
    assert torch.equal(network(*batch(4, 16)), model.bound("sw")(*batch(4, 16)))
    assert record.n_recorded == 2


def test_with_gradients_nothing_is_recorded(model: AdaptedModel, record: RunAgain) -> None:
    for weight in model.adapters.parameters():
        weight.requires_grad_()
    states = replayed(model, record)(*batch(4, 16))
    states.sum().backward()  # type: ignore[no-untyped-call]
    assert record.n_recorded == 0
    assert any(weight.grad is not None for weight in model.adapters.parameters())


@torch.no_grad()
def test_where_a_layer_drops_nothing_is_recorded(record: RunAgain) -> None:
    model = tiny_model()
    attach_random(model, "language/sw", AdapterConfig(method=LoraConfig(rank=2, dropout=0.5)))
    network = replayed(model, record)
    model.train()
    assert not torch.equal(network(*batch(4, 16)), network(*batch(4, 16)))
    assert record.n_recorded == 0
    model.eval()
    network(*batch(4, 16))
    assert record.n_recorded == 1


def test_what_is_given_outside_of_inference_mode_may_stand_in_a_loss(model: AdaptedModel, record: RunAgain) -> None:
    network = replayed(model, record)
    with torch.no_grad():
        states = network(*batch(4, 16))
    weight = nn.Parameter(torch.ones(32))
    (states * weight).sum().backward()  # type: ignore[no-untyped-call]
    assert weight.grad is not None


@torch.no_grad()
@pytest.mark.parametrize("embeddings", ["paged", "int8"])
def test_a_table_that_cannot_be_recorded_is_read_before(
    embeddings: str, record: RunAgain, tmp_path_factory: pytest.TempPathFactory
) -> None:
    model = load_model(saved_backbone(tmp_path_factory.mktemp("bert")), embeddings=embeddings, device="cpu")
    network = replayed(model, record, None)
    for seed, rows in ((0, 4), (1, 4), (2, 3)):
        ids, mask = batch(rows, 16, seed=seed)
        close(network(ids, mask), model.bound(None)(ids, mask), mask)
    assert record.n_recorded == 1


def test_more_of_each_row_is_padded_with_zeros(record: RunAgain) -> None:
    class Numbered(nn.Module):
        def forward(self, ids: Tensor, mask: Tensor, slots: Tensor) -> Tensor:
            return (ids * mask)[..., None] + slots[:, None, :1]

    network = ReplayedNetwork(Numbered(), LONGEST, record)
    with torch.no_grad():
        for rows in (4, 3):
            ids, mask = batch(rows, 16)
            slots = torch.arange(rows * 2).view(rows, 2)
            assert torch.equal(network(ids, mask, slots), Numbered()(ids, mask, slots))
    assert record.n_recorded == 1


def test_a_pass_that_cannot_be_recorded_leaves_the_network_as_it_was(model: AdaptedModel) -> None:
    def fails(_run: Callable[[], Tensor]) -> Any:  # noqa: ANN401
        raise RuntimeError("operation not permitted when stream is capturing")

    network = ReplayedNetwork(model.bound("sw"), LONGEST, fails)
    with torch.no_grad(), pytest.raises(RuntimeError, match="capturing"):
        network(*batch(4, 16))
    assert network.shapes == ()


def test_more_shapes_than_are_kept_are_not_recorded_in_turn() -> None:
    model, record = tiny_model(n_blocks=1), RunAgain()
    network = replayed(model, record, None, buckets=ShapeBuckets(most=2, waste=1.0))
    with torch.no_grad():
        for _ in range(20):
            for rows in (2, 3, 4):
                network(*batch(rows, 16))
    assert len(network.shapes) == 2
    assert record.n_recorded < 20
