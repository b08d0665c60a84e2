from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from adaptkit.data.batching import heldout_of_kinds
from adaptkit.errors import EmptyCorpus
from adaptkit.heads import format_of
from adaptkit.model import AdaptedModel
from adaptkit.task_types import HeadConfig, Item, TaggedSentence
from adaptkit.training import TaskItems
from tests.unit.heads import examples as made

HEAD = HeadConfig(task_type="classification", labels=("goats", "rain"))


def items(sizes: dict[str | None, int]) -> list[Item]:
    """Items of several languages, of one to nine tokens each."""
    languages = [language for language, size in sizes.items() for _ in range(size)]
    return [
        Item(number, (np.arange(1 + number % 9, dtype=np.int32),), (0,), language=language)
        for number, language in enumerate(languages)
    ]


def task_items(model: AdaptedModel, sizes: dict[str | None, int], *, alpha: float = 0.3) -> TaskItems:
    return TaskItems(items(sizes), format_of(model.backbone, HEAD), seed=0, sampling_alpha=alpha)


def drawn(data: TaskItems, epochs: int = 5) -> Counter[str | None]:
    batches = [batch for epoch in range(epochs) for batch in data.batches(8, epoch)]
    assert all(len({data.items[row].language for row in batch}) == 1 for batch in batches)
    return Counter(data.items[batch[0]].language for batch in batches)


def test_one_language_uses_every_row_once(model: AdaptedModel) -> None:
    data = task_items(model, {"en": 100})
    rows = sorted(row for batch in data.batches(8, 0) for row in batch)
    assert rows == data.training
    assert set(data.training) | set(data.heldout) == set(range(100))
    assert not set(data.training) & set(data.heldout)


def test_languages_are_drawn_by_their_size_to_the_power_of_alpha(model: AdaptedModel) -> None:
    sizes: dict[str | None, int] = {"en": 1600, "sw": 100}
    by_size, tempered, equal = (drawn(task_items(model, sizes, alpha=alpha)) for alpha in (1.0, 0.5, 0.0))
    assert by_size["en"] / by_size["sw"] == pytest.approx(16, rel=0.1)
    assert tempered["en"] / tempered["sw"] == pytest.approx(4, rel=0.1)
    assert equal["en"] / equal["sw"] == pytest.approx(1, rel=0.1)


def test_every_language_trains_even_the_smallest(model: AdaptedModel) -> None:
    assert drawn(task_items(model, {"en": 3000, "sw": 12}, alpha=1.0), epochs=1)["sw"] >= 1


def test_epochs_have_the_same_number_of_batches(model: AdaptedModel) -> None:
    data = task_items(model, {"en": 333, "sw": 77, None: 20})
    assert len({len(data.batches(8, epoch)) for epoch in range(4)}) == 1
    assert data.batches(8, 1) == data.batches(8, 1) != data.batches(8, 0)


def test_windows_of_one_example_are_held_out_together(model: AdaptedModel) -> None:
    windows = [Item(number // 3, (np.arange(5, dtype=np.int32),), (0, 0)) for number in range(300)]
    data = TaskItems(windows, format_of(model.backbone, HEAD), seed=0)
    assert data.heldout
    held = {data.items[row].example for row in data.heldout}
    assert not held & {data.items[row].example for row in data.training}
    assert len(data.heldout) == 3 * len(held)


def test_heldout_batches_are_in_one_language_each(model: AdaptedModel) -> None:
    data = task_items(model, {"en": 300, "sw": 300})
    batches = data.heldout_batches(4)
    assert sorted(row for batch in batches for row in batch) == data.heldout
    assert all(len({data.items[row].language for row in batch}) == 1 for batch in batches)


def test_a_batch_has_labels_and_a_language(model: AdaptedModel) -> None:
    task_format = format_of(model.backbone, HEAD)
    data = TaskItems(task_format.items(made.topics().examples), task_format, seed=0)
    rows = data.batches(8, 0)[0]
    batch = data.batch(rows, model.backbone)
    assert batch.ids.shape[0] == len(rows)
    assert batch.ids.shape[1] % 8 == 0
    assert batch.labels is not None
    assert batch.labels.tolist() == [int(data.items[row].target[0]) for row in rows]
    assert batch.language == data.items[rows[0]].language
    assert data.n_tokens(rows) == int(batch.mask.sum())


def test_other_labels_are_another_content(model: AdaptedModel) -> None:
    task_format = format_of(model.backbone, HEAD)
    one = task_format.items(made.topics().examples)
    other = task_format.items([*made.topics().examples[1:], made.topics().examples[0]])
    assert TaskItems(one, task_format, seed=0).sha256 == TaskItems(list(one), task_format, seed=0).sha256
    assert TaskItems(one, task_format, seed=0).sha256 != TaskItems(other, task_format, seed=0).sha256


def test_of_few_examples_one_is_held_out_and_that_is_said(model: AdaptedModel) -> None:
    data = task_items(model, {"en": 19})
    assert len(data.heldout) == 1
    assert len(data.training) == 18
    assert data.doubt is not None
    assert "19 labelled examples are very few, and 1 held out" in data.doubt
    assert task_items(model, {"en": 20}).doubt is None


def test_where_none_can_be_spared_the_examples_themselves_are_measured_on(model: AdaptedModel) -> None:
    data = task_items(model, {"en": 2})
    assert data.heldout == data.training == [0, 1]
    assert not data.holds_out
    assert data.doubt is not None
    assert "2 labelled examples are too few to hold one out" in data.doubt


def test_one_example_alone_is_said_to_be_one(model: AdaptedModel) -> None:
    doubt = task_items(model, {"en": 1}).doubt
    assert doubt is not None
    assert doubt.startswith("there is one labelled example, and no other to hold out: the losses are of that example")


def test_nothing_is_trained_on_no_example(model: AdaptedModel) -> None:
    with pytest.raises(EmptyCorpus, match="no labelled example"):
        task_items(model, {})


def test_what_the_caller_holds_out_is_measured_on_and_all_else_trained_on(model: AdaptedModel) -> None:
    task_format = format_of(model.backbone, HEAD)
    own = TaskItems(items({"en": 30}), task_format, seed=0, dev=frozenset({28, 29}))
    assert own.heldout == [28, 29]
    assert own.training == list(range(28))
    assert own.doubt is None
    assert own.sha256 != TaskItems(items({"en": 30}), task_format, seed=0).sha256


def test_no_label_and_no_language_is_held_out_whole(model: AdaptedModel) -> None:
    """For every row that would be held out: were it the only one of its label or language, it would train."""
    task_format = format_of(model.backbone, HEAD)
    common = task_items(model, {"en": 100}).items
    for row in TaskItems(common, task_format, seed=0, has_labels=True).heldout:
        for rare in (replace(common[row], target=(1,)), replace(common[row], language="sw")):
            data = TaskItems([*common[:row], rare, *common[row + 1 :]], task_format, seed=0, has_labels=True)
            assert row in data.training
            assert len(data.heldout) == 10


def test_a_tag_that_occurs_in_one_sentence_is_trained(model: AdaptedModel) -> None:
    head = HeadConfig(task_type="tagging", labels=("O", "B-LOC", "B-PER"))
    task_format = format_of(model.backbone, head)
    sentences = [TaggedSentence(words=("Amina", "ta", str(i)), tags=("B-PER", "O", "O")) for i in range(60)]
    (row, *_) = TaskItems(task_format.items(sentences), task_format, seed=0, has_labels=True).heldout
    sentences[row] = TaggedSentence(words=("Amina", "lọ", "Ìbàdàn"), tags=("B-PER", "O", "B-LOC"))
    data = TaskItems(task_format.items(sentences), task_format, seed=0, has_labels=True)
    assert {label for number in data.training for label in data.items[number].target} == {0, 1, 2}


def test_the_only_unanswerable_question_is_trained(model: AdaptedModel) -> None:
    task_format = format_of(model.backbone, HeadConfig(task_type="qa", allows_no_answer=True))
    answered = [Item(number, (np.arange(5, dtype=np.int32),), (2, 3)) for number in range(60)]
    (row, *_) = TaskItems(answered, task_format, seed=0).heldout
    answered[row] = replace(answered[row], target=(0, 0))
    assert row in TaskItems(answered, task_format, seed=0).training


def test_examples_of_one_label_each_are_measured_on_themselves(model: AdaptedModel) -> None:
    labels = tuple(map(str, range(30)))
    task_format = format_of(model.backbone, HeadConfig(task_type="classification", labels=labels))
    each = [Item(number, (np.arange(5, dtype=np.int32),), (number,)) for number in range(30)]
    data = TaskItems(each, task_format, seed=0, has_labels=True)
    assert data.heldout == data.training == list(range(30))
    assert data.doubt is not None
    assert "each of 30 labelled examples is the only one with one of its labels or in its language" in data.doubt


def test_a_translation_is_held_out_with_what_it_translates(model: AdaptedModel) -> None:
    sizes: dict[str | None, int] = {"en": 200, "sw": 200, "ha": 40}
    copy_of = {200 + number: number for number in range(200)}
    made = items(sizes)
    together = TaskItems(made, format_of(model.backbone, HEAD), seed=0, copy_of=copy_of)
    held = set(together.heldout)
    assert {number for number in held if number < 400} == {
        each for number in held if number < 400 for each in (number % 200, number % 200 + 200)
    }
    assert held & set(range(200))
    # It is another run than one that separates them, and where nothing is a translation all is as it was.
    apart = TaskItems(made, format_of(model.backbone, HEAD), seed=0)
    assert together.sha256 != apart.sha256
    assert apart.heldout == heldout_of_kinds([{each.language, *each.target} for each in made], seed=0)
