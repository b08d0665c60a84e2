"""Word embeddings that are fetched before a pass asks for them: the same bits, a batch ahead."""

import copy
import gc
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from adaptkit import load_model
from adaptkit.attaching.places import Places
from adaptkit.backbones import Backbone, vocabulary_of
from adaptkit.backbones.looked_up import LookedUp
from adaptkit.backbones.word_embeddings import WordEmbeddings
from adaptkit.data.batch_shapes import BatchShape
from adaptkit.storage import Adapter
from tests.calls import train_adapter
from tests.runs import PAIRS, SWAHILI
from tests.saved import saved_backbone
from tests.unwaited import steps_asking_nothing

TEXTS = ["Habari ya asubuhi", "The goat sleeps.", "Akuya tana barci a gida.", "Water", "We eat maize in the evening."]
HELD: dict[str, dict[str, Any]] = {
    "paged": {"embeddings": "paged"},
    "nf4": {"embeddings": "nf4"},
    "trimmed": {"embeddings": "int8", "vocabulary": True},
    "trimmed and paged": {"embeddings": "paged", "vocabulary": True},
}


class Table(WordEmbeddings):
    """Eight rows of two numbers, which counts what it is asked."""

    asked_on_cpu = True

    def __init__(self) -> None:
        super().__init__(8, 2, torch.float32)
        self.scale = 3.0
        self.asked: list[list[int]] = []

    def rows(self, ids: Tensor) -> Tensor:
        self.asked.append(ids.tolist())
        return torch.stack([ids, ids + 0.5], dim=1)


def test_a_pass_finds_what_was_fetched_for_its_ids() -> None:
    table, ids = Table(), torch.tensor([[3, 1], [1, 7]])
    plain = table(ids.clone())
    table.fetch(ids, ids)
    table.asked.clear()
    assert torch.equal(table(ids), plain)
    assert torch.equal(table(ids), plain)
    assert table.asked == []


def test_other_ids_and_ids_that_were_changed_are_looked_up() -> None:
    table, ids = Table(), torch.tensor([3, 1])
    table.fetch(ids, ids)
    assert table(torch.tensor([5]))[0].tolist() == [15.0, 16.5]
    ids[0] = 2
    assert table(ids)[0].tolist() == [6.0, 7.5]
    assert table.asked == [[1, 3], [5], [1, 2]]


def test_what_was_fetched_goes_with_its_ids() -> None:
    table = Table()
    for number in range(50):
        ids = torch.tensor([number % 8])
        table.fetch(ids, ids)
        assert table(ids)[0, 0] == 3 * (number % 8)
        del ids
    gc.collect()
    assert len(table._fetched._of) <= 1


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda table: pickle.loads(pickle.dumps(table))])
def test_a_copy_of_a_table_begins_with_nothing_fetched(copied: Callable[[Table], Table]) -> None:
    table, ids = Table(), torch.tensor([3, 1])
    table.fetch(ids, ids)
    other = copied(table)
    assert other.fetched(ids) is None
    assert torch.equal(other(ids), table(ids))


def test_a_recorded_pass_takes_what_was_fetched_and_pads_it() -> None:
    table = Table()
    looked_up, ids = LookedUp(table), torch.tensor([[3, 1], [1, 7]])
    mask, shape = torch.ones_like(ids), BatchShape(3, 4)
    places = Places.padded(shape, (ids, mask), [looked_up])
    plain = places.vectors[looked_up].clone()
    places.vectors[looked_up].fill_(torch.nan)
    table.fetch(ids, ids)
    table.asked.clear()
    places.fill((ids, mask))
    assert torch.equal(places.vectors[looked_up][:2, :2], plain[:2, :2])
    assert places.vectors[looked_up].isfinite().all()
    assert table.asked == []
    places.fill((ids.clone(), mask))
    assert torch.equal(places.vectors[looked_up], plain)


def test_ids_of_a_layer_are_not_asked_of_the_table() -> None:
    table, ids = Table(), torch.tensor([1, 8])
    table.fetch(ids, ids)
    assert table.asked == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return saved_backbone(tmp_path / "tiny")


@pytest.mark.parametrize("held", HELD)
def test_vectors_are_the_same_to_the_bit(held: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = dict(HELD[held])
    if asked.pop("vocabulary", False):
        # The other texts have tokens whose rows were dropped.
        asked["vocabulary"] = vocabulary_of(TEXTS[:2], backbone=folder)
    model = load_model(folder, **asked)
    plain = model.encode(TEXTS, batch_size=2)
    monkeypatch.setattr("adaptkit.model.encoding.works_beside", lambda _: True)
    assert torch.equal(model.encode(TEXTS, batch_size=2), plain)


class Computing(Tensor):
    """Vectors that a device is still computing, until they are asked for."""

    ended: Any

    def cpu(self) -> Tensor:  # type: ignore[override]
        self.ended()
        return self.as_subclass(Tensor)


def test_words_of_the_next_batch_are_fetched_while_one_is_computed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, happened = load_model(folder, embeddings="paged"), []
    fetch, pooled = Backbone.fetch_words, model.backbone.sentences.pooled

    def noted(backbone: Backbone, ids: Tensor, there: Tensor) -> None:
        happened.append("fetch")
        fetch(backbone, ids, there)

    def computing(hidden: Tensor, mask: Tensor) -> Tensor:
        found = pooled(hidden, mask).as_subclass(Computing)
        found.ended = lambda: happened.append("end")
        return found

    monkeypatch.setattr("adaptkit.model.encoding.works_beside", lambda _: True)
    monkeypatch.setattr(Backbone, "fetch_words", noted)
    monkeypatch.setattr(type(model.backbone.sentences), "pooled", lambda _, *given: computing(*given))
    model.encode(TEXTS, batch_size=2)
    assert happened == ["fetch", "fetch", "end", "fetch", "end", "end"]


def trained(folder: Path, **asked: Any) -> Adapter:  # noqa: ANN401
    return train_adapter(lang="sw", backbone=str(folder), rank=2, max_steps=3, batch_size=8, progress=False, **asked)


def test_a_step_on_a_paged_table_waits_for_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows come with the batch: nothing of them is asked for in the step."""
    mode = steps_asking_nothing(monkeypatch)
    for text in ({"text": SWAHILI}, {"parallel": PAIRS}):
        trained(folder, embeddings="paged", **text)
    assert mode.n_seen


def test_adapters_are_the_same_to_the_bit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = trained(folder, embeddings="paged", parallel=PAIRS)
    monkeypatch.setattr(WordEmbeddings, "fetch", lambda *_: None)
    looked_up = trained(folder, embeddings="paged", parallel=PAIRS)
    assert all(torch.equal(tensor, looked_up.tensors[name]) for name, tensor in fetched.tensors.items())
