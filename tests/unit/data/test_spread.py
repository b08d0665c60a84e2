"""Rows that stand for all, whatever order they are in."""

from itertools import pairwise

import pytest

from adaptkit.data.spread import spread
from adaptkit.labelled import read_labelled
from adaptkit.task_types import LabelledText

LABELS = ("animals", "sports", "weather")


@pytest.mark.parametrize("most", [1, 3, 10, 89, 90, 500])
def test_so_many_rows_each_once_and_in_order(most: int) -> None:
    chosen = spread(90, most)
    assert len(chosen) == min(most, 90)
    assert all(earlier < later for earlier, later in pairwise(chosen))
    assert 0 <= chosen[0] <= chosen[-1] < 90
    assert chosen == spread(90, most)


@pytest.mark.parametrize("labels", [sorted(LABELS * 30), list(LABELS) * 30], ids=["sorted", "in turn"])
def test_a_limit_takes_rows_of_all_labels(labels: list[str]) -> None:
    rows = [{"text": f"sentence {number}", "label": label} for number, label in enumerate(labels)]
    examples = [LabelledText(text=row["text"], label=row["label"]) for row in rows]
    for source in (rows, examples):
        data = read_labelled(source, limit=15)
        assert data.labels == LABELS
        found = [example.label for example in data.examples if isinstance(example, LabelledText)]
        assert len(found) == 15
        assert min(map(found.count, LABELS)) >= 2


def test_none_and_an_empty_list_are_left_as_they_are() -> None:
    assert spread(0, 5) == []
    assert spread(3, 3) == [0, 1, 2]
