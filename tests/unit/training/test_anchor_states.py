"""Where the frozen backbone has tokens is found once, and is what every step would find again."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from adaptkit.data.tokens import TokenStore
from adaptkit.errors import TrainingInterrupted
from adaptkit.heads.batch import Batch
from adaptkit.storage import Adapter
from adaptkit.training import TrainingData, TrainingSettings, anchor_states, first_reading
from adaptkit.training.anchor_states import AnchoredRows, kept_for_anchors, with_frozen
from adaptkit.training.kept_states import KeptStates
from adaptkit.training.loop import TrainingRun
from adaptkit.training.step import TrainingStep
from tests.calls import estimate_adapter, train_adapter
from tests.runs import PAIRS, ctrl_c_in
from tests.tiny import tiny_model

# What is held out trains too, in copies: a random backbone learns nothing of other sentences.
RUN: dict[str, Any] = {
    "lang": "sw",
    "parallel": PAIRS[:10] * 3,
    "max_steps": 8,
    "batch_size": 16,
    "learning_rate": 1e-2,
    "progress": False,
    "token_anchor": 1.0,
}


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each pass of the frozen backbone read."""
    found: list[int] = []
    plain = TrainingStep._frozen

    def counted(step: TrainingStep, batch: Batch, objective: Any) -> Tensor:  # noqa: ANN401
        found.append(len(batch.ids))
        return plain(step, batch, objective)

    monkeypatch.setattr(TrainingStep, "_frozen", counted)
    return found


@pytest.fixture
def asked_to_keep(monkeypatch: pytest.MonkeyPatch) -> list[AnchoredRows | None]:
    """What each run was to keep."""
    found: list[AnchoredRows | None] = []
    plain = TrainingRun._anchored_rows

    def looked_at(run: TrainingRun) -> AnchoredRows | None:
        found.append(plain(run))
        return found[-1]

    monkeypatch.setattr(TrainingRun, "_anchored_rows", looked_at)
    return found


def trained(**more: Any) -> Adapter:  # noqa: ANN401 - options of train_adapter
    return train_adapter(**{**RUN, **more}, backbone=tiny_model())


@pytest.mark.parametrize("more", [{}, {"anchor_share": 0.5}, {"precision": "bf16"}, {"anchor_on": "shared"}])
def test_what_is_learned_is_the_same_as_with_states_of_every_step(
    more: dict[str, Any], passes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = trained(**more)
    once = list(passes)
    monkeypatch.setattr(anchor_states, "MOST_BYTES", 0)
    made_again = trained(**more)
    assert sum(once) < sum(passes[len(once) :])
    assert kept.card.training is not None
    assert made_again.card.training is not None
    after = made_again.card.training.heldout_loss_after
    assert kept.card.training.heldout_loss_after == pytest.approx(after, rel=1e-3)
    assert kept.weights_sha256 != trained(**{**more, "token_anchor": 0.1}).weights_sha256  # anchors are read
    for name, tensor in made_again.tensors.items():
        apart = (kept.tensors[name] - tensor).norm() / tensor.norm()
        assert apart < (0.05 if more.get("precision") == "bf16" else 2e-3), name


def test_each_anchored_row_is_read_once(passes: list[int], asked_to_keep: list[AnchoredRows | None]) -> None:
    trained()
    (kept,) = asked_to_keep
    assert kept is not None
    assert sum(passes) == len(kept.rows) == len(set(kept.rows)) > 30


@pytest.mark.parametrize("more", [{"max_steps": 1}, {"gradient_checkpointing": True}, {"token_anchor": 0.0}])
def test_nothing_is_kept_that_is_hardly_asked_for_or_takes_memory_that_was_to_be_spared(
    more: dict[str, Any], asked_to_keep: list[AnchoredRows | None]
) -> None:
    trained(**more)
    assert asked_to_keep == [None]


@pytest.mark.parametrize(("most", "kept", "left"), [(1200, 20, 0), (1199, 19, 10), (560, 12, 80), (399, 9, 105)])
def test_of_more_than_memory_holds_the_shortest_are_kept(
    most: int, kept: int, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [[1] * (10 if row % 2 else 5) for row in range(20)]
    data = TrainingData(TokenStore(rows), None, 0, anchors=torch.ones(20))
    monkeypatch.setattr(anchor_states, "MOST_BYTES", most)
    found = AnchoredRows.of(data, TrainingSettings(max_steps=100, batch_size=8), width=4)
    assert found is not None
    assert list(found.rows) == [*range(0, 20, 2), *range(1, 20, 2)][:kept]
    assert (found.n_left, found.size_bytes) == (left, 8 * (150 - left))
    assert ("read anew each time" in str(found)) == bool(left)
    monkeypatch.setattr(anchor_states, "MOST_BYTES", 39)
    assert AnchoredRows.of(data, TrainingSettings(max_steps=100, batch_size=8), width=4) is None


def test_a_batch_with_a_row_that_is_not_kept_is_read_anew(
    passes: list[int], asked_to_keep: list[AnchoredRows | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trained()
    monkeypatch.setattr(anchor_states, "MOST_BYTES", asked_to_keep[0].size_bytes // 2)  # type: ignore[union-attr]
    passes.clear()
    part = trained()
    kept = asked_to_keep[1]
    assert kept is not None
    assert kept.n_left > 0
    assert len(kept.rows) < sum(passes)
    assert whole.card.training is not None
    assert part.card.training is not None
    after = whole.card.training.heldout_loss_after
    assert part.card.training.heldout_loss_after == pytest.approx(after, rel=1e-3)


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_batch_has_the_states_of_its_anchored_rows_where_its_tokens_are(side: str) -> None:
    lengths = {7: 2, 8: 3, 9: 1}
    seen = torch.arange(3 * 4 * 2, dtype=torch.float32).reshape(3, 4, 2)
    there = torch.tensor([[place < n for place in range(4)] for n in lengths.values()])
    kept = kept_for_anchors([(list(lengths), seen, there.long())])
    assert kept is not None
    mask = there.flip(1) if side == "left" else there
    batch = Batch(ids=torch.zeros(3, 4).long(), mask=mask[[2, 0, 1]].long(), anchors=torch.tensor([1.0, 0.0, 2.0]))
    given = with_frozen(batch, [9, 7, 8], kept)
    assert given.frozen is not None
    assert torch.equal(given.frozen[0][mask[2]], seen[2, :1].half())
    assert torch.equal(given.frozen[1][mask[1]], seen[1, :3].half())
    assert not given.frozen[0][~mask[2]].any()


def test_a_step_is_measured_with_what_the_run_will_keep(
    passes: list[int], asked_to_keep: list[AnchoredRows | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: list[bool] = []
    plain = TrainingRun.measure_step

    def noted(run: TrainingRun, rows: list[int]) -> float:
        kept = run._anchored_rows()
        assert kept is not None
        before = len(passes)
        seconds = plain(run, rows)
        held, there = set(rows).intersection(run._data.anchored), set(rows).intersection(kept.rows)
        whole.append(held <= there)
        # What is kept is read once before the step, and all of it again in a step of which not all is kept.
        assert len(passes) - before == bool(there) + (not whole[-1])
        return seconds

    monkeypatch.setattr(TrainingRun, "measure_step", noted)
    few = {**RUN, "batch_size": 2, "max_steps": 200}
    estimate_adapter(**few, backbone=tiny_model())
    assert set(whole) == {True}
    whole.clear()
    monkeypatch.setattr(anchor_states, "MOST_BYTES", asked_to_keep[0].size_bytes // 2)  # type: ignore[union-attr]
    estimate_adapter(**few, backbone=tiny_model())
    assert set(whole) == {True, False}


def test_states_that_16_bits_do_not_hold_are_not_kept() -> None:
    too_large = torch.full((1, 2, 3), 1e6)
    assert kept_for_anchors([([0], too_large, torch.ones(1, 2))]) is None
    assert kept_for_anchors([([0], too_large.bfloat16(), torch.ones(1, 2))]) is not None


def test_making_them_counts_as_time_of_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    def slowly(found: Iterable[tuple[Sequence[int], Tensor, Tensor]]) -> KeptStates | None:
        nonlocal now
        now += 1000
        return kept_for_anchors(found)

    monkeypatch.setattr(first_reading, "kept_for_anchors", slowly)
    monkeypatch.setattr("adaptkit.training.loop.time.perf_counter", lambda: now)
    facts = trained().card.training
    assert facts is not None
    assert facts.elapsed_s == 1000


def test_ctrl_c_ends_the_reading_behind_a_batch_and_nothing_is_lost(tmp_path: Path) -> None:
    whole = trained()
    with (
        ctrl_c_in(TrainingStep, "frozen_states", call=2) as calls,
        pytest.raises(TrainingInterrupted, match=r"stopped at step 0 of 8; the checkpoint is in .*Run the same again"),
    ):
        trained(output=tmp_path / "sw")
    assert len(calls) == 2
    assert trained(output=tmp_path / "sw", resume=True).weights_sha256 == whole.weights_sha256


def test_an_estimate_counts_what_is_kept_and_what_making_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TrainingRun, "measure_anchor_states", lambda _: 1000.0)
    monkeypatch.setattr(TrainingRun, "anchor_bytes", 2**40)
    found = estimate_adapter(**RUN, backbone=tiny_model())
    assert found.elapsed_s > 1000
    assert found.peak_memory_bytes > 2**40
