"""Test rows that repeat a text count once, and too few texts give no verdict."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from adaptkit.evaluation.repeats import by_text, key_of, repeated_in, text_numbers, without_verdict
from adaptkit.evaluation.report import load_results, save_results, spoken
from adaptkit.evaluation.results import Repeated
from adaptkit.model import AdaptedModel
from adaptkit.scores import Difference, paired_difference
from adaptkit.storage import Adapter
from tests.unit.evaluation.test_transfer import data, run, tasks, zoo

__all__ = ["tasks", "zoo"]


def test_texts_are_alike_whatever_their_case_and_white_space() -> None:
    keys = [key_of(texts) for texts in (("The  goat", "a"), ("the goat ", "A"), ("the goat", "b"), ("the goat",))]
    assert text_numbers(keys).tolist() == [0, 0, 1, 2]


def test_rows_of_a_text_are_drawn_together() -> None:
    random = np.random.default_rng(0)
    better, worse = random.random(12), random.random(12)
    numbers = text_numbers(range(12))
    twelve = by_text(better[None, :, None], numbers)
    assert np.array_equal(twelve[0, :, 0], better)
    # The same rows four times over are no more evidence.
    repeated = np.tile(numbers, 4)
    sums = [by_text(np.tile(rows, 4)[None, :, None], repeated)[0, :, 0] / 4 for rows in (better, worse)]
    assert paired_difference(*sums) == paired_difference(better, worse)


def test_few_texts_give_no_verdict() -> None:
    better = Difference(mean=50.0, low=20.0, high=80.0, confidence=0.95)
    assert without_verdict(better, 6).verdict == "helps"
    assert without_verdict(better, 5).verdict == "no evidence"
    assert without_verdict(replace(better, mean=-50.0, low=-80.0, high=-20.0), 2).verdict == "no evidence"


def test_only_what_weakens_a_test_is_told() -> None:
    assert repeated_in("sw", range(6)) is None
    assert repeated_in("sw", [0, 1, 0, 1]) == Repeated(language="sw", rows=4, texts=2, enough=False)
    assert repeated_in("sw", [*range(6), 5]) == Repeated(language="sw", rows=7, texts=6, enough=True)


def test_twelve_rows_of_two_sentences_do_not_help(
    model: AdaptedModel,
    tasks: list[Adapter],
    zoo: list[Adapter],
    tmp_path: Path,
) -> None:
    two = data()["sw"].examples[:2]
    results = run(model, tasks, zoo, languages=["sw"], data={"sw": replace(data()["sw"], examples=[*two] * 6)})
    assert {found.difference.verdict for found in results.comparisons} == {"no evidence"}
    said = "Swahili: 12 test rows repeat 2 texts. Rows of one text are drawn together in intervals. Fewer than 6 "
    assert said in spoken(results)
    path = tmp_path / "results.json"
    save_results(results, path)
    assert load_results(path) == results
